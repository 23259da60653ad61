#!/usr/bin/python3
"""What Exchange refuses: impersonation, the account. Who is refused waits, and resumes by itself."""

import time

from exsyncctl import Exsyncctl
from harness import CORPUS, LONG, add_case, case, check, check_equal, main, until
from mail import message
from scene import ACCOUNT, ANN, BEN, CARLA, PASSWORD, PROFILE, Scene

MESSAGES = len(list(CORPUS.glob("*.eml")))
EVERYBODY = (ANN, BEN, CARLA)


def signed_in(scene):
    """The lines that tell of a sign-in."""
    return scene.daemon.log_lines(f"profile {PROFILE}: signed in to {scene.exchange.url} as {ACCOUNT}")


def load(*addresses):
    return [word for address in addresses for word in ("--load", f"{address}:Inbox:{CORPUS}")]


@case("denied impersonation stops only that mailbox, and it resumes by itself after the grant")
def _():
    with Scene(EVERYBODY, load(*EVERYBODY), impersonation=f"all,-{CARLA}") as scene:
        scene.daemon.start()
        for address in (ANN, BEN):
            scene.until_delivered(address, MESSAGES)
        line = scene.daemon.until_logged(f"{CARLA}: incoming failed", "ErrorImpersonateUserDenied")
        check("FindItem" in line and "ApplicationImpersonation" in line and "Next try" in line,
              f"the line lacks the step, the remedy or the next try: {line!r}")
        row = until(lambda: scene.ledger.unresolved(CARLA), "the failure is recorded")[0]
        check_equal((row["scope"], row["category"], row["permanent"], row["step"]),
                    ("mailbox", "impersonation", 1, "FindItem"), "the failure")
        count = row["count"]
        until(lambda: scene.ledger.unresolved(CARLA)[0]["count"] > count, "it is tried again")
        check_equal(len(scene.daemon.log_lines(f"{CARLA}: incoming failed")), 1,
                    "lines about one refusal that lasts")
        scene.exchange.add(ANN, message("meanwhile"))
        scene.until_delivered(ANN, MESSAGES + 1)
        check_equal(scene.maildir(CARLA).count(), 0, "messages of the refused mailbox")
        scene.exchange.grant(CARLA)
        scene.until_delivered(CARLA, MESSAGES)
        scene.daemon.until_logged(f"{CARLA}: incoming works again")
        until(lambda: not scene.ledger.unresolved(), "no failure is left")
        for address in EVERYBODY:
            scene.check_delivered(address)


@case("a permission that is taken away in the middle of the work loses nothing")
def _():
    with Scene([ANN, BEN], load(ANN, BEN) + ["--latency", "15"],
               profile={"batch_size": 2}) as scene:
        scene.daemon.start()
        for count in (5, 20):
            scene.until_delivered(ANN, count)
            scene.exchange.revoke(ANN)
            until(lambda: scene.ledger.unresolved(ANN), "the refusal is recorded")
            scene.exchange.grant(ANN)
        for address in (ANN, BEN):
            scene.until_delivered(address, MESSAGES)
            scene.check_delivered(address)
        until(lambda: not scene.ledger.unresolved(), "no failure is left")


@case("a mailbox that does not exist stops alone")
def _():
    with Scene([ANN], load(ANN)) as scene:
        scene.mailboxes = {ANN: {}, "nobody@example.com": {}}
        scene.write_configuration()
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        line = scene.daemon.until_logged("nobody@example.com: incoming failed")
        check("ErrorNonExistentMailbox" in line, f"the cause is not named: {line!r}")
        scene.exchange.control("add-mailbox", address="nobody@example.com")
        scene.exchange.add("nobody@example.com", message("the first"))
        scene.until_delivered("nobody@example.com", 1)


def profile_trouble(scene):
    trouble = Exsyncctl(scene).answers("profile", "show", PROFILE)[0]["trouble"]
    check(trouble["remedy"].startswith("Check the account and the password of the profile: wrong, expired, "
                                       "locked, or not allowed"), trouble["remedy"])
    return trouble["code"], trouble["step"], trouble["permanent"]


