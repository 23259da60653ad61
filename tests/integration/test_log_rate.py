#!/usr/bin/python3
"""How much is logged when much fails: a mailbox is told of when it begins to fail, and when that
stays, however often it is tried, so that a thousand failing mailboxes do not fill a disk."""

from harness import LONG, case, check, main, until
from scene import Scene

MAILBOXES = 1000 if LONG else 200
A_MAILBOX = 4  # lines: it fails, that stays, its alert, what its owner was told
BESIDE = 30    # lines of the daemon and of its profile
LINE_BYTES = 700
USERS = [f"user{number}@example.com" for number in range(MAILBOXES)]
QUICK = {"probe_intervals": "1s", "owner": "owner@example.com", "transient_attempts": "3"}


def check_bounded(scene):
    """All have failed, and were tried again several times."""
    scene.daemon.start()
    until(lambda: len(scene.daemon.log_lines("incoming failed")) >= MAILBOXES, "all have failed")
    scene.until_polled(*USERS, times=4)
    lines = scene.daemon.log().splitlines()
    check(len(lines) <= A_MAILBOX * MAILBOXES + BESIDE, f"{len(lines)} lines")
    check(sum(map(len, lines)) <= LINE_BYTES * len(lines), "the lines are long")
    check(len(scene.daemon.log_lines("incoming failed")) <= 2 * MAILBOXES, "told at each try")


@case(f"{MAILBOXES} mailboxes that are refused are told of once, however often they are probed")
def _():
    with Scene(USERS, profile=QUICK) as scene:
        for address in USERS:
            scene.exchange.revoke(address)
        check_bounded(scene)


@case(f"{MAILBOXES} mailboxes with an error that may pass are told of once, however often it comes")
def _():
    with Scene(USERS, profile=QUICK) as scene:
        scene.exchange.fault(operation="FindItem", code="ErrorInternalServerTransientError", count=0)
        check_bounded(scene)


@case(f"a server of {MAILBOXES} mailboxes that cannot be reached is told of by its profile alone")
def _():
    with Scene(USERS, profile=QUICK, exchange=False) as scene:
        scene.daemon.start()
        until(lambda: len(scene.daemon.log_lines("all its mailboxes wait")) >= 8, "it was tried again")
        lines = scene.daemon.log_lines("user")
        check(len(lines) <= len(scene.daemon.log_lines("all its mailboxes wait")), f"{lines[:5]}")


main()
