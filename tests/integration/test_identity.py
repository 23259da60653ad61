#!/usr/bin/python3
"""One mail is delivered once, however it moves and whatever it is called; two mails are two."""

import os
import time

from harness import CORPUS, case, check_equal, main, until
from mail import message
from scene import ANN, BEN, Scene

MESSAGES = len(list(CORPUS.glob("*.eml")))
LOADED = ["--load", f"{ANN}:Inbox:{CORPUS}"]
# A message a day: a look at new mail ends long before the folder does.
SPREAD = [*LOADED, "--received-start", str(-MESSAGES * 86400), "--received-step", "86400",
          "--received-group", "1"]
SMALL_PAGES = {"page_size": 10}


def utc(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def check_settled(scene, count):
    """New mail is found and nothing is delivered again: what is new now comes alone."""
    scene.until_polled(ANN, times=3)
    scene.exchange.add(ANN, message("the last one"))
    scene.until_delivered(ANN, count + 1)
    scene.until_polled(ANN)
    check_equal(scene.maildir(ANN).count(), count + 1, "delivered messages")
    scene.check_delivered(ANN)


@case("items that are flagged, read and changed are not delivered again")
def _():
    with Scene([ANN], LOADED) as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        for item in scene.exchange.items(ANN, "Inbox"):
            scene.exchange.control("change", item=item["id"], read=1)
        check_settled(scene, MESSAGES)


@case("items that are moved out and back under new ItemIds are not delivered again")
def _():
    with Scene([ANN], LOADED) as scene:
        scene.exchange.control("create-folder", mailbox=ANN, folder="Archive")
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        before = {item["id"] for item in scene.exchange.items(ANN, "Inbox")}
        scene.exchange.control("move", mailbox=ANN, folder="Inbox", to="Archive")
        scene.until_polled(ANN)
        scene.exchange.control("move", mailbox=ANN, folder="Archive", to="Inbox")
        after = {item["id"] for item in scene.exchange.items(ANN, "Inbox")}
        check_equal(before & after, set(), "ItemIds that stayed the same")
        check_settled(scene, MESSAGES)


@case("when all ItemIds of a mailbox change at once, nothing is delivered again")
def _():
    with Scene([ANN], LOADED) as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        scene.exchange.control("renew-ids", mailbox=ANN)
        check_settled(scene, MESSAGES)
        scene.exchange.control("renew-ids", mailbox=ANN)
        check_settled(scene, MESSAGES + 1)


@case("ItemIds that change while the daemon is stopped bring nothing twice")
def _():
    with Scene([ANN], LOADED) as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        scene.daemon.stop()
        scene.exchange.control("renew-ids", mailbox=ANN)
        scene.daemon.start()
        check_settled(scene, MESSAGES)


@case("ItemIds that change in the middle of a delivery lose and double nothing")
def _():
    with Scene([ANN], LOADED + ["--latency", "20"], profile={"batch_size": 2}) as scene:
        scene.daemon.start()
        for count in (4, 12, 30):
            scene.until_delivered(ANN, count)
            scene.exchange.control("renew-ids", mailbox=ANN)
        scene.until_delivered(ANN, MESSAGES)
        check_settled(scene, MESSAGES)


@case("the same message received at another time is another mail")
def _():
    with Scene([ANN]) as scene:
        content = message("a list's copy")
        now = int(time.time())
        scene.daemon.start()
        for seconds in (7200, 3600, 0):
            scene.exchange.add(ANN, content, received=utc(now - seconds))
        scene.until_delivered(ANN, 3)
        scene.until_polled(ANN)
        scene.check_delivered(ANN)


@case("mail that is moved in with an old received time is found")
def _():
    with Scene([ANN], SPREAD, profile=SMALL_PAGES) as scene:
        scene.exchange.control("create-folder", mailbox=ANN, folder="Archive")
        old = time.time() - 2 * MESSAGES * 86400
        for number in range(3):
            scene.exchange.add(ANN, message(), "Archive", received=utc(old + number))
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        scene.until_polled(ANN)
        scene.exchange.control("move", mailbox=ANN, folder="Archive", to="Inbox")
        scene.until_delivered(ANN, MESSAGES + 3)
        check_settled(scene, MESSAGES + 3)


@case("mail that transport had held back, with a time long before the watermark, is found")
def _():
    with Scene([ANN], SPREAD, profile=SMALL_PAGES) as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        scene.until_polled(ANN)
        old = time.time() - 2 * MESSAGES * 86400
        scene.exchange.add(ANN, message("late"), received=utc(old))
        scene.until_delivered(ANN, MESSAGES + 1)
        check_settled(scene, MESSAGES + 1)


@case("without process_email_from only mail from now on is taken, after a restart too")
def _():
    with Scene([ANN], LOADED, profile={"process_email_from": "now"}) as scene:
        scene.daemon.start()
        scene.until_polled(ANN)
        check_equal(scene.maildir(ANN).count(), 0, "delivered messages")
        scene.exchange.add(ANN, message("while it runs"))
        scene.until_delivered(ANN, 1)
        scene.daemon.stop()
        scene.exchange.add(ANN, message("while it is stopped"))
        scene.daemon.start()
        scene.until_delivered(ANN, 2)
        scene.until_polled(ANN)
        check_equal(scene.maildir(ANN).count(), 2, "delivered messages")


@case("mail of the very second in which a mailbox is first enabled is taken")
def _():
    with Scene([ANN], profile={"process_email_from": "now"}) as scene:
        scene.daemon.start()
        enabled = until(lambda: scene.ledger.value("SELECT enabled_at FROM mailbox"),
                        "the mailbox is known")
        # Exchange tells received times in whole seconds: what came half a second later is, for it,
        # of the second before.
        scene.exchange.add(ANN, message("at once"), received=utc(enabled // 1000))
        scene.until_delivered(ANN, 1)


@case("an earlier process_email_from takes what lies between, a later one takes nothing away")
def _():
    now = time.time()
    with Scene([ANN], profile={"process_email_from": utc(now - 86400)}) as scene:
        for days in (40, 20, 10):
            scene.exchange.add(ANN, message(f"{days} days old"), received=utc(now - days * 86400))
        scene.exchange.add(ANN, message("of today"))
        scene.daemon.start()
        scene.until_delivered(ANN, 1)
        scene.until_polled(ANN)
        check_equal(scene.maildir(ANN).count(), 1, "delivered messages")
        scene.profile_keys["process_email_from"] = utc(now - 30 * 86400)
        scene.reload()
        scene.until_delivered(ANN, 3)
        scene.until_polled(ANN)
        check_equal(scene.maildir(ANN).count(), 3, "delivered messages")
        scene.profile_keys["process_email_from"] = utc(now - 3600)
        scene.reload()
        scene.exchange.add(ANN, message("after the change"))
        scene.until_delivered(ANN, 4)


@case("the same mail in two mailboxes is delivered to both")
def _():
    content = message("to all")
    with Scene([ANN, BEN]) as scene:
        for address in (ANN, BEN):
            scene.exchange.add(address, content)
        scene.daemon.start()
        for address in (ANN, BEN):
            scene.until_delivered(address, 1)
            scene.check_delivered(address)


@case("a file that a reader moves from new/ to cur/ and marks, or removes, does not come back")
def _():
    with Scene([ANN], LOADED) as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        maildir = scene.maildir(ANN)
        for number, path in enumerate(maildir.files()):
            if number % 2:
                os.rename(path, maildir.path / "cur" / f"{os.path.basename(path)}:2,S")
        check_settled(scene, MESSAGES)
        for path in maildir.files():
            os.unlink(path)
        scene.daemon.stop()
        scene.daemon.start()
        scene.exchange.add(ANN, message("another"))
        scene.until_delivered(ANN, 1)
        scene.until_polled(ANN)
        check_equal(maildir.count(), 1, "delivered messages")


main()
