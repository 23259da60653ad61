#!/usr/bin/python3
"""A long backlog is worked off page by page, the oldest first, while new mail is not forgotten.

5000 messages; with EXSYNC_LONG 20000 besides."""

import os
import re

from harness import LONG, add_case, case, check, check_equal, main, until
from mail import message
from scene import ANN, BEN, Scene

SUBJECT = re.compile(rb"^Subject: number (\d+) ", re.MULTILINE)


def write_numbered(folder, count):
    folder.mkdir()
    for number in range(count):
        (folder / f"{number:06d}.eml").write_bytes(message(f"number {number}"))


def numbers_in_order(maildir):
    """The messages' numbers in the order in which their files were written."""
    files = sorted(maildir.files(), key=lambda path: os.stat(path).st_mtime_ns)
    found = []
    for path in files:
        with open(path, "rb") as file:
            number = SUBJECT.search(file.read(400))
        found.append(int(number[1]) if number else None)
    return found


def worked_off(count, profile, seconds):
    batch = profile["batch_size"]
    with Scene([ANN, BEN], profile=profile, exchange=False) as scene:
        folder = scene.folder / "load"
        write_numbered(folder, count)
        scene.start_exchange(["--load", f"{ANN}:Inbox:{folder}", "--received-start", "-4000000"])
        scene.exchange.add(BEN, message("meanwhile"))
        scene.daemon.start()
        scene.until_delivered(ANN, count, seconds)
        scene.until_delivered(BEN, 1)
        scene.until_polled(ANN)
        # Mail of another mailbox does not wait for the backlog of this one.
        ben, last = (max(os.stat(path).st_mtime_ns for path in scene.maildir(address).files())
                     for address in (BEN, ANN))
        check(ben < last, "the other mailbox had to wait until the backlog was worked off")
        found = numbers_in_order(scene.maildir(ANN))
        check_equal(len(found), count, "delivered messages")
        check_equal(sorted(found), list(range(count)), "numbers of the messages")
        # Within a batch, and among messages of one second, the order is free.
        early = [(place, number) for place, number in enumerate(found)
                 if abs(place - number) > batch + 3]
        check(not early, f"not oldest first: (place, number) {early[:5]} and {len(early)} in all")
        check_equal(scene.ledger.unresolved(), [], "failures")


add_case("5000 messages are worked off oldest first with small pages", worked_off, 5000,
         {"page_size": 50, "batch_size": 100}, 150)
add_case("3000 messages are worked off oldest first with the usual pages and batches", worked_off,
         3000, {"page_size": 250, "batch_size": 20}, 150)
if LONG:
    add_case("20000 messages are worked off oldest first", worked_off, 20000,
             {"page_size": 1000, "batch_size": 100}, 600)


@case("a backlog goes on where it was after stops, and new mail comes in its turn")
def _():
    count = 1500
    with Scene([ANN], profile={"page_size": 100, "batch_size": 25}, exchange=False) as scene:
        folder = scene.folder / "load"
        write_numbered(folder, count)
        scene.start_exchange(["--load", f"{ANN}:Inbox:{folder}", "--received-start", "-4000000"])
        for number in range(4):
            scene.daemon.start()
            scene.daemon.until_started()
            scene.until_delivered(ANN, 200 * (number + 1))
            scene.exchange.add(ANN, message(f"number {count + number}"))
            scene.daemon.stop()
        scene.daemon.start()
        scene.until_delivered(ANN, count + 4)
        scene.until_polled(ANN)
        check_equal(sorted(numbers_in_order(scene.maildir(ANN))), list(range(count + 4)),
                    "numbers of the messages")


@case("a backlog that others empty meanwhile ends without a failure")
def _():
    with Scene([ANN], profile={"page_size": 50, "batch_size": 10}, exchange=False) as scene:
        folder = scene.folder / "load"
        write_numbered(folder, 1500)
        scene.start_exchange(["--load", f"{ANN}:Inbox:{folder}", "--latency", "5",
                              "--received-start", "-4000000"])
        scene.exchange.control("create-folder", mailbox=ANN, folder="Archive")
        scene.daemon.start()
        scene.until_delivered(ANN, 100)
        items = scene.exchange.items(ANN, "Inbox")
        for item in items[-400::2]:
            scene.exchange.control("move", item=item["id"], to="Archive")
        scene.exchange.add(ANN, message("number 1500"))
        until(lambda: 1500 in numbers_in_order(scene.maildir(ANN)), "the newest message is there")
        scene.until_polled(ANN, times=3)
        found = numbers_in_order(scene.maildir(ANN))
        check_equal(len(found), len(set(found)), "messages that are there once")
        check(set(range(1100)) <= set(found), "messages that nobody has moved are missing")
        left = {int(item["subject"].split()[1]) for item in scene.exchange.items(ANN, "Inbox")}
        check(left <= set(found), f"{len(left - set(found))} messages of the folder are missing")
        check_equal(scene.ledger.unresolved(), [], "failures")


main(side_by_side=2)
