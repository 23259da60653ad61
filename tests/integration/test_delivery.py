#!/usr/bin/python3
"""What is in Exchange arrives in the Maildir, once, as it is."""

import os
import re

from harness import CORPUS, add_case, case, check, check_equal, main, until
from scene import ANN, BEN, CARLA, Scene

MESSAGES = len(list(CORPUS.glob("*.eml")))
THREE = (ANN, BEN, CARLA)


def load(*addresses, folder="Inbox"):
    """Options of the simulator: the messages of tests/data/mail in a folder of each mailbox."""
    return [word for address in addresses for word in ("--load", f"{address}:{folder}:{CORPUS}")]


def all_arrive(line_endings, profile):
    with Scene(THREE, load(*THREE), defaults={"line_endings": line_endings},
               profile=profile) as scene:
        check_equal(MESSAGES, 45, "messages in tests/data/mail")
        scene.daemon.start()
        for address in THREE:
            scene.until_delivered(address, MESSAGES)
        scene.until_polled(*THREE)
        for address in THREE:
            scene.check_delivered(address, crlf=line_endings == "crlf")
            scene.check_agreement(address)
            check_equal(scene.ledger.unresolved(address), [], "failures")
        line = scene.daemon.until_logged(f"{ANN}: ", " delivered (")
        check("0 failed" in line, f"the cycle is logged as {line!r}")


for endings, manner in (("lf", "equal but for line ends"), ("crlf", "byte for byte")):
    add_case(f"all {MESSAGES} messages arrive in every mailbox, once, {manner}, "
             f"with line_endings = {endings}", all_arrive, endings, {})
add_case("all messages arrive with the smallest pages and one message a request", all_arrive, "lf",
         {"page_size": 10, "batch_size": 1})
add_case("all messages arrive with the largest pages and batches", all_arrive, "crlf",
         {"page_size": 1000, "batch_size": 100})
add_case("all messages arrive over a single connection", all_arrive, "lf", {"max_connections": 1})


@case("a mailbox that is busy above its limit is left in peace and loses nothing")
def _():
    options = load(*THREE) + ["--concurrency", "1", "--back-off", "200"]
    with Scene(THREE, options) as scene:
        scene.daemon.start()
        for address in THREE:
            scene.until_delivered(address, MESSAGES)
            scene.check_delivered(address)


@case("a server that gives small pages only is read to the end")
def _():
    with Scene([ANN], load(ANN) + ["--page-size", "7"]) as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        scene.check_delivered(ANN)


@case("messages of every class are delivered")
def _():
    classes = ("IPM.Note", "IPM.Note.SMIME", "IPM.Note.SMIME.MultipartSigned",
               "IPM.Schedule.Meeting.Request", "IPM.Schedule.Meeting.Resp.Pos",
               "IPM.Schedule.Meeting.Canceled", "REPORT.IPM.Note.NDR", "REPORT.IPM.Note.IPNRN",
               "IPM.Note.Microsoft.Voicemail.UM", "IPM.Note.Rules.OofTemplate.Microsoft",
               "IPM.Post", "IPM.Something.New")
    with Scene([ANN]) as scene:
        for name in classes:
            scene.exchange.add(ANN, f"Subject: {name}\n\nof class {name}\n", **{"class": name})
        check_equal({item["class"] for item in scene.exchange.items(ANN)}, set(classes),
                    "classes in the simulator")
        scene.daemon.start()
        scene.until_delivered(ANN, len(classes))
        scene.check_delivered(ANN)


@case("several folders, one of them below the Inbox, go into one Maildir")
def _():
    folders = ("Inbox", "Inbox/Orders", "Projects/2026", "Junk Email")
    options = [word for folder in folders for word in load(ANN, folder=folder)]
    with Scene({ANN: {"folders": ", ".join(folders)}}, options) as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES * len(folders))
        scene.check_delivered(ANN, folders)
        scene.exchange.add(ANN, b"Subject: later\n\nlater\n", "Projects/2026")
        scene.until_delivered(ANN, MESSAGES * len(folders) + 1)


@case("a folder that is missing is named, and mail flows once it is there")
def _():
    keys = {ANN: {"folders": "Inbox, Inbox/Orders"}, BEN: {}}
    with Scene(keys, load(BEN)) as scene:
        scene.daemon.start()
        line = scene.daemon.until_logged(ANN, "incoming failed", "The folder does not exist")
        check("Orders" in line, f"the folder is not named: {line!r}")
        scene.until_delivered(BEN, MESSAGES)
        failure = until(lambda: scene.ledger.unresolved(ANN), "the failure is recorded")[0]
        check_equal((failure["scope"], failure["permanent"]), ("mailbox", 1), "the failure")
        scene.exchange.control("create-folder", mailbox=ANN, folder="Inbox/Orders")
        scene.exchange.add(ANN, b"Subject: order\n\nan order\n", "Inbox/Orders")
        scene.until_delivered(ANN, 1)
        until(lambda: not scene.ledger.unresolved(ANN), "the failure is resolved")


@case("a message of many megabytes arrives whole beside small ones")
def _():
    options = ["--load-large", f"{ANN}:Inbox:20", *load(ANN)]
    with Scene([ANN], options, defaults={"line_endings": "crlf"}) as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES + 1)
        scene.check_delivered(ANN, crlf=True)


def too_large(others):
    options = ["--load-large", f"{ANN}:Inbox:3", *(load(ANN) if others else [])]
    count = MESSAGES if others else 0
    with Scene([ANN], options, profile={"max_message_size": "1MB"}) as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, count)
        rows = until(lambda: scene.ledger.unresolved(ANN), "the failure is recorded")
        check_equal([(row["scope"], row["code"]) for row in rows], [("item", "MessageTooLarge")],
                    "the failures")
        line = scene.daemon.until_logged(ANN, "was not delivered")
        check(re.search(r"received [-0-9]{10} [:0-9]{8} \S+ was not delivered", line),
              f"not in local time, as the next try: {line}")
        scene.until_polled(ANN)
        check_equal(scene.maildir(ANN).count(), count, "delivered messages")
        del scene.profile_keys["max_message_size"]
        scene.reload()
        scene.until_delivered(ANN, count + 1)
        scene.check_delivered(ANN)


add_case("a message above max_message_size stays in Exchange and is recorded; the others go on",
         too_large, True)
add_case("a message far above max_message_size is told as too large when it comes alone, too",
         too_large, False)


@case("delivered files have the mode that is configured")
def _():
    with Scene({ANN: {"deliver_mode": "0644"}, BEN: {}}, load(ANN, BEN)) as scene:
        scene.daemon.start()
        for address, mode in ((ANN, 0o644), (BEN, 0o600)):
            scene.until_delivered(address, MESSAGES)
            found = {oct(path_mode(path)) for path in scene.maildir(address).files()}
            check_equal(found, {oct(mode)}, f"modes of the files of {address}")


def path_mode(path):
    return os.stat(path).st_mode & 0o7777


main()
