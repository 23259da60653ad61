#!/usr/bin/python3
"""The clock of the machine is set forward or back by a day while the daemon runs: mail goes on at its
intervals, nothing waits a day longer, nothing is lost or twice."""

import glob
import os

from alerting import AlertScene
from exsyncctl import Exsyncctl
from harness import Skipped, case, check, check_equal, main, program, until
from ledger import locked
from mail import message
from scene import ANN, BEN
from sending import mail

DAY = 24 * 3600
WAIT = "4s"  # before something is tried again


class ClockScene(AlertScene):
    """Ann sends and Ben receives; the daemon's clock, and nobody else's, can be set. Its monotonic clock
    goes on."""

    def __init__(self, **profile):
        found = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        if not found:
            raise Skipped("libfaketime is not installed (scripts/install-deps check)")
        if "asan" in program("exsyncd"):
            raise Skipped("libfaketime and the address sanitizer do not go together")
        super().__init__({ANN: {"incoming": "no", "outgoing": "yes"}, BEN: {}},
                         profile={"retry_min": WAIT, "retry_max": WAIT, **profile},
                         daemon={"log_level": "debug"})
        self.set_clock(0)
        self.daemon.environment.update(
            {"LD_PRELOAD": found[0], "FAKETIME_TIMESTAMP_FILE": str(self.folder / "clock"),
             "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"})

    def set_clock(self, seconds):
        """So far from the true time."""
        (self.folder / "clock.new").write_text(f"{seconds:+d}\n")
        os.rename(self.folder / "clock.new", self.folder / "clock")

    def begin(self):
        self.exchange.add(BEN, message("before"))
        self.start()
        self.until_delivered(BEN, 1)
        self.until_polled(BEN)

    def fail_to_send(self, subject):
        """A message that has failed and waits to be tried again, though nothing is amiss any more."""
        self.exchange.fault(operation="CreateItem", mailbox=ANN, code="ErrorTimeoutExpired", count=0)
        self.submit(mail(subject))
        self.daemon.until_logged(f'the message "{subject}"', "Next try at")
        self.exchange.clear_faults()

    def check_goes_on(self, subject):
        before = self.maildir(BEN).count()
        self.exchange.add(BEN, message(f"received {subject}"))
        self.until_delivered(BEN, before + 1)
        self.until_polled(BEN)
        self.submit(mail(f"sent {subject}"))
        self.until_settled()

    def check_all(self, *sent):
        self.until_delivered(BEN, len(self.inbox(BEN)))
        self.until_polled(BEN)
        self.check_delivered(BEN)
        self.check_agreement(BEN)
        self.check_each_once(ANN, sent, "Sent Items")
        self.check_no_drafts(ANN)
        check_equal(self.daemon.log_lines("has hung"), [], "what was taken for a hang")


def jump(seconds):
    with ClockScene() as scene:
        scene.begin()
        scene.fail_to_send("waits")
        scene.set_clock(seconds)
        scene.check_goes_on("after the jump")
        scene.set_clock(0)
        scene.check_goes_on("after the way back")
        scene.check_all("waits", "sent after the jump", "sent after the way back")


@case("a clock that is set forward by a day, and back, delays nothing and repeats nothing")
def _():
    jump(DAY)


@case("a clock that is set back by a day, and forward, delays nothing and repeats nothing")
def _():
    jump(-DAY)


@case("what failed before the clock was set back is tried again as soon as it would have been")
def _():
    with ClockScene() as scene:
        scene.begin()
        # A message that cannot be had is tried again, too.
        scene.exchange.fault(operation="GetItem", mailbox=BEN, code="ErrorTimeoutExpired", count=0)
        scene.exchange.add(BEN, message("cannot be had yet"))
        until(lambda: scene.ledger.items(BEN, 3), "the message is known as failed")
        scene.fail_to_send("waits")
        scene.set_clock(-DAY)
        scene.exchange.clear_faults()
        line = scene.daemon.until_logged("clock of this machine was set back by")
        check(" 864" in line or " 863" in line, f"it says {line!r}")
        scene.until_delivered(BEN, 3)
        until(lambda: not scene.ledger.unresolved(), "no failure is left")
        scene.check_all("waits")


@case("what failed before the clock was set back is tried again though the database was locked meanwhile")
def _():
    with ClockScene() as scene:
        scene.begin()
        scene.fail_to_send("waits")
        with locked(scene.ledger.path):
            scene.set_clock(-DAY)
            scene.daemon.until_logged("could not be told that the clock was set back", "locked")
        scene.daemon.until_logged("clock of this machine was set back by")
        scene.until_settled()
        check_equal(len(scene.daemon.log_lines("clock of this machine was set back by")), 1,
                    "how often it is told")
        scene.check_all("waits")


@case("an owner who could not be told is told, and an alert ends, though the clock was set back")
def _():
    with ClockScene() as scene:
        good = (scene.folder / "tell").read_text()
        (scene.folder / "tell").write_text("#!/bin/sh\nexit 3\n")
        scene.begin()
        scene.exchange.revoke(BEN)
        scene.daemon.until_logged("could not be notified:")
        scene.set_clock(-DAY)
        (scene.folder / "tell.new").write_text(good)
        os.chmod(scene.folder / "tell.new", 0o755)
        (scene.folder / "tell.new").rename(scene.folder / "tell")
        scene.until_told(1)
        tool = Exsyncctl(scene)
        until(lambda: tool.answers("alerts"), "the alert is open")
        scene.exchange.grant(BEN)
        until(lambda: not tool.answers("alerts"), "the alert is over")
        scene.check_goes_on("after all")


@case("a start with a clock that is a day behind the last one sends and receives at once")
def _():
    with ClockScene() as scene:
        scene.set_clock(DAY)
        scene.begin()
        scene.daemon.stop()
        scene.set_clock(0)
        scene.start()
        scene.check_goes_on("behind")
        scene.check_all("sent behind")


main()
