#!/usr/bin/python3
"""exsyncctl switches: enable, disable, pause, resume, redeliver. What an administrator has said stays
so, whatever is killed, reloaded or renamed."""

import os
import time

from alerting import AlertScene
from exsyncctl import EX_CONFIG, EX_NOUSER, EX_UNAVAILABLE, EX_USAGE, Exsyncctl, check_alive
from harness import LONG, case, chance, check, check_equal, main, until
from mail import message
from scene import ANN, BEN, CARLA, PASSWORD, PROFILE, Scene
from sending import SendingScene, mail

KILLS = 20 if LONG else 4


def restart(scene):
    scene.daemon.kill()
    scene.daemon.start()
    scene.daemon.until_started()


def switched(answers):
    check_equal([answer["kind"] for answer in answers], ["switched"], "answers")
    return answers[0]


def received(scene, address):
    """Subjects in the Maildir, without the number that makes each another, with how often."""
    return sorted(content.split(b"Subject: ", 1)[1].split(b"\n", 1)[0].decode().rsplit(" ", 1)[0]
                  for content in scene.maildir(address).contents().elements())


# --- what is not said aloud is not forgotten ---

@case("sync now spends no sign-in on an account that was refused")
def _():
    with Scene([ANN, BEN]) as scene:
        tool = Exsyncctl(scene)
        scene.write_password("wrong-password")
        scene.daemon.start()
        scene.daemon.until_logged("all its mailboxes wait")
        since = f"the profile {PROFILE} waits for its server or account since 20"
        for words in ((ANN,), ("--profile", PROFILE)):
            out = tool.output("sync", "now", *words)
            check(f"Nothing is tried now: {since}" in out, out)
            status, out, err = tool.run("sync", "now", *words, "--wait")
            check_equal(status, EX_UNAVAILABLE, "status when nothing is tried")
            check(f"{ANN} incoming: not tried\n" in out and out.count(since) == 1 and
                  "not tried: " in err and since in err, f"{out} and {err}")
        remedy = (f"password_file of [profile {PROFILE}]", "exsyncctl reload takes it into use")
        for words in (("profile", "show", PROFILE), ("test", ANN), ("diagnose", ANN)):
            shown = " ".join(tool.run(*words)[1].split())
            whom = ANN if words[0] == "diagnose" else f'--profile "{PROFILE}"'
            for text in (*remedy, f"exsyncctl test {whom} --sign-in"):
                check(text in shown, f"{words}: {text} is not in {shown}")
        time.sleep(0.5)
        check_equal(scene.exchange.counter("unauthorized"), 1, "refused sign-ins")
        scene.write_password(PASSWORD)
        scene.reload()
        scene.until_polled(ANN, BEN)


@case("check tells of a profile that is paused, and of mailboxes that are disabled, unless that is wanted")
def _():
    with Scene([ANN, BEN]) as scene:
        tool = Exsyncctl(scene)
        scene.daemon.start()
        scene.until_polled(ANN, BEN)
        tool.output("pause", PROFILE)
        status, out, _ = tool.run("check")
        check(status == 1 and "is paused since 20" in out and f'exsyncctl resume "{PROFILE}"' in out,
              f"check of a paused profile: {status} {out}")
        tool.output("resume", PROFILE)
        tool.output("disable", ANN)
        scene.until_polled(BEN)
        status, out, _ = tool.run("check")
        check(status == 1 and ": 1 mailbox is disabled |" in out and " disabled=1;0;" in out,
              f"check with a disabled mailbox: {status} {out}")
        status, out, _ = tool.run("check", "--disabled", "2")
        check(status == 0 and "but 1 that is disabled" in out and " disabled=1;1;" in out,
              f"check where that is wanted: {status} {out}")
        tool.output("disable", BEN)
        status, out, _ = tool.run("check")
        check(status == 1 and ": 2 mailboxes are disabled |" in out and " ok=0;" in out,
              f"check where all are disabled: {status} {out}")


