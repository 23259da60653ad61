#!/usr/bin/python3
"""exsyncctl test: each step of "Test & Enable", told apart when it fails; many mailboxes at once;
and that a "Test Message" never reaches a Maildir, whatever happens to the daemon meanwhile."""

import os
import pty
import select
import signal
import subprocess
import time

from certificate import Authority
from exsyncctl import EX_NOUSER, EX_UNAVAILABLE, EX_USAGE, Exsyncctl, started
from harness import LONG, Broken, add_case, case, chance, check, check_equal, main, say, until
from mail import message
from scene import ACCOUNT, ANN, BEN, CARLA, PASSWORD, PROFILE, Scene
from sending import SendingScene, mail

OF_PROFILE = ["name lookup", "connection", "TLS", "HTTP", "authentication", "EWS version"]
OF_MAILBOX = ["impersonation", "reading", "sending"]
STEP = {"kind", "profile", "address", "step", "result", "milliseconds", "detail", "expires",
        "days_left", "error"}
OUTCOME = {"kind", "address", "profile", "passed", "milliseconds", "enabled", "switched_on",
           "paused", "step", "error"}
ERROR = {"code", "sentence", "text", "detail", "remedy", "commands"}
TEST_SUBJECT = b"Subject: Test Message"
KILLS = 120 if LONG else 16
MANY = 500
ASAN = "asan" in os.environ.get("EXSYNC_BUILD", "")


def both_ways(mailboxes, options=(), **arguments):
    """A scene whose mailboxes send and receive. A test asks for a mailbox beside its cycles, and the
    server works on what a process has asked for that was killed."""
    scene = SendingScene(mailboxes, options, defaults={"incoming": "yes"}, **arguments)
    scene.answers_linger = True
    return scene


def steps(answers):
    return [(answer["step"], answer["result"]) for answer in answers if answer["kind"] == "step"]


def step(answers, name):
    found = [answer for answer in answers if answer["kind"] == "step" and answer["step"] == name]
    check_equal(len(found), 1, f"steps {name} in {steps(answers)}")
    return found[0]


def outcomes(answers):
    return {answer["address"]: answer for answer in answers if answer["kind"] == "outcome"}


def check_members(answers):
    check_equal(set(answers[0]), {"kind", "mailboxes", "profiles"}, "members of the plan")
    for answer in answers[1:]:
        check_equal(set(answer), STEP if answer["kind"] == "step" else OUTCOME,
                    f"members of {answer}")
        if answer["error"] is not None:
            check_equal(set(answer["error"]), ERROR, f"members of the error of {answer}")


def test_messages(scene, address):
    """How many of them are in the Maildir."""
    return sum(count for content, count in scene.maildir(address).contents().items()
               if TEST_SUBJECT in content)


def left_in_exchange(scene, address):
    return [(folder, item["subject"]) for folder in ("Inbox", "Sent Items", "Drafts", "Outbox")
            for item in scene.exchange.items(address, folder) if item["subject"] == "Test Message"]


# --- the steps -----------------------------------------------------------------------------------


@case("test shows each step of a mailbox with a tick and its time")
def _():
    with both_ways([ANN, BEN]) as scene:
        tool = Exsyncctl(scene)
        scene.start()
        answers = tool.answers("test", ANN)
        check_members(answers)
        check_equal(answers[0], {"kind": "plan", "mailboxes": 1, "profiles": 1}, "the plan")
        wanted = [(name, "left out" if name == "TLS" else "passed")
                  for name in OF_PROFILE + OF_MAILBOX]
        check_equal(steps(answers), wanted, "the steps")
        check("15.1.2507" in step(answers, "EWS version")["detail"], "the version is not told")
        check("2016" in step(answers, "EWS version")["detail"], "the product is not told")
        check("Basic" in step(answers, "HTTP")["detail"], "the way of signing in is not told")
        check(ACCOUNT in step(answers, "authentication")["detail"], "the account is not told")
        check_equal(answers[-1]["passed"], True, "whether it has passed")
        shown = tool.output("test", ANN)
        for name in OF_PROFILE + OF_MAILBOX:
            lines = [line for line in shown.splitlines() if f" {name} " in line]
            check(len(lines) == 1 and ("✓" in lines[0] or name == "TLS"), f"{name} in {shown!r}")
            check(name == "TLS" or " ms " in lines[0] or " s " in lines[0],
                  f"the time is not told: {lines}")
        check(f"{ANN} has passed the test" in shown, f"the end of {shown!r}")
        check("\033" not in shown, "colours, though it is no terminal")
        check_equal(scene.exchange.counter("unauthorized"), 0, "refused sign-ins")