@case("a reload or a restart without a new password tries no refused account again")
def _():
    everybody = [f"user{number}@example.com" for number in range(12)]
    with Scene(everybody) as scene:
        def refused(tries, what):
            time.sleep(1)  # longer than a sign-in would take
            check_equal(scene.exchange.counter("unauthorized"), tries, f"refused sign-ins after {what}")

        def tried_now(tries):
            scene.daemon.try_now()
            until(lambda: scene.exchange.counter("unauthorized") == tries, "it is tried at once")
            until(lambda: scene.ledger.value("SELECT refused FROM sign_in") == tries,
                  "the refusal is remembered")
            refused(tries, "the administrator's word")

        scene.write_password("wrong-password")
        scene.daemon.start()
        scene.daemon.until_logged("all its mailboxes wait")
        refused(1, "the start")
        for _ in range(2):
            scene.reload()
        scene.profile_keys["max_connections"] = 3  # a profile of its own, with the same password
        scene.reload()
        refused(1, "three reloads")
        scene.daemon.stop()
        scene.daemon.start().until_started()
        scene.daemon.until_logged("has refused its account 1 time,")
        check_equal(profile_trouble(scene), ("HTTP 401", "sign-in", False), "the trouble after one refusal")
        tried_now(2)
        for start in ("stop", "kill"):
            getattr(scene.daemon, start)()
            scene.daemon.start().until_started()
            scene.daemon.until_logged("has refused its account 2 times")
            check_equal(profile_trouble(scene), ("HTTP 401", "sign-in", True), "the trouble after two")
            refused(2, f"{start} and start")
        scene.reload()
        tried_now(3)
        scene.write_password("another-wrong-password")
        scene.reload()
        until(lambda: scene.exchange.counter("unauthorized") == 4, "a new password is tried at once")
        scene.write_password(PASSWORD)
        scene.reload()
        scene.until_polled(*everybody)
        check_equal(scene.exchange.counter("unauthorized"), 4, "refused sign-ins in the end")
        until(lambda: scene.ledger.value("SELECT count(*) FROM sign_in") == 0, "all is forgotten")
        scene.daemon.stop()
        scene.daemon.start()
        scene.until_polled(*everybody)


@case("ten requests under way when the password becomes wrong cost ten sign-ins at most")
def _():
    everybody = [f"user{number}@example.com" for number in range(30)]
    with Scene(everybody, ["--latency", "150"], profile={"max_connections": 10}) as scene:
        scene.daemon.start()
        scene.until_polled(*everybody)
        scene.exchange.control("account", name=ACCOUNT, password="new-password")
        scene.daemon.until_logged(f"profile {PROFILE}: all its mailboxes wait")
        for _ in range(2):
            scene.reload()
        scene.daemon.stop()
        scene.daemon.start()
        scene.daemon.until_logged("has refused its account 1 time,")
        time.sleep(1)
        cost = scene.exchange.counter("unauthorized")
        check(1 <= cost <= 10, f"it cost {cost} sign-ins")
        check_equal(scene.ledger.value("SELECT refused FROM sign_in"), 1, "tries that are remembered")
        if LONG:
            until(lambda: scene.exchange.counter("unauthorized") == cost + 1,
                  "it is tried once more after a minute", 90)
        scene.change_password("another-password")
        scene.until_polled(*everybody)


@case("what has stopped is probed, and the cycle that was missed follows a probe that passes")
def _():
    with Scene([ANN, CARLA], load(ANN, CARLA), impersonation=f"all,-{CARLA}",
               profile={"probe_intervals": "1s, 1h"}) as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        scene.daemon.until_logged(f"{CARLA}: incoming failed")
        until(lambda: scene.ledger.unresolved(CARLA)[0]["count"] == 2, "it is probed")
        check_equal(scene.exchange.counter("requests.GetFolder"), 1, "probes")
        check_equal(scene.exchange.counter(f"mailbox_requests.{CARLA}"), 2, "requests for the mailbox")
        check_equal(len(scene.ledger.unresolved(CARLA)), 1, "failures of the mailbox")
        scene.daemon.try_now()
        until(lambda: scene.ledger.unresolved(CARLA)[0]["count"] == 3, "it is probed at once")
        scene.exchange.grant(CARLA)
        scene.daemon.try_now()
        scene.until_delivered(CARLA, MESSAGES)
        scene.daemon.until_logged(f"{CARLA}: incoming works again after 3 failed tries")
        check_equal(scene.exchange.counter("requests.GetFolder"), 3, "probes in the end")
        until(lambda: not scene.ledger.unresolved(), "no failure is left")
        scene.check_delivered(CARLA)


@case("an answer that nobody knows passes by itself, or stays when it comes too often")
def _():
    with Scene([ANN, BEN], load(ANN, BEN)) as scene:
        scene.exchange.fault(mailbox=BEN, code="ErrorNobodyHasHeardOf", count=0)
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        row = until(lambda: scene.ledger.unresolved(BEN), "the failure is recorded")[0]
        check_equal((row["code"], row["permanent"]), ("ErrorNobodyHasHeardOf", 0), "the failure")
        scene.profile_keys["transient_attempts"] = 4
        scene.reload()
        scene.daemon.until_logged(f"{BEN}: incoming failed", "ErrorNobodyHasHeardOf",
                                  "treated like one that stays")
        until(lambda: scene.ledger.unresolved(BEN)[0]["permanent"] == 1, "it is taken for one that stays")
        scene.exchange.clear_faults()
        scene.until_delivered(BEN, MESSAGES)
        until(lambda: not scene.ledger.unresolved(), "no failure is left")