@case("what is disabled and what the configuration has off are told apart, in each view and by check")
def _():
    with Scene({ANN: {"outgoing": "yes"}, BEN: {}, CARLA: {}}) as scene:
        tool = Exsyncctl(scene)
        scene.daemon.start()
        scene.until_polled(ANN, BEN, CARLA)
        tool.output("disable", ANN, "--outgoing")
        tool.output("disable", BEN, "--outgoing")  # off it is by its configuration
        tool.output("disable", CARLA)
        user = os.getuid()
        for command in (["status"], ["mailbox", "list"]):
            shown = tool.output(*command)
            ann, ben, carla = (next(line for line in shown.splitlines() if line.startswith(address))
                               for address in (ANN, BEN, CARLA))
            check("partly disabled" in ann and
                  f"outgoing of {ANN} is disabled by an administrator (uid {user}) since 20" in ann and
                  f"exsyncctl enable {ANN}" in ann, ann)
            check(" ok " in ben and " off " in ben and "disabled" not in ben, ben)
            check(f"{CARLA} is disabled by an administrator (uid {user}) since 20" in carla and
                  "incoming of" not in carla and f"exsyncctl enable {CARLA}" in carla and
                  " off " in carla, carla)
        check("1 ok, 1 disabled, 1 partly disabled" in tool.output("status"), "the counts")
        shown = tool.answers("mailbox", "show", ANN)[0]
        hindrance = shown["outgoing"]["hindrance"]
        check_equal((shown["state"], shown["incoming"]["hindrance"], hindrance["cause"]),
                    ("partly disabled", None, "disabled"), "in JSON")
        out = tool.run("trace", "nothing like that", "--mailbox", CARLA)[1]
        check(f"{CARLA}: receiving is disabled\n" in out, out)
        status, out, _ = tool.run("check")
        check(status == 1 and "1 mailbox is disabled; 1 mailbox is partly disabled" in out,
              f"check: {status} {out}")
        # Over a restart it is known since when, and by whom.
        restart(scene)
        check_equal(tool.answers("mailbox", "show", ANN)[0]["outgoing"]["hindrance"], hindrance,
                    "after a restart")
        tool.output("disable", ANN)  # what is disabled already stays so, since then
        check_equal(tool.answers("mailbox", "show", ANN)[0]["outgoing"]["hindrance"]["since"],
                    hindrance["since"], "since when")


# --- enable and disable ---------------------------------------------------------------------------

@case("a mailbox that is disabled is left alone, over a kill and a reload, and goes on when enabled")
def _():
    with Scene([ANN, BEN]) as scene:
        tool = Exsyncctl(scene)
        scene.daemon.start()
        scene.exchange.add(ANN, message("before"))
        scene.until_delivered(ANN, 1)
        check_equal(tool.output("disable", ANN), f"{ANN}: disabled, incoming and outgoing\n", "said")
        scene.until_left_alone(ANN, BEN)
        shown = tool.answers("mailbox", "show", ANN)[0]
        check_equal((shown["state"], shown["incoming"]["disabled"], shown["incoming"]["on"]),
                    ("disabled", True, False), "how it is")
        scene.exchange.add(ANN, message("meanwhile"))
        restart(scene)
        scene.until_left_alone(ANN, BEN)
        scene.reload()
        scene.until_left_alone(ANN, BEN)
        scene.daemon.stop()
        scene.daemon.start()
        scene.until_left_alone(ANN, BEN)
        check_equal(scene.maildir(ANN).count(), 1, "messages")
        check(scene.daemon.log_lines("2 directions", "disabled") or
              scene.daemon.log_lines("1 direction of", "disabled"), "the start does not say it")
        answer = switched(tool.answers("enable", ANN))
        check_equal((answer["directions"], answer["enabled"]), (["incoming"], True), "what is enabled")
        scene.until_delivered(ANN, 2)
        line = scene.daemon.until_logged(ANN, "administrator (uid", "enabled incoming")
        check(" and outgoing" not in line, f"outgoing is not configured: {line}")


def disabled_while_it_runs(tool):
    if switched(tool.answers("disable", ANN))["running"]:
        return True
    tool.answers("enable", ANN)
    return False


