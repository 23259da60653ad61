#!/usr/bin/python3
"""SIGHUP: the configuration is read again while mail goes on."""

import time

from exsyncctl import started
from harness import CORPUS, LONG, case, chance, check, check_equal, main, until
from mail import message
from scene import ANN, BEN, CARLA, Scene

MESSAGES = len(list(CORPUS.glob("*.eml")))


def load(*addresses):
    return [word for address in addresses for word in ("--load", f"{address}:Inbox:{CORPUS}")]


def configure(scene, mailboxes):
    """Other mailboxes; the simulator has them all."""
    scene.mailboxes = mailboxes
    scene.reload()


@case("a mailbox that is added is delivered, one that is removed is left alone, the others go on")
def _():
    with Scene([ANN, BEN, CARLA], load(ANN, BEN, CARLA)) as scene:
        scene.mailboxes = {ANN: {}, BEN: {}}
        scene.write_configuration()
        scene.daemon.start()
        for address in (ANN, BEN):
            scene.until_delivered(address, MESSAGES)
        check_equal(scene.maildir(CARLA).count(), 0, "messages of a mailbox that is not configured")
        configure(scene, {ANN: {}, CARLA: {}})
        scene.until_delivered(CARLA, MESSAGES)
        for address in (ANN, BEN):
            scene.exchange.add(address, message("after the reload"))
        scene.until_delivered(ANN, MESSAGES + 1)
        requests = scene.exchange.counter(f"mailbox_requests.{BEN}")
        scene.until_polled(ANN, CARLA)
        check_equal(scene.exchange.counter(f"mailbox_requests.{BEN}"), requests,
                    "requests for the removed mailbox")
        check_equal(scene.maildir(BEN).count(), MESSAGES, "messages of the removed mailbox")
        configure(scene, {ANN: {}, BEN: {}, CARLA: {}})
        scene.until_delivered(BEN, MESSAGES + 1)
        scene.until_polled(BEN)
        for address in (ANN, BEN, CARLA):
            scene.check_delivered(address)


@case("a mailbox that is renamed keeps its state: nothing is delivered again, nothing is missed")
def _():
    old, new = "ann@example.com", "ann.miller@example.com"
    profile = {"connecting_sid": "upn"}
    with Scene([old], load(old), profile=profile) as scene:
        # Exchange knows the mailbox by the same name as before; the simulator has no other.
        scene.ignored_counters = ("anchor_mismatches",)
        maildir = scene.maildir("ann")
        maildir.path.mkdir()
        scene.default_keys["deliver"] = f"maildir:{maildir.path}"
        scene.write_configuration()
        scene.daemon.start()
        until(lambda: maildir.count() == MESSAGES, "all is delivered under the old address")
        number = scene.ledger.number(old)
        configure(scene, {new: {"renamed_from": old, "identity": old}})
        scene.until_polled(old, times=3)
        check_equal(scene.ledger.number(new), number, "number of the renamed mailbox")
        check_equal(maildir.count(), MESSAGES, "messages after the renaming")
        scene.exchange.add(old, message("to the new address"))
        until(lambda: maildir.count() == MESSAGES + 1, "new mail is delivered")
        scene.daemon.stop()
        scene.daemon.start()
        scene.until_polled(old)
        check_equal(maildir.count(), MESSAGES + 1, "messages after a restart")
        check_equal(scene.ledger.value("SELECT count(*) FROM mailbox"), 1, "mailboxes with state")


@case("a wrong configuration is refused with every mistake, and the old one goes on")
def _():
    with Scene([ANN], load(ANN)) as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        good = scene.daemon.configuration.read_text(encoding="utf-8")
        scene.daemon.configuration.write_text(
            good.replace("poll_interval = 1s", "poll_interval = soon") + "\n[mailbox]\n",
            encoding="utf-8")
        scene.daemon.reload()
        scene.daemon.until_logged("the configuration has mistakes; the one in use stays")
        check(scene.daemon.log_lines("poll_interval", "soon"), "the first mistake is not logged")
        check(scene.daemon.log_lines("[mailbox]"), "the second mistake is not logged")
        scene.exchange.add(ANN, message("all the same"))
        scene.until_delivered(ANN, MESSAGES + 1)
        scene.daemon.configuration.write_text(good, encoding="utf-8")
        scene.reload()
        scene.exchange.add(ANN, message("and on"))
        scene.until_delivered(ANN, MESSAGES + 2)