@case("what is tested must be configured, and said")
def _():
    with Scene([ANN]) as scene:
        tool = Exsyncctl(scene)
        scene.daemon.start().until_started()
        tool.fails(EX_NOUSER, "test", "nobody@example.com", saying="nobody@example.com")
        tool.fails(EX_NOUSER, "test", "--profile", "Nobody", saying="Nobody")
        for words in ([], [ANN, "--all"], ["--all", "--profile", PROFILE]):
            tool.fails(EX_USAGE, "test", *words)
        check_equal(steps(tool.answers("test", ANN.upper()))[-1], ("sending", "left out"),
                    "sending with outgoing = no")


@case("a mailbox whose impersonation is denied gets a cross, the cause and the commands")
def _():
    with both_ways([ANN, CARLA], impersonation=f"all,-{CARLA}") as scene:
        tool = Exsyncctl(scene)
        scene.start()
        answers = tool.answers("test", CARLA, wanted=EX_UNAVAILABLE)
        check_members(answers)
        check_equal(steps(answers)[-1], ("impersonation", "failed"), "the last step")
        error = answers[-1]["error"]
        check_equal((answers[-1]["step"], answers[-1]["passed"], error["code"]),
                    ("impersonation", False, "ErrorImpersonateUserDenied"), "the outcome")
        for word in ("ApplicationImpersonation", ACCOUNT, CARLA):
            check(word in error["commands"], f"{word} is not in {error['commands']!r}")
        status, shown, err = tool.run("test", CARLA)
        check_equal(status, EX_UNAVAILABLE, "the exit status")
        check("✗ impersonation" in shown and "New-ManagementRoleAssignment" in shown,
              f"it shows {shown!r}")
        check("1 of 1 mailbox has not passed the test" in err, f"it says {err!r}")
        check(not any(line.endswith(" ") for line in shown.splitlines()), f"blanks at an end: {shown!r}")
        why = shown[shown.index("✗ impersonation"):shown.index("# What the account has")].splitlines()[1:]
        check(all(len(line) < 80 and "  " not in line.strip() for line in why),
              f"the cause and the remedy are {why}")
        scene.exchange.grant(CARLA)
        check(tool.answers("test", CARLA)[-1]["passed"], "it passes after the grant")


@case("a server that cannot be reached, or is another one, fails in its own step")
def _():
    with Scene([ANN], profile={"connect_timeout": "3s"}) as scene:
        tool = Exsyncctl(scene)
        scene.daemon.start().until_started()
        right = scene.exchange.url
        for url, failed, word in (
                ("https://nobody.invalid/EWS/Exchange.asmx", "name lookup", "nobody.invalid"),
                ("http://127.0.0.1:1/EWS/Exchange.asmx", "connection", "CURLE_COULDNT_CONNECT"),
                (right.replace("http:", "https:"), "TLS", "TLS"),
                (right.replace("EWS", "OWA"), "HTTP", "HTTP 404"),
                (f"{scene.exchange.control_url}/EWS/Exchange.asmx", "HTTP", "HTTP 404")):
            scene.profile_keys["url"] = url
            scene.reload()
            answers = tool.answers("test", ANN, wanted=EX_UNAVAILABLE)
            check_members(answers)
            check_equal(steps(answers)[-1], (failed, "failed"), f"the last step with {url}")
            check(any(word in value for value in answers[-1]["error"].values()),
                  f"{word} is not in {answers[-1]['error']}")
            check(answers[-1]["error"]["remedy"], f"no remedy for {url}")
        scene.profile_keys["url"] = right
        scene.reload()
        check(tool.answers("test", ANN)[-1]["passed"], "it passes in the end")