@case("what was wrong with a direction is over when it is disabled, also what its last cycle tells")
def _():
    with AlertScene([ANN, BEN], profile={"probe_intervals": "1h"}) as scene:
        tool = Exsyncctl(scene)
        scene.exchange.revoke(ANN)
        scene.daemon.start()
        until(scene.open_alerts, "an alert is open")
        scene.until_told(1)
        answer = switched(tool.answers("disable", ANN, "--incoming"))
        check_equal(answer["alerts_resolved"], 1, "alerts that are over")
        scene.until_no_alert()
        check_equal(scene.ledger.unresolved(ANN), [], "failures that stand")
        scene.until_told(2)
        scene.until_left_alone(ANN, BEN)
        # One that runs while it is disabled.
        scene.exchange.grant(ANN)
        tool.answers("enable", ANN)
        scene.until_polled(ANN)
        scene.exchange.fault(mailbox=ANN, operation="FindItem", count=0, delay=1500,
                             code="ErrorNobodyHasHeardOf")
        until(lambda: disabled_while_it_runs(tool), "it is disabled while a cycle runs", pause=0.3)
        scene.until_left_alone(ANN, BEN)
        scene.until_no_alert()
        until(lambda: not scene.ledger.unresolved(ANN), "nothing stands")
        scene.exchange.clear_faults()
        tool.answers("enable", ANN)
        scene.until_polled(ANN)
        scene.check_history()


@case("a kill at any moment leaves a mailbox disabled with nothing open, or enabled")
def _():
    random = chance("disable and kill")
    with AlertScene([ANN, BEN], profile={"probe_intervals": "1s"}) as scene:
        tool = Exsyncctl(scene)
        scene.exchange.revoke(ANN)
        scene.daemon.start()
        for number in range(KILLS):
            until(scene.open_alerts, "an alert is open")
            scene.daemon.until_started()
            process = tool.start("disable", ANN)
            time.sleep(random.uniform(0, 0.1))
            scene.daemon.kill()
            acknowledged = process.wait() == 0
            process.communicate()
            scene.daemon.start()
            scene.daemon.until_started()
            off = scene.ledger.value("SELECT count(*) FROM switched_off") > 0
            check(off or not acknowledged, f"{number}: what was said is forgotten")
            if off:
                scene.until_no_alert()
                scene.until_left_alone(ANN, BEN)
                check_equal(scene.open_alerts(), [], "alerts of what is disabled")
                tool.answers("enable", ANN)


@case("what the configuration does not have cannot be enabled, and the sentence says where to look")
def _():
    with Scene({ANN: {}, BEN: {"incoming": "no", "outgoing": "yes"}}) as scene:
        tool = Exsyncctl(scene)
        scene.daemon.start()
        scene.daemon.until_started()
        tool.fails(EX_CONFIG, "enable", ANN, "--outgoing",
                   saying=[ANN, "outgoing = no", f"[mailbox {ANN}]", "[mailbox-defaults]",
                           str(scene.daemon.configuration), "reload"])
        tool.fails(EX_CONFIG, "enable", BEN, "--incoming", saying="incoming = no")
        tool.fails(EX_CONFIG, "enable", BEN, "--incoming", "--outgoing", saying="incoming = no")
        tool.fails(EX_NOUSER, "enable", "nobody@example.com", saying="nobody@example.com")
        tool.fails(EX_NOUSER, "disable", "nobody@example.com", saying="mailbox list")
        check_equal(switched(tool.answers("enable", BEN))["directions"], ["outgoing"], "enabled")
        answer = switched(tool.answers("disable", ANN.upper(), "--outgoing"))
        check_equal((answer["directions"], answer["off"], answer["changed"], answer["user"]),
                    (["outgoing"], ["outgoing"], True, os.getuid()), "disabled")
        out = tool.output("disable", ANN, "--outgoing")
        check(out.startswith(f"{ANN}: disabled already, outgoing, since 20") and
              f"(uid {os.getuid()}); nothing has changed\n" in out and
              "The configuration has outgoing = no for it" in out, out)
        scene.mailboxes[ANN] = {"outgoing": "yes"}
        scene.reload()
        check_equal(switched(tool.answers("enable", ANN, "--outgoing"))["enabled"], True, "enabled")
        before = scene.daemon.log_lines(ANN, "administrator (uid")
        check_equal(tool.output("enable", ANN),
                    f"{ANN}: enabled already, incoming and outgoing; nothing has changed\n", "said")
        check_equal(scene.daemon.log_lines(ANN, "administrator (uid"), before, "what the log says")
        check_equal(tool.output("disable", BEN), f"{BEN}: disabled, incoming and outgoing\n", "said")