@case("an unreadable configuration is refused, and the old one goes on")
def _():
    with Scene([ANN], load(ANN)) as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        scene.daemon.configuration.rename(scene.folder / "away")
        scene.daemon.reload()
        scene.daemon.until_logged("the one in use stays")
        scene.exchange.add(ANN, message("all the same"))
        scene.until_delivered(ANN, MESSAGES + 1)


@case("reloads in the middle of deliveries lose and double nothing")
def _():
    everybody = [ANN, BEN, CARLA]
    with Scene(everybody, load(*everybody) + ["--latency", "15"],
               profile={"batch_size": 3}) as scene:
        scene.daemon.start()
        scene.daemon.until_started()
        choices = ({ANN: {}, BEN: {}, CARLA: {}}, {ANN: {}, CARLA: {}}, {BEN: {}},
                   {ANN: {"folders": "Inbox, Sent Items"}, BEN: {}, CARLA: {}})
        for round_number in range(12):
            scene.profile_keys["max_connections"] = 2 + round_number % 3
            scene.profile_keys["batch_size"] = 1 + round_number % 7
            configure(scene, choices[round_number % len(choices)])
        scene.profile_keys["max_connections"] = 4
        configure(scene, {address: {} for address in everybody})
        for address in everybody:
            scene.until_delivered(address, MESSAGES)
        scene.until_polled(*everybody)
        for address in everybody:
            scene.check_delivered(address)


@case("many signals at once leave one configuration in use and the daemon running")
def _():
    with Scene([ANN, BEN], load(ANN, BEN)) as scene:
        scene.daemon.start()
        scene.daemon.until_started()
        for _ in range(200):
            scene.daemon.reload()
        scene.until_delivered(ANN, MESSAGES)
        scene.mailboxes = {BEN: {}}
        scene.reload()
        scene.until_delivered(BEN, MESSAGES)
        scene.until_polled(BEN)


@case("another Maildir gets what is new; what was delivered stays where it is")
def _():
    with Scene([ANN], load(ANN)) as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        scene.maildir("other").path.mkdir()
        scene.default_keys["deliver"] = f"maildir:{scene.folder}/mail/other"
        scene.reload()
        scene.exchange.add(ANN, message("to the other Maildir"))
        until(lambda: scene.maildir("other").count() == 1, "the other Maildir has the new message")
        scene.until_polled(ANN)
        check_equal((scene.maildir(ANN).count(), scene.maildir("other").count()), (MESSAGES, 1),
                    "messages in both")


@case("incoming = no stops a mailbox, incoming = yes goes on where it was")
def _():
    with Scene([ANN, BEN], load(ANN, BEN)) as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        configure(scene, {ANN: {"incoming": "no"}, BEN: {}})
        scene.until_left_alone(ANN, while_polled=BEN)
        scene.exchange.add(ANN, message("meanwhile"))
        scene.until_polled(BEN, times=3)
        check_equal(scene.maildir(ANN).count(), MESSAGES, "messages of the stopped mailbox")
        configure(scene, {ANN: {}, BEN: {}})
        scene.until_delivered(ANN, MESSAGES + 1)
        scene.check_delivered(ANN)


@case("the level of the log changes with the configuration")
def _():
    with Scene([ANN], load(ANN), daemon={"log_level": "warning"}) as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        check_equal(scene.daemon.log_lines(" delivered ("), [], "messages of priority info")
        scene.daemon_keys["log_level"] = "info"
        scene.reload()
        scene.exchange.add(ANN, message())
        scene.daemon.until_logged(f"{ANN}: 1 delivered (")


@case("one mailbox on one profile is told of as one")
def _():
    with Scene([ANN], profile={"poll_interval": "10m"}, daemon={"summary_interval": "1s"}) as scene:
        scene.daemon.start()
        scene.daemon.until_logged(" started: 1 mailbox on 1 profile")
        scene.reload()
        scene.daemon.until_logged("configuration reloaded: 1 mailbox on 1 profile")
        scene.daemon.until_logged("in the last ", "; 1 mailbox, ")
        check_equal(scene.daemon.log_lines_with(["1 mailboxes", "1 profiles", " 1 cycles"]), [],
                    "lines that tell of one as of many")