@case("the certificate is shown with its chain and its end, and why it is not trusted")
def _():
    with Scene([ANN], exchange=False) as scene:
        authority, stranger = Authority(scene.folder), Authority(scene.folder, "stranger")
        certificate, key = authority.sign("server")
        scene.profile_keys["tls_ca_file"] = authority.certificate
        scene.start_exchange(["--tls-certificate", certificate, "--tls-key", key])
        tool = Exsyncctl(scene)
        scene.daemon.start().until_started()
        shown = step(tool.answers("test", ANN), "TLS")
        check_equal((shown["result"], shown["days_left"]), ("passed", 29), "the step")
        for words in ("TLSv1.", "CN=server", "signed by CN=authority", "29 days left"):
            check(words in shown["detail"], f"{words!r} is not in {shown['detail']!r}")
        check(shown["expires"].endswith("Z"), f"expires {shown['expires']}")
        for name, words, days in (("for another name", "for another name", 29),
                                  ("of a stranger", "does not trust", 29),
                                  ("expired", "has expired", -2)):
            wrong = {"for another name": lambda: authority.sign("wrong", "DNS:other.example.com"),
                     "of a stranger": lambda: stranger.sign("wrong"),
                     "expired": lambda: authority.sign("wrong", expired=True)}[name]()
            scene.exchange.control("certificate", certificate=wrong[0], key=wrong[1])
            answers = tool.answers("test", ANN, wanted=EX_UNAVAILABLE)
            shown = step(answers, "TLS")
            check_equal((shown["result"], shown["days_left"]), ("failed", days), f"{name}: {shown}")
            check(words in shown["error"]["sentence"], f"{name}: {shown['error']}")
            check("CN=wrong" in shown["detail"], f"{name}: {shown['detail']}")
            check(name != "expired" or "(1 day ago)" in shown["detail"], f"{shown['detail']}")
        scene.exchange.control("certificate", certificate=certificate, key=key)
        check(tool.answers("test", ANN)[-1]["passed"], "it passes in the end")


@case("a sign-in that was refused is not tried again before its time, unless that is wanted")
def _():
    with Scene([ANN, BEN]) as scene:
        scene.write_password("wrong-password")
        tool = Exsyncctl(scene)
        scene.daemon.start()
        scene.daemon.until_logged("all its mailboxes wait")
        tries = scene.exchange.counter("unauthorized")
        for _ in range(3):
            answers = tool.answers("test", "--all", wanted=EX_UNAVAILABLE)
            shown = step(answers, "authentication")
            check_equal(shown["result"], "failed", "the step")
            check("not tried now" in shown["detail"] and "--sign-in" in shown["detail"],
                  f"it says {shown['detail']!r}")
            check("Get-ADUser" in shown["error"]["commands"], f"commands {shown['error']}")
            check_equal([outcome["step"] for outcome in outcomes(answers).values()],
                        ["authentication"] * 2, "what has failed of the mailboxes")
        check_equal(scene.exchange.counter("unauthorized"), tries, "refused sign-ins")
        shown = step(tool.answers("test", "--all", "--sign-in", wanted=EX_UNAVAILABLE),
                     "authentication")
        check("not tried" not in (shown["detail"] or ""), f"it says {shown['detail']!r}")
        until(lambda: scene.ledger.value("SELECT refused FROM sign_in") == tries + 1,
              "the refusal is remembered")
        check_equal(scene.exchange.counter("unauthorized"), tries + 1, "refused sign-ins")
        scene.exchange.control("account", name=ACCOUNT, password="wrong-password")
        check(all(outcome["passed"] for outcome in
                  outcomes(tool.answers("test", "--all", "--sign-in")).values()), "they pass")
        scene.exchange.add(ANN, message("after it"))
        scene.until_delivered(ANN, 1)
        until(lambda: not scene.ledger.unresolved(), "no failure is left")