@case("mail that is submitted while outgoing is disabled waits, and is sent once when it is enabled")
def _():
    with SendingScene() as scene:
        tool = Exsyncctl(scene)
        scene.start()
        scene.daemon.until_started()
        tool.answers("disable", ANN, "--outgoing")
        scene.submit(mail("one"), mail("two"))
        until(lambda: len(scene.outbox.queue()) == 2, "they are in the queue")
        restart(scene)
        scene.daemon.until_logged(f"of {ANN}", "queued so far and cannot be sent", "disabled outgoing",
                                  f"exsyncctl enable {ANN} --outgoing lets it send again. What has")
        scene.submit(mail("three"))
        until(lambda: len(scene.outbox.queue()) == 3, "they are in the queue")
        scene.reload()
        check_equal(scene.inbox(BEN), [], "received")
        tool.answers("enable", ANN)
        scene.until_received(BEN, 3)
        scene.until_settled()
        scene.check_each_once(BEN, ["one", "two", "three"])
        scene.daemon.until_logged(ANN, "the queued messages go on")


@case("a mailbox that is renamed stays disabled, in every order of renaming, switching and reloading")
def _():
    with Scene([ANN, BEN, CARLA]) as scene:
        tool = Exsyncctl(scene)
        scene.mailboxes = {ANN: {}, CARLA: {}}
        scene.write_configuration()
        scene.daemon.start()
        scene.until_polled(ANN, CARLA)
        tool.answers("disable", ANN)
        scene.mailboxes = {BEN: {"renamed_from": ANN}, CARLA: {}}
        scene.reload()
        scene.exchange.add(BEN, message("for the new address"))
        scene.until_left_alone(BEN, CARLA)
        restart(scene)
        scene.until_left_alone(BEN, CARLA)
        tool.fails(EX_NOUSER, "enable", ANN)
        tool.answers("enable", BEN)
        scene.until_delivered(BEN, 1)
        tool.answers("disable", BEN)
        # It leaves the configuration and comes back.
        scene.mailboxes = {CARLA: {}}
        scene.reload()
        scene.mailboxes = {BEN: {"renamed_from": ANN}, CARLA: {}}
        scene.reload()
        scene.exchange.add(BEN, message("after it came back"))
        scene.until_left_alone(BEN, CARLA)
        check_equal(scene.maildir(BEN).count(), 1, "messages")
        tool.answers("enable", BEN)
        scene.until_delivered(BEN, 2)


@case("a mailbox is disabled and enabled while one reload follows the other")
def _():
    with Scene([ANN, BEN]) as scene:
        tool = Exsyncctl(scene)
        scene.daemon.start()
        scene.daemon.until_started()
        for number in range(6):
            scene.profile_keys["page_size"] = 10 + number  # another profile each time
            scene.write_configuration()
            scene.daemon.reload()
            check_equal(switched(tool.answers("disable", ANN))["enabled"], False, "enabled")
            scene.daemon.reload()
            scene.until_left_alone(ANN, BEN)
            scene.exchange.add(ANN, message(f"number {number}"))
            scene.daemon.reload()
            tool.answers("enable", ANN)
            tool.answers("reload")  # the next one is written when none reads
            scene.until_delivered(ANN, number + 1)


# --- pause and resume -----------------------------------------------------------------------------