@case("a wrong password costs one sign-in a try, never one a mailbox, and a reload mends it")
def _():
    everybody = [f"user{number}@example.com" for number in range(12)]
    with Scene(everybody) as scene:
        for address in everybody:
            scene.exchange.add(address, message())
        scene.write_password("wrong-password")
        scene.daemon.start()
        line = scene.daemon.until_logged(f"profile {PROFILE}: all its mailboxes wait")
        check("credentials" in line and "Next try" in line, f"it says {line!r}")

        until(lambda: scene.ledger.unresolved(), "the failure is recorded")
        check_equal(scene.exchange.counter("unauthorized"), 1, "refused sign-ins of 12 mailboxes")
        tries = 2 if LONG else 1
        # A second try after a minute, in case a domain controller was in trouble; then once an hour.
        until(lambda: scene.ledger.unresolved()[0]["count"] == tries, "it is tried again", 90)
        check_equal(scene.exchange.counter("unauthorized"), tries, "refused sign-ins")
        check_equal(scene.ledger.value("SELECT count(*) FROM failure WHERE mailbox IS NOT NULL"), 0,
                    "failures of mailboxes")
        check_equal(signed_in(scene), [], "sign-ins that are told of while all are refused")
        check(PASSWORD not in scene.daemon.log() and "wrong-password" not in scene.daemon.log(),
              "a password is in the log")
        scene.write_password(PASSWORD)
        scene.reload()
        for address in everybody:
            scene.until_delivered(address, 1)
        check_equal(scene.exchange.counter("unauthorized"), tries, "refused sign-ins in the end")
        check_equal(len(signed_in(scene)), 1, "lines that tell of the sign-in")
        until(lambda: not scene.ledger.unresolved(), "no failure is left")


@case("a password that changes in Exchange stops the profile once and goes on after a reload")
def _():
    with Scene(EVERYBODY, load(*EVERYBODY), profile={"retry_max": "1h"}) as scene:
        scene.daemon.start()
        for address in EVERYBODY:
            scene.until_delivered(address, MESSAGES)
        scene.exchange.control("account", name=ACCOUNT, password="new-password")
        scene.daemon.until_logged(f"profile {PROFILE}: all its mailboxes wait")
        scene.exchange.add(ANN, message("meanwhile"))
        until(lambda: scene.ledger.unresolved(), "the failure is recorded")
        check_equal(len(signed_in(scene)), 1, "lines that tell of the sign-in at the start")
        scene.change_password("new-password")
        scene.until_delivered(ANN, MESSAGES + 1)
        until(lambda: len(signed_in(scene)) == 2, "the recovery is told")
        until(lambda: not scene.ledger.unresolved(), "no failure is left")
        check(scene.exchange.counter("unauthorized") <= len(EVERYBODY),
              "more sign-ins were refused than requests were under way")


@case("a new password that is wrong is known at the reload, not at the next poll")
def _():
    with Scene([ANN, BEN], load(ANN, BEN), profile={"poll_interval": "1h"}) as scene:
        scene.daemon.start()
        for address in (ANN, BEN):
            scene.until_delivered(address, MESSAGES)
        scene.write_password("wrong-password")
        scene.reload()
        scene.daemon.until_logged(f"profile {PROFILE}: all its mailboxes wait")
        check_equal(scene.exchange.counter("unauthorized"), 1, "refused sign-ins")


def one_401(new_password):
    with Scene([ANN, BEN], load(ANN, BEN)) as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        scene.exchange.fault(http=401, header='WWW-Authenticate: Basic realm="x"', count=1)
        scene.daemon.until_logged(f"profile {PROFILE}: all its mailboxes wait")
        for address in (ANN, BEN):
            scene.exchange.add(address, message("after it"))
        if new_password:
            scene.change_password("another-password")
        for address in (ANN, BEN):
            scene.until_delivered(address, MESSAGES + 1, 90)
        until(lambda: not scene.ledger.unresolved(), "no failure is left")


add_case("after a 401 a new password is tried at once", one_401, True)
if LONG:
    add_case("one 401 on an account that works is tried again after a minute", one_401, False)


@case("one connection signs in before the others at the start")
def _():
    everybody = [f"user{number}@example.com" for number in range(8)]
    with Scene(everybody, ["--latency", "200"]) as scene:
        scene.exchange.fault(http=401, header='WWW-Authenticate: Basic realm="x"', count=0)
        scene.daemon.start()
        scene.daemon.until_logged(f"profile {PROFILE}: all its mailboxes wait")
        check_equal(scene.exchange.counter("concurrency.peak"), 1, "requests at a time")
        scene.exchange.clear_faults()
        scene.change_password("another-password")
        scene.until_polled(*everybody, times=1)


@case("without impersonation the account's own mailbox is synchronized")
def _():
    options = ["--account-mailbox", f"svc-sync:{ANN}", *load(ANN)]
    with Scene([ANN], options, profile={"impersonation": "no"}, impersonation="none") as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        scene.check_delivered(ANN)


main()