# --- enabling ------------------------------------------------------------------------------------


@case("a test enables what is not configured, too: it may be tomorrow")
def _():
    with Scene([ANN]) as scene:
        tool = started(scene)
        tool.output("disable", ANN)
        check_equal(scene.ledger.value("SELECT count(*) FROM switched_off"), 2, "directions off")
        check("is enabled now" in tool.output("test", ANN), "it was not enabled")
        check_equal(scene.ledger.value("SELECT count(*) FROM switched_off"), 0, "directions off then")


@case("a mailbox that passes is enabled, and one that fails is not")
def _():
    with both_ways([ANN, BEN, CARLA], impersonation=f"all,-{CARLA}") as scene:
        tool = Exsyncctl(scene)
        scene.start()
        for address in (ANN, BEN, CARLA):
            tool.output("disable", address)
            scene.exchange.add(address, message("waits"))
        check_equal(outcomes(tool.answers("test", ANN, "--no-enable"))[ANN]["enabled"], False,
                    "whether it is enabled with --no-enable")
        told = outcomes(tool.answers("test", "--all", wanted=EX_UNAVAILABLE))
        found = {address: (outcome["passed"], outcome["enabled"], outcome["switched_on"])
                 for address, outcome in told.items()}
        check_equal(found, {ANN: (True, True, True), BEN: (True, True, True),
                            CARLA: (False, False, False)}, "the outcomes")
        for address in (ANN, BEN):
            scene.until_delivered(address, 1)
        check("is enabled now" not in tool.output("test", ANN), "it was enabled twice")
        scene.exchange.grant(CARLA)
        check("is enabled now" in tool.output("test", CARLA), "it was not enabled")
        scene.until_delivered(CARLA, 1)
        for address in (ANN, BEN, CARLA):
            check_equal(test_messages(scene, address), 0, f"test messages of {address}")


# --- the test message ----------------------------------------------------------------------------


def never_delivered(marks):
    with both_ways([ANN, BEN], ["--latency", "20"]) as scene:
        tool = Exsyncctl(scene)
        scene.exchange.control("transport", **marks)
        scene.start()
        scene.exchange.add(ANN, message("before"))
        scene.until_delivered(ANN, 1)
        for number in range(5):
            told = tool.answers("test", ANN)
            check("arrived after" in step(told, "sending")["detail"], f"it says {told}")
            check_equal(left_in_exchange(scene, ANN), [], "what is left of the test message")
            scene.exchange.add(ANN, message(f"behind {number}"))
        scene.until_delivered(ANN, 6)
        scene.until_polled(ANN)
        scene.check_delivered(ANN)
        check_equal(test_messages(scene, ANN), 0, "test messages delivered")
        check_equal(scene.exchange.counter("messages_submitted"), 5, "messages sent")


for what, values in (("a property", {"keep_properties": "yes", "keep_message_id": "no"}),
                     ("its Message-ID", {"keep_properties": "no", "keep_message_id": "yes"}),
                     ("both", {"keep_properties": "yes", "keep_message_id": "yes"})):
    add_case(f"a test message that keeps {what} arrives, is removed, and is never delivered",
             never_delivered, values)