@case("a profile that is paused starts no cycle, over a kill, reloads and a change of the profile")
def _():
    with Scene([ANN, BEN]) as scene:
        tool = Exsyncctl(scene)
        scene.daemon.start()
        scene.until_polled(ANN, BEN)
        answer = tool.answers("pause", PROFILE)[0]
        check_equal((answer["paused"], answer["changed"]), (True, True), "what is told")
        scene.daemon.until_logged(f"profile {PROFILE}", "paused", "uid")

        def idle():
            before = scene.exchange.counter("requests")
            time.sleep(2.5)
            return scene.exchange.counter("requests") == before
        until(idle, "no cycle runs")
        check("2 paused" in tool.output("status"), "the status does not say it")
        check_equal((tool.answers("profile", "show", PROFILE)[0]["paused"],
                     tool.answers("mailbox", "show", ANN)[0]["incoming"]["next_due"]), (True, None),
                    "how they are")
        scene.exchange.add(ANN, message("meanwhile"))
        restart(scene)
        check(idle(), "it synchronizes after a restart")
        scene.daemon.until_logged(f"profile {PROFILE} is paused")
        scene.profile_keys["page_size"] = 17
        scene.reload()
        check(idle(), "it synchronizes after a reload")
        for words in ([ANN], [ANN, "--wait"], ["--profile", PROFILE],
                      ["--profile", PROFILE, "--wait"]):
            tool.fails(EX_UNAVAILABLE, "sync", "now", *words,
                       saying=[f"the profile {PROFILE} is paused since 20",
                               f'exsyncctl resume "{PROFILE}"'])
        again = tool.answers("pause", PROFILE)[0]
        check_equal((again["changed"], again["since"]), (False, answer["since"]), "the second pause")
        out = tool.output("pause", PROFILE)
        check(out.startswith(f"{PROFILE}: paused already, since 20") and
              out.endswith("; nothing has changed\n"), out)
        check_equal(scene.maildir(ANN).count(), 0, "messages")
        check_equal(tool.output("resume", PROFILE), f"{PROFILE}: resumed\n", "said")
        scene.until_delivered(ANN, 1)
        scene.until_polled(ANN, BEN)
        check_equal(tool.output("resume", PROFILE), f"{PROFILE}: it was not paused; nothing has changed\n", "said")
        check_equal([len(scene.daemon.log_lines(f"profile {PROFILE}: an administrator", word))
                     for word in ("has paused", "has resumed")], [1, 1], "what the log says")


@case("cycles that run when their profile is paused end with what they have begun")
def _():
    with Scene([ANN], profile={"batch_size": 1}) as scene:
        tool = Exsyncctl(scene)
        for number in range(40):
            scene.exchange.add(ANN, message(f"number {number}"))
        scene.exchange.control("limits", latency=100)
        scene.daemon.start()
        scene.until_delivered(ANN, 2)
        check(tool.answers("pause", PROFILE)[0]["running"], "no cycle ran")
        until(lambda: not scene.maildir(ANN).unfinished(), "nothing is under way")
        time.sleep(1)
        count = scene.maildir(ANN).count()
        check(count < 40, "the cycle went on")
        time.sleep(1)
        check_equal(scene.maildir(ANN).count(), count, "messages while it is paused")
        scene.exchange.control("limits", latency=0)
        tool.answers("resume", PROFILE)
        scene.until_delivered(ANN, 40)
        scene.check_delivered(ANN)


@case("only what there is can be paused, and what has left the configuration can be resumed")
def _():
    with Scene([ANN]) as scene:
        tool = Exsyncctl(scene)
        scene.daemon.start()
        scene.daemon.until_started()
        tool.fails(EX_NOUSER, "pause", "Nobody", saying=["Nobody", "profile list"])
        tool.fails(EX_NOUSER, "pause", PROFILE.lower(), saying=f'did you mean "{PROFILE}"?')
        tool.fails(EX_NOUSER, "resume", "Nobody", saying="Nobody")
        tool.answers("pause", PROFILE)
        text = scene.daemon.configuration.read_text().replace(PROFILE, "Fabrikam")
        scene.daemon.configuration.write_text(text)
        tool.answers("reload")
        scene.until_polled(ANN)
        check_equal(tool.answers("resume", PROFILE)[0]["changed"], True, "changed")
        tool.fails(EX_NOUSER, "resume", PROFILE, saying=PROFILE)