MANY = [f"user{number:04}@example.com" for number in range(2000)]


@case("a stop in the middle of a reload of many mailboxes is in order, whatever is half changed")
def _():
    random = chance("stop and reload")
    with Scene(MANY, profile={"poll_interval": "10m"}, daemon={"summary_interval": "1s"}) as scene:
        scene.ignored_counters = ("anchor_missing",)
        rounds = 60 if LONG else 20
        for round_number in range(rounds):
            scene.mailboxes = {address: {} for address in MANY}
            scene.write_configuration()
            scene.daemon.start()
            until(lambda: len(scene.daemon.log_lines(" started: ")) > round_number,
                  "the daemon has started")
            # Some go, some stay, and what they have in common changes, so that all change over.
            scene.mailboxes = {address: {} for address in random.sample(MANY, 1500)}
            scene.profile_keys["max_connections"] = 2 + round_number % 5
            scene.write_configuration()
            for _ in range(1 + round_number % 3):
                scene.daemon.reload()
            # From at once to after the reload: reading it takes longer than changing over.
            time.sleep(random.uniform(0, 0.3))
            scene.daemon.stop()
        scene.profile_keys["max_connections"] = 10
        scene.mailboxes = {address: {} for address in MANY}
        scene.write_configuration()
        scene.daemon.start()
        until(lambda: len(scene.daemon.log_lines(" started: ")) > rounds, "it has started again")
        check_equal(scene.ledger.value("SELECT count(*) FROM mailbox"), len(MANY), "mailboxes")


@case("a new password is tried at once, also when the profile's first mailbox only sends")
def _():
    mailboxes = {ANN: {"incoming": "no", "outgoing": "yes"}, BEN: {}, CARLA: {}}
    with Scene(mailboxes, profile={"poll_interval": "1h"}) as scene:
        tool = started(scene)
        for address in (BEN, CARLA):
            tool.output("sync", "now", address, "--wait")  # none is at work then
        scene.write_password("wrong-password")
        scene.reload()
        until(lambda: scene.exchange.counter("unauthorized") > 0, "the password is tried")


@case("a new password is tried as soon as a mailbox is free, when all are busy at the reload")
def _():
    with Scene([ANN], load(ANN), profile={"poll_interval": "1h"}) as scene:
        scene.exchange.fault(operation="GetItem", delay=3000, count=1)
        scene.daemon.start()
        until(lambda: scene.exchange.counter("requests.GetItem") > 0, "its cycle is at work")
        scene.write_password("wrong-password")
        scene.reload()
        check_equal(scene.maildir(ANN).count(), 0, "the mailbox is free too early: messages")
        until(lambda: scene.exchange.counter("unauthorized") > 0, "the password is tried")
        check_equal(scene.maildir(ANN).count(), MESSAGES, "messages of the cycle that was at work")


@case("a reload says that a new password_credential needs a restart, where one is used")
def _():
    with Scene([ANN]) as scene:
        scene.daemon.environment["CREDENTIALS_DIRECTORY"] = str(scene.folder)
        scene.daemon.start()
        scene.daemon.until_started()
        scene.reload()
        scene.profile_keys["password_credential"] = scene.profile_keys.pop("password_file").name
        scene.reload()
        lines = scene.daemon.log_lines("configuration reloaded")
        check_equal(["password_credential" in line and "restart" in line for line in lines],
                    [False, True], f"in {lines}")


@case("summaries are told while a configuration of many mailboxes is taken into use")
def _():
    with Scene(MANY, profile={"poll_interval": "10m"}, daemon={"summary_interval": "1s"}) as scene:
        scene.daemon.start()
        scene.daemon.until_started()
        for round_number in range(8):
            half = MANY[round_number % 2::2]
            scene.mailboxes = {address: {} for address in half}
            scene.reload()
        told = len(scene.daemon.log_lines("in the last ", " mailboxes, "))
        until(lambda: len(scene.daemon.log_lines("in the last ", " mailboxes, ")) > told,
              "a summary after the reloads")
        line = scene.daemon.log_lines("in the last ", " mailboxes, ")[-1]
        check("; 1000 mailboxes, " in line, lambda: f"1000 mailboxes are configured, told: {line}")


main()