@case("a test message that arrives after its test was given up is never delivered")
def _():
    with both_ways([ANN, BEN]) as scene:
        tool = Exsyncctl(scene)
        scene.start()
        scene.exchange.control("transport", state="stopped")
        process = tool.start("test", ANN)
        until(lambda: scene.exchange.counter("messages_submitted") == 1, "it is sent")
        process.kill()
        process.communicate()
        scene.exchange.control("transport", state="running")
        until(lambda: ("Inbox", "Test Message") in left_in_exchange(scene, ANN), "it arrives")
        scene.exchange.add(ANN, message("behind it"))
        scene.until_delivered(ANN, 1)
        scene.until_polled(ANN)
        for _ in range(2):  # neither by the next process
            check_equal(test_messages(scene, ANN), 0, "test messages delivered")
            scene.daemon.kill()
            scene.daemon.start()
            scene.until_polled(ANN)
        check_equal(scene.maildir(ANN).count(), 1, "messages delivered")
        # An old one is removed by the next test.
        scene.exchange.control("change", mailbox=ANN, subject="Test Message",
                               received="2026-01-01T00:00:00Z")
        tool.answers("test", ANN)
        check_equal(left_in_exchange(scene, ANN), [], "what is left of the first test")


@case("while a mailbox is tested a reload goes on, and so does its other mail")
def _():
    with both_ways([ANN, BEN]) as scene:
        tool = Exsyncctl(scene)
        scene.start()
        scene.exchange.control("transport", state="stopped")
        process = tool.start("test", ANN)
        until(lambda: scene.exchange.counter("messages_submitted") == 1, "the test message is sent")
        scene.profile_keys["page_size"] = 11  # another profile
        scene.reload()
        scene.submit(mail("while it is tested"))
        until(lambda: scene.exchange.counter("messages_submitted") == 2, "the other one is sent")
        check_equal(process.poll(), None, "the end of the test")
        scene.exchange.control("transport", state="running")
        process.communicate(timeout=90)
        check_equal(process.returncode, 0, "status of the test")
        scene.until_received(BEN, 1)
        check_equal(left_in_exchange(scene, ANN), [], "what is left of the test message")
        check_equal(test_messages(scene, ANN), 0, "test messages delivered")


@case("sync now of a mailbox that is being tested waits for its cycle behind the test")
def _():
    with both_ways([ANN, BEN], profile={"poll_interval": "1h"}) as scene:
        tool = Exsyncctl(scene)
        scene.start()
        scene.exchange.control("transport", state="stopped")
        process = tool.start("test", ANN)
        until(lambda: scene.exchange.counter("messages_submitted") == 1, "the test message is sent")
        check_equal(tool.output("sync", "now", ANN), "1 direction is due now.\n", "said meanwhile")
        waits = tool.start("sync", "now", ANN, "--wait")
        scene.daemon.until_logged(f"{ANN}: an administrator", "wants it synchronized now: 1 direction")
        check_equal(waits.poll(), None, "the end of what waits")
        scene.exchange.control("transport", state="running")
        process.communicate(timeout=90)
        check_equal(process.returncode, 0, "status of the test")
        out, err = waits.communicate(timeout=90)
        check_equal((waits.returncode, out, err),
                    (0, f"{ANN} incoming: success, 0 messages delivered\n", ""), "what it says")


@case("a mailbox that leaves the configuration before it is tested has not passed")
def _():
    with Scene([ANN, BEN]) as scene:
        tool = started(scene)
        scene.until_polled(ANN, BEN)
        scene.exchange.process.send_signal(signal.SIGSTOP)  # the test of the profile does not end
        with tool.connect() as line:
            line.send({"id": 1, "command": "test", "address": BEN})
            check_equal(line.next()["kind"], "plan", "the first answer")
            del scene.mailboxes[BEN]
            scene.write_configuration()
            tool.answers("reload")
            scene.exchange.process.send_signal(signal.SIGCONT)
            while not (last := line.next()).get("end"):
                check_equal(last["address"], None, "the mailbox of a step")
        check_equal(last["error"]["code"], "NoSuchMailbox", "what comes of it")
        check("left the configuration" in last["error"]["message"], last)