@case("what two administrators switch at the same time is told and logged of both")
def _():
    with Scene([ANN]) as scene:
        tool = Exsyncctl(scene)
        scene.daemon.start()
        scene.daemon.until_started()
        for before, behind, what in (("pause", "resume", {"profile": PROFILE}),
                                     ("disable", "enable", {"address": ANN})):
            with tool.connect() as line:
                line.send(*[{"id": number, "command": command, **what}
                            for number, command in enumerate([before, behind, behind])])
                answers = [line.next() for _ in range(6)]
            told = {answer["id"]: answer["changed"] for answer in answers if not answer.get("end")}
            check_equal(told, {0: True, 1: True, 2: False}, f"what has changed by {before} and {behind}")
        for whom, words in ((f"profile {PROFILE}", ("has paused", "has resumed")),
                            (ANN, ("has disabled", "has enabled"))):
            for word in words:  # the log is written behind the answer
                scene.daemon.until_logged(f"{whom}: an administrator", word)
                check_equal(len(scene.daemon.log_lines(f"{whom}: an administrator", word)), 1,
                            f"how often the log says of {whom} who {word}")


# --- redeliver ------------------------------------------------------------------------------------

def with_old_and_new(scene):
    """Three messages of last week and two of today, delivered."""
    for number in range(3):
        scene.exchange.add(ANN, message(f"old {number}"), received="2026-01-05T10:00:00Z")
    for number in range(2):
        scene.exchange.add(ANN, message(f"new {number}"))
    scene.daemon.start()
    scene.until_delivered(ANN, 5)
    scene.until_polled(ANN)


@case("what was received since then is delivered again, and is counted first")
def _():
    with Scene([ANN, BEN]) as scene:
        tool = Exsyncctl(scene)
        with_old_and_new(scene)
        scene.exchange.add(BEN, message("of another"))
        scene.until_delivered(BEN, 1)
        before = scene.maildir(ANN).files()
        dry = tool.answers("redeliver", ANN, "--since", "1h", "--dry-run")
        check_equal([(answer["kind"], answer["messages"], answer["dry_run"]) for answer in dry],
                    [("redelivery", 2, True)], "a dry run")
        moved = ("redeliver", ANN, "--since", "1999-06-01T00:00:00Z", "--dry-run")
        answer = tool.answers(*moved)[0]
        check_equal((answer["asked_for"], answer["since"]),
                    ("1999-06-01T00:00:00Z", "2000-01-01T00:00:00Z"), "from when on")
        out = tool.output(*moved)
        check("takes no mail from before 2000-01-01" in out and "not 1999-0" in out, out)
        check("takes no mail" not in tool.output("redeliver", ANN, "--since", "1h", "--dry-run"),
              "it says so where nothing was moved")
        scene.until_polled(ANN)
        check_equal(scene.maildir(ANN).files(), before, "files after a dry run")
        answers = tool.answers("redeliver", ANN, "--since", "1h")
        check_equal([(answer["kind"], answer["messages"]) for answer in answers],
                    [("redelivery", 2), ("forgotten", 2)], "answers")
        scene.until_delivered(ANN, 7)
        scene.until_polled(ANN)
        check_equal(received(scene, ANN), ["new 0"] * 2 + ["new 1"] * 2 + ["old 0", "old 1", "old 2"],
                    "what is there")
        check(set(before) <= set(scene.maildir(ANN).files()), "what was there has gone")
        tool.answers("redeliver", ANN, "--since", "2026-01-05T10:00:00Z")
        scene.until_delivered(ANN, 12)
        scene.until_polled(ANN)
        check_equal((scene.maildir(ANN).count(), scene.maildir(BEN).count()), (12, 1), "messages")
        scene.daemon.until_logged(ANN, "uid", "5 messages")


