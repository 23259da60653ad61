#!/usr/bin/python3
"""Every category of failures, provoked once: the alert that opens, its words and its remedy, and that
it is over when its cause is."""


import signal
import time

from alerting import ACCOUNT, AlertScene, PROFILE
from certificate import Authority
from harness import add_case, case, check, check_equal, main, until
from mail import message
from scene import ANN, BEN, PASSWORD
from sending import mail

KEYS = {"request_timeout": "2s", "connect_timeout": "2s", "transient_attempts": 2}
IN_MAILBOX = " error occurred in accessing the mailbox while receiving email."


def check_alert(scene, category, words, level=3):
    """One alert of the category is open; its row and the line about it."""
    def look():
        scene.daemon.check_running()
        rows = [row for row in scene.open_alerts() if row["category"] == category
                and row["level"] == level]
        return rows
    row = until(look, lambda: f"an alert of category {category} opens: {scene.alerts()}")[0]
    failure = scene.ledger.rows("SELECT * FROM failure WHERE id = ?", row["failure"])[0]
    check(all(word in row["opening"] for word in words), f"the sentence: {row['opening']}")
    if level == 3 and row["told"]:
        told = [alert for one in scene.until_told(1) for alert in one["alerts"]]
        remedy = [alert["remedy"] for alert in told if alert["category"] == category][0]
        check(remedy.endswith("itself."), f"the remedy does not say how it goes on: {remedy}")
    check(failure["trace"].count("\n") >= 2 and "at " in failure["trace"],
          f"the trace: {failure['trace']}")
    return row, failure


def mended(scene):
    scene.exchange.clear_faults()
    scene.until_delivered(ANN, 1)
    scene.until_no_alert()


def of_mailbox(category, article, fault, remedy):
    """Ann's mailbox answers with the fault until it is taken back."""
    with AlertScene([ANN, BEN], profile=KEYS) as scene:
        scene.exchange.add(ANN, message())
        scene.exchange.fault(mailbox=ANN, count=0, **fault)
        scene.daemon.start()
        row, failure = check_alert(scene, category, [article + IN_MAILBOX, f"{ANN} didn't"])
        check(remedy in failure["remedy"], f"the remedy: {failure['remedy']}")
        told = scene.until_told(1)[0]
        check_equal([alert["category"] for alert in told["alerts"]], [category], "told")
        check_equal(row["address"], ANN, "the mailbox")
        mended(scene)


for category, article, fault, remedy in (
        ("impersonation", "An impersonation", {"soap": "ErrorImpersonateUserDenied"},
         "role ApplicationImpersonation"),
        ("authorization", "An authorization", {"code": "ErrorAccessDenied"}, "EwsEnabled"),
        ("throttling", "A throttling", {"code": "ErrorServerBusy"}, "tries again by itself"),
        ("mailbox", "A mailbox", {"code": "ErrorMailboxStoreUnavailable"}, "tries again by itself"),
        ("network", "A network", {"http": 408}, "tests again by itself"),
        ("protocol", "A protocol", {"body": "garbage"}, "tests again by itself"),
        ("server", "A server", {"http": 500}, "event log")):
    add_case(f"category {category}: the alert, its remedy, and its end", of_mailbox, category,
             article, fault, remedy)


@case("a response code that nobody knows may pass at first, and is told of when it stays")
def _():
    with AlertScene([ANN, BEN], profile={**KEYS, "transient_attempts": 4}) as scene:
        scene.exchange.add(ANN, message())
        scene.exchange.fault(mailbox=ANN, count=0, soap="ErrorOfTomorrow")
        scene.daemon.start()
        line = scene.daemon.until_logged("ErrorOfTomorrow")
        check("ErrorOfTomorrow" in line, line)
        row, failure = check_alert(scene, "server", ["A server"])
        check_equal((failure["code"], row["level"]), ("ErrorOfTomorrow", 3), "the alert")
        check(failure["count"] >= 4, f"tries: {failure['count']}")
        mended(scene)