@case("tests at once, of one mailbox and of two, do not take each other's messages for theirs")
def _():
    with both_ways([ANN, BEN]) as scene:
        tool = Exsyncctl(scene)
        scene.start()
        scene.exchange.control("transport", state="stopped")
        processes = [tool.start("test", address) for address in (ANN, ANN, BEN)]
        until(lambda: scene.exchange.counter("messages_submitted") == 3, "all are sent")
        scene.exchange.control("transport", state="running")
        for process in processes:
            process.communicate(timeout=90)
            check_equal(process.returncode, 0, "status of a test")
        for address in (ANN, BEN):
            check_equal(left_in_exchange(scene, address), [], "what is left of the test messages")
            check_equal(test_messages(scene, address), 0, "test messages delivered")


@case("a message that has been sent and does not arrive is a cross")
def _():
    with both_ways([ANN]) as scene:
        tool = Exsyncctl(scene)
        scene.start()
        scene.exchange.fault(operation="CreateItem", code="ErrorSendAsDenied", count=1)
        shown = step(tool.answers("test", ANN, wanted=EX_UNAVAILABLE), "sending")
        check_equal(shown["error"]["code"], "ErrorSendAsDenied", "the cause")
        if LONG:
            scene.exchange.control("transport", state="stopped")
            shown = step(tool.answers("test", ANN, wanted=EX_UNAVAILABLE, seconds=90), "sending")
            check_equal(shown["error"]["code"], "NotArrived", "the cause")
        scene.exchange.control("transport", state="running")
        scene.exchange.add(ANN, message("behind it"))
        scene.until_delivered(ANN, 1)
        scene.until_polled(ANN)
        check_equal(test_messages(scene, ANN), 0, "test messages delivered")


def killed(marks):
    """Mail arrives all the time, and the daemon is killed at random moments of a test."""
    numbers = chance(f"kill in the middle of a test {marks}")
    with both_ways([ANN, BEN], ["--latency", "40"],
                   profile={"poll_interval": "1s"}) as scene:
        tool = Exsyncctl(scene)
        scene.exchange.control("transport", **marks)
        wanted, cut, left, interrupted = 0, 0, 0, 0
        for number in range(KILLS):
            scene.daemon.start().until_started()
            process = tool.start("test", ANN)
            scene.exchange.add(ANN, message(f"number {number}", chance=numbers))
            wanted += 1
            if number % 2 == 0:
                time.sleep(numbers.uniform(0, 0.8 if ASAN else 0.5))
            else:  # while the message is on its way, or removed
                before = scene.exchange.counter("messages_submitted")
                while (process.poll() is None and
                       scene.exchange.counter("messages_submitted") == before):
                    time.sleep(0.002)
                time.sleep(numbers.uniform(0, 0.2))
            scene.daemon.kill()
            process.communicate(timeout=60)
            cut += process.returncode != 0
            found = len(left_in_exchange(scene, ANN))
            interrupted += found > left
            left = found
            check_equal(test_messages(scene, ANN), 0, f"test messages delivered, kill {number}")
        scene.start()
        scene.until_delivered(ANN, wanted)
        scene.until_polled(ANN, times=4)
        check_equal(test_messages(scene, ANN), 0, "test messages delivered in the end")
        check_equal(scene.maildir(ANN).count(), wanted, "messages delivered")
        say(f"# {KILLS} kills, {cut} of them in a test, {interrupted} while its message was there")
        check(interrupted > 0, "no kill came while the test message was there")


add_case("a test message is never delivered, killed at random moments, by its Message-ID",
         killed, {"keep_properties": "no"})
add_case("a test message is never delivered, killed at random moments, by its property",
         killed, {"keep_properties": "yes", "keep_message_id": "no"})


# --- many ----------------------------------------------------------------------------------------


def addresses(count):
    return [f"user{number:05d}@example.com" for number in range(1, count + 1)]


def rows(shown):
    """The lines of the table by their address."""
    return {line.split()[0]: line for line in shown.splitlines() if "@example.com  " in line}