@case("a kill in the middle of a redelivery loses nothing and delivers nothing a third time")
def _():
    random = chance("redeliver and kill")
    with Scene([ANN], profile={"batch_size": 5}) as scene:
        tool = Exsyncctl(scene)
        count = 60
        for number in range(count):
            scene.exchange.add(ANN, message(f"number {number}"))
        scene.daemon.start()
        scene.until_delivered(ANN, count)
        for number in range(1, KILLS + 1):
            scene.daemon.until_started()
            process = tool.start("redeliver", ANN, "--since", "1d")
            time.sleep(random.uniform(0, 0.3))
            scene.daemon.kill()
            process.wait()
            process.communicate()
            scene.daemon.start()
            scene.until_polled(ANN)
            known = scene.ledger.value("SELECT count(*) FROM ledger WHERE state = 2")
            until(lambda: scene.ledger.value("SELECT count(*) FROM ledger WHERE state = 2") == count,
                  f"all are delivered (they were {known})")
            scene.until_polled(ANN)
            times = {subject: received(scene, ANN).count(subject) for subject in received(scene, ANN)}
            check_equal(len(times), count, "subjects")
            check(max(times.values()) <= number + 1, f"one was delivered {max(times.values())} times "
                  f"after {number} redeliveries")


@case("a redelivery while a long cycle runs waits for it, and takes all")
def _():
    with Scene([ANN], profile={"batch_size": 1}) as scene:
        tool = Exsyncctl(scene)
        for number in range(30):
            scene.exchange.add(ANN, message(f"number {number}"))
        scene.exchange.control("limits", latency=30)
        scene.daemon.start()
        scene.until_delivered(ANN, 10)
        messages = tool.answers("redeliver", ANN, "--since", "1h")[-1]["messages"]
        check(10 <= messages < 30, f"{messages} messages")
        scene.exchange.control("limits", latency=0)
        scene.until_delivered(ANN, 30 + messages)
        scene.until_polled(ANN)
        check_equal(scene.maildir(ANN).count(), 30 + messages, "messages")
        check_equal(len(set(received(scene, ANN))), 30, "subjects")


@case("two redeliveries at once deliver once more, and the mailbox goes on")
def _():
    with Scene([ANN]) as scene:
        tool = Exsyncctl(scene)
        with_old_and_new(scene)
        with tool.connect() as line:
            line.send(*({"id": number, "command": "redeliver", "address": ANN,
                         "since": "2026-01-01T00:00:00Z"} for number in (1, 2)))
            ended, forgotten = set(), []
            while len(ended) < 2:
                answer = line.next()
                if answer.get("kind") == "forgotten":
                    forgotten.append(answer["messages"])
                if answer.get("end"):
                    code = answer.get("error", {"code": None})["code"]
                    check(code in (None, "Redelivering"), f"{answer}")
                    ended.add(answer["id"])
            check_equal(forgotten, [5], "what was told that it was forgotten")
        scene.until_delivered(ANN, 10)
        check_alive(scene, tool)
        scene.until_polled(ANN)
        check_equal(scene.maildir(ANN).count(), 11, "messages")


@case("a redelivery says what stands in its way")
def _():
    with Scene({ANN: {}, BEN: {"incoming": "no", "outgoing": "yes"}}) as scene:
        tool = Exsyncctl(scene)
        with_old_and_new(scene)
        tool.fails(EX_USAGE, "redeliver", ANN, saying="--since")
        tool.fails(EX_USAGE, "redeliver", ANN, "--since", "soon", saying="soon")
        tool.fails(EX_USAGE, "redeliver", ANN, "--since", "2999-01-01", saying="future")
        tool.fails(EX_NOUSER, "redeliver", "nobody@example.com", "--since", "1h", saying="nobody@")
        tool.fails(EX_CONFIG, "redeliver", BEN, "--since", "1h", saying="incoming = no")
        check_equal(tool.answers("redeliver", ANN, "--since", "0s")[0]["messages"], 0, "messages")
        tool.answers("disable", ANN)
        said = tool.output("redeliver", ANN, "--since", "1h")
        check("2 messages" in said and "disabled" in said, said)
        time.sleep(1)
        check_equal(scene.maildir(ANN).count(), 5, "messages while it is disabled")
        tool.answers("enable", ANN)
        scene.until_delivered(ANN, 7)


main()