@case("category authentication: the account's password is wrong")
def _():
    with AlertScene([ANN, BEN]) as scene:
        scene.exchange.add(ANN, message())
        scene.exchange.control("account", name=ACCOUNT, password="another")
        scene.daemon.start()
        scene.daemon.until_logged("all its mailboxes wait")
        time.sleep(0.5)
        check_equal([row["level"] for row in scene.open_alerts()], [2], "after one refusal")
        scene.daemon.process.send_signal(signal.SIGUSR1)  # instead of a minute
        row, _ = check_alert(scene, "authentication",
                             ["An authentication error", PROFILE, "2 mailboxes"])
        check_equal(row["scope"], "profile", "the scope")
        scene.exchange.control("account", name=ACCOUNT, password=PASSWORD)
        scene.daemon.process.send_signal(signal.SIGUSR1)  # instead of an hour
        scene.until_delivered(ANN, 1)
        scene.until_no_alert()


@case("category item: one message that cannot be taken, and one that cannot be sent")
def _():
    with AlertScene({ANN: {}, BEN: {"outgoing": "yes"}}, ["--enforce-send-as"],
                    profile={"delivery_notifications": "no"}) as scene:
        scene.exchange.add(ANN, message("spoiled"), source="spoiled")
        scene.exchange.add(ANN, message("good"))
        scene.exchange.control("spoil", mailbox=ANN, source="spoiled", no_mime=1)
        scene.start()
        row, _ = check_alert(scene, "item", ["An item error occurred while receiving"])
        check_equal((row["scope"], row["told"]), ("item", 0), "the alert")
        scene.until_delivered(ANN, 1)
        scene.exchange.fault(mailbox=BEN, operation="SendItem", code="ErrorInvalidRecipients", count=0)
        scene.submit(mail("Nobody wants it", sender=BEN, to=ANN))
        until(lambda: [one for one in scene.open_alerts() if '"Nobody wants it"' in one["opening"]],
              "the alert names the message")
        check_equal(scene.told(), [], "notifications to the owner")


@case("category TLS: the server's certificate is not to be trusted")
def _():
    with AlertScene([ANN, BEN], exchange=False) as scene:
        authority, stranger = Authority(scene.folder), Authority(scene.folder, "stranger")
        scene.profile_keys["tls_ca_file"] = authority.certificate
        certificate, key = stranger.sign("wrong")
        scene.start_exchange(["--tls-certificate", certificate, "--tls-key", key])
        scene.exchange.add(ANN, message())
        scene.daemon.start()
        check_alert(scene, "tls", ["A TLS error", PROFILE])
        certificate, key = authority.sign("right")
        scene.exchange.control("certificate", certificate=certificate, key=key)
        scene.until_delivered(ANN, 1)
        scene.until_no_alert()


@case("category configuration: a folder that is not there")
def _():
    with AlertScene({ANN: {"folders": "Inbox/Orders"}, BEN: {}}) as scene:
        scene.daemon.start()
        check_alert(scene, "configuration", ["A configuration" + IN_MAILBOX])
        scene.exchange.control("create-folder", mailbox=ANN, folder="Inbox/Orders")
        scene.exchange.add(ANN, message(), "Inbox/Orders")
        scene.until_delivered(ANN, 1)
        scene.until_no_alert()


@case("category storage: a Maildir that cannot be written")
def _():
    with AlertScene([ANN, BEN], profile=KEYS) as scene:
        scene.exchange.add(ANN, message())
        place = scene.folder / "mail" / ANN
        place.write_text("a file where the Maildir should be")
        scene.daemon.start()
        check_alert(scene, "storage", ["A storage" + IN_MAILBOX])
        place.unlink()
        scene.until_delivered(ANN, 1)
        scene.until_no_alert()


@case("network: a server that is not there stops the profile, once")
def _():
    with AlertScene([ANN, BEN], profile=KEYS, exchange=False) as scene:
        scene.daemon.start()
        row, _ = check_alert(scene, "network", ["A network error", PROFILE, "2 mailboxes"])
        check_equal(row["scope"], "profile", "the scope")
        check_equal(len(scene.until_told(1)), 1, "notifications")


main()