@case(f"test --all over {MANY} mailboxes takes the time that its connections allow")
def _():
    everybody = addresses(MANY)
    denied = {everybody[number] for number in (0, 99, 250, 333, 499)}
    latency_ms, connections = 200, 10
    rule = ",".join(["all", *(f"-{address}" for address in sorted(denied))])
    with Scene(everybody, ["--latency", str(latency_ms)],
               profile={"poll_interval": "1h", "max_connections": connections,
                        "probe_intervals": "1h"}, impersonation=rule) as scene:
        tool = Exsyncctl(scene)
        for address in everybody:  # nothing but the test is to use the connections
            scene.mailboxes[address] = {"incoming": "no"}
        scene.write_configuration()
        scene.daemon.start().until_started()
        before = scene.exchange.counter("requests.total")
        begin = time.monotonic()
        status, shown, err = tool.run("test", "--all", seconds=120)
        took = time.monotonic() - begin
        requests = scene.exchange.counter("requests.total") - before
        ideal = requests * latency_ms / 1000 / connections
        say(f"# {MANY} mailboxes, {requests} requests of {latency_ms} ms on {connections} "
            f"connections: {took:.2f} s, ideal {ideal:.2f} s, ratio {took / ideal:.2f}")
        check_equal(requests, 1 + 2 * MANY - len(denied), "requests")
        # All connections are used, and no more; on a busy machine a request takes longer.
        check_equal(scene.exchange.counter("concurrency.peak"), connections, "requests at a time")
        check(took < connections / 3 * ideal, f"it took {took:.2f} s; {ideal:.2f} s would be ideal")
        check_equal(status, EX_UNAVAILABLE, "the exit status")
        table = rows(shown)
        check_equal(set(table), set(everybody), "the mailboxes of the table")
        for address, line in table.items():
            if address in denied:
                check("✗ failed" in line and "impersonation" in line, f"the row {line!r}")
            else:
                check("✓ passed" in line and "impersonation" not in line, f"the row {line!r}")
        check(f"{MANY - len(denied)} of {MANY} passed" in shown, f"the end of {shown[-200:]!r}")
        check(f"{len(denied)} of {MANY} mailboxes have not passed" in err, f"it says {err!r}")


@case("a profile that fails is told once for each of its mailboxes, however slowly they are read")
def _():
    everybody = addresses(3000)
    with Scene(everybody, exchange=False) as scene:
        tool = Exsyncctl(scene)
        scene.daemon.start().until_started()
        with tool.connect() as line:
            line.send({"id": 1, "command": "test", "all": True})
            time.sleep(2)
            check(scene.daemon.running(), "the daemon has ended")
            told = []
            while not (answer := line.next()).get("end"):
                told.append(answer)
            check_equal(answer["error"]["code"], "TestFailed", "the end")
        check_equal(set(outcomes(told)), set(everybody), "the mailboxes")
        check_equal({outcome["step"] for outcome in outcomes(told).values()}, {"connection"},
                    "what has failed")
        status, shown, _ = tool.run("test", "--all")
        check_equal((status, len(rows(shown))), (EX_UNAVAILABLE, 3000), "the table")


@case("many mailboxes send their test messages at the same time, beside the cycles")
def _():
    everybody = addresses(60)
    with both_ways(everybody, ["--latency", "20"], profile={"poll_interval": "2s"}) as scene:
        tool = Exsyncctl(scene)
        scene.start()
        for address in everybody:
            scene.exchange.add(address, message("for all"))
        answers = tool.answers("test", "--profile", PROFILE, seconds=120)
        check_members(answers)
        told = outcomes(answers)
        check_equal(set(told), set(everybody), "the mailboxes")
        check(all(outcome["passed"] for outcome in told.values()),
              f"failed: {[outcome for outcome in told.values() if not outcome['passed']][:2]}")
        for address in everybody:
            scene.until_delivered(address, 1)
        scene.until_polled(*everybody)
        for address in everybody:
            scene.check_delivered(address)
            check_equal(left_in_exchange(scene, address), [], "what is left of test messages")


@case("a sign-in that only a test has met can be tried again, although nothing is synchronized")
def _():
    with Scene({ANN: {"incoming": "no"}}) as scene:
        tool = Exsyncctl(scene)
        scene.write_password("wrong-password")
        scene.daemon.start().until_started()
        for tries in (1, 1, 1):
            tool.answers("test", ANN, wanted=EX_UNAVAILABLE)
            check_equal(scene.exchange.counter("unauthorized"), tries, "refused sign-ins")
            profile = tool.answers("profile", "show", PROFILE)[0]
            check_equal((profile["gate"], profile["refused_otherwise"]["code"]), ("open", "HTTP 401"),
                        "what is told of the profile")
            told = tool.output("profile", "show", PROFILE)
            check("the account was refused" in told and "refused to a test" in told, told)
        tool.answers("test", ANN, "--sign-in", wanted=EX_UNAVAILABLE)
        check_equal(scene.exchange.counter("unauthorized"), 2, "refused sign-ins")
        scene.exchange.control("account", name=ACCOUNT, password="wrong-password")
        check(tool.answers("test", ANN, "--sign-in")[-1]["passed"], "it passes")
        check_equal(tool.answers("profile", "show", PROFILE)[0]["refused_otherwise"], None, "afterwards")


@case("on a terminal a bar shows how far it is, and goes when the table comes")
def _():
    everybody = addresses(30)
    with Scene(everybody, ["--latency", "50"], profile={"poll_interval": "1h"}) as scene:
        tool = Exsyncctl(scene)
        scene.daemon.start().until_started()
        shown = terminal(tool, "test", "--all")
        check("[##############################] 30 of 30, 0 failed" in shown, f"no bar: {shown!r}")
        table = shown[shown.rindex("MAILBOX"):]
        check("\r[" not in table and "30 of 30 passed" in table, f"behind the bar: {table!r}")
        check("\033[32m" in table, "no colours on a terminal")


def terminal(tool, *words):
    """All that a person sees, on standard output and standard error."""
    master, slave = pty.openpty()
    process = subprocess.Popen(tool.command(*words), stdin=subprocess.DEVNULL, stdout=slave,
                               stderr=slave, env={**tool.environment, "TERM": "xterm"})
    os.close(slave)
    shown = b""
    while select.select([master], [], [], 60)[0]:
        try:
            piece = os.read(master, 65536)
        except OSError:  # closed by its last user
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    if process.wait(timeout=60) != 0:
        raise Broken(f"status {process.returncode}: {shown.decode()!r}")
    return shown.decode()


@case("reloads and a stop in the middle of a test do no harm")
def _():
    with both_ways([ANN, BEN, CARLA], ["--latency", "100"]) as scene:
        tool = Exsyncctl(scene)
        scene.start()
        for number in range(4):
            process = tool.start("test", "--all")
            time.sleep(0.15 * number)
            if number == 2:
                del scene.mailboxes[CARLA]
            scene.profile_keys["batch_size"] = 5 + number
            scene.profile_keys["max_connections"] = 4 + number
            scene.reload()
            out, err = process.communicate(timeout=60)
            check(process.returncode in (0, EX_UNAVAILABLE), f"it ends with {out!r} {err!r}")
        process = tool.start("test", "--all")
        time.sleep(0.4)
        scene.daemon.stop()
        process.communicate(timeout=60)
        check(process.returncode != 0, "a test that was cut short has passed")
        scene.start()
        scene.exchange.add(ANN, message("behind it"))
        scene.until_delivered(ANN, 1)
        check_equal(test_messages(scene, ANN), 0, "test messages delivered")
        check(PASSWORD not in scene.daemon.log(), "the password is in the log")


main()
