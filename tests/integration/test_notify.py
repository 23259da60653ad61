#!/usr/bin/python3
"""Owners are told: by a real SMTP server, through Exchange, by a command; once, when it can be, and
what the alert says of it stays true throughout."""

import email
import email.policy
import os
import time

from alerting import (AlertScene, BEING, DONE, HAS_BEEN, NOT, OWNER, SENDER, by_smtp, receiving)
from certificate import Authority
from harness import LONG, add_case, case, chance, check, check_equal, main, until
from ledger import locked
from mail import message
from scene import ANN, CARLA
from smtp_server import SmtpServer

RECEIVED = receiving(CARLA, HAS_BEEN)


def parts(raw):
    """The plain text and the HTML of a notification."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    return (mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content(), mail)


def told(scene):
    return [row["told"] for row in scene.open_alerts()]


class SmtpScene(AlertScene):
    """Carla is refused; the owner is told by the SMTP server."""

    def __init__(self, server, section=None, notify="smtp", **arguments):
        super().__init__([ANN, CARLA], impersonation=f"all,-{CARLA}", notify={"notify": notify},
                         sections={"smtp": section or by_smtp(server)}, **arguments)

    def end(self, server, count=2):
        """The permission comes back: one more message says so."""
        self.exchange.add(CARLA, message())
        self.exchange.grant(CARLA)
        self.until_delivered(CARLA, 1)
        self.until_no_alert()
        mails = server.until_delivered(count)
        time.sleep(0.5)
        check_equal(len(server.delivered()), count, "messages in the end")
        check_equal(len({mail.message["Message-ID"] for mail in mails}), count, "Message-IDs")
        check("well" in mails[-1].message["Subject"], f"the last: {mails[-1].message['Subject']}")


@case("by SMTP with TLS and a password: one readable message, in the exact words")
def _():
    with SmtpServer() as probe:
        authority = Authority(probe.folder)
        with SmtpServer(authority.sign("mail"), accounts={"exsyncd": "mail-secret"}) as server:
            password = server.folder / "password"
            password.write_text("mail-secret\n")
            password.chmod(0o600)
            section = {"url": server.url, "starttls": "required", "from": SENDER,
                       "username": "exsyncd", "password_file": password,
                       "tls_ca_file": authority.certificate}
            with SmtpScene(server, section) as scene:
                scene.daemon.start()
                delivered = server.until_delivered(1)[0]
                check_equal((delivered.sender, delivered.recipient), (SENDER, OWNER), "envelope")
                plain, html, mail = parts(delivered.raw)
                check(RECEIVED in " ".join(plain.split()), f"the exact sentence: {plain}")
                check("ApplicationImpersonation" in plain and "New-ManagementRoleAssignment" in plain,
                      f"what to do: {plain}")
                check(CARLA in html and "<script" not in html and "http-equiv=\"refresh" not in html,
                      "the HTML")
                check_equal(mail["Auto-Submitted"], "auto-generated", "Auto-Submitted")
                check_equal(mail["To"], OWNER, "To")
                check(CARLA in mail["Subject"], mail["Subject"])
                until(lambda: told(scene) == [DONE], "it is told")
                check("mail-secret" not in scene.daemon.log(), "the password is in the log")
                scene.end(server)


@case("an SMTP server that is down: the alert says so, and the owner is told when it is up again")
def _():
    with SmtpServer() as server:
        server.stop()
        with SmtpScene(server) as scene:
            scene.daemon.start()
            line = scene.daemon.until_logged("could not be notified:")
            check(line.startswith("An impersonation error occurred") and "smtp" in line.lower(), line)
            check_equal(told(scene), [NOT], "told")
            server.start()
            server.until_delivered(1)
            scene.daemon.until_logged(RECEIVED)
            until(lambda: told(scene) == [DONE], "it is told")
            check_equal(len(scene.daemon.log_lines("could not be notified:")), 1, "lines about it")
            scene.end(server)


def refusing(stage, answer):
    with SmtpServer() as server:
        server.refuse(answer, stage)
        with SmtpScene(server) as scene:
            scene.daemon.start()
            line = scene.daemon.until_logged("could not be notified:")
            check(answer.split()[0] in line, f"the server's words: {line}")
            check_equal((server.delivered(), told(scene)), ([], [NOT]), "told")
            server.accept()
            server.until_delivered(1)
            until(lambda: told(scene) == [DONE], "it is told")
            scene.end(server)


@case("an SMTP server that refuses the owner's address for good, until it does not")
def _():
    refusing("rcpt", "550 5.1.1 no such user here")


@case("an SMTP server that is busy at the end of the message")
def _():
    refusing("data", "451 4.3.2 try again later")


@case("an SMTP server that answers slowly delays nothing else, and gets the message once")
def _():
    with SmtpServer() as server:
        server.be_slow(4, "data")
        with SmtpScene(server) as scene:
            scene.daemon.start()
            scene.daemon.until_logged("is being notified.")
            begin = time.monotonic()
            scene.exchange.add(ANN, message("meanwhile"))
            scene.until_delivered(ANN, 1)
            check(time.monotonic() - begin < 4 and told(scene) == [BEING], "others are held up")
            server.until_delivered(1)
            until(lambda: told(scene) == [DONE], "it is told")
            server.accept()
            scene.end(server)


def endings(scene):
    """What was said of Carla's alerts, in order: B is being, N could not be, D has been notified."""
    begin = receiving(CARLA, "")
    words = {"is being notified.": "B", "could not be notified:": "N", "has been notified.": "D"}
    said = [line[len(begin):] for line in scene.daemon.log().splitlines() if line.startswith(begin)]
    return "".join(letter for line in said for word, letter in words.items() if line.startswith(word))


def check_true(scene, server):
    """No more is said to be told than the server has taken, and nothing more often than alerts have
    opened. Of each alert by itself, by its number: test_journal.py."""
    said = endings(scene)
    taken = server.log().count(" <= ")  # Exim says so before it answers
    check(said.count("D") <= taken, f"{said}, but the server has taken {taken} messages")
    for length in range(1, len(said) + 1):
        opened, failed, done = (said[:length].count(letter) for letter in "BND")
        check(failed <= opened and done <= opened, f"{said}: said twice, or of nothing")


def watch(scene, server, end):
    """Looks at what is said until `end`: a time, or a condition."""
    def over():
        check_true(scene, server)
        return end() if callable(end) else time.monotonic() > end
    until(over, "an alert opens, or is over")


def comes_and_goes(*trouble):
    """Alerts open and resolve while the server is in trouble, and the words are watched throughout."""
    random = chance(f"words {trouble}")
    with SmtpServer() as server, SmtpScene(server) as scene:
        if trouble[0] == "down":
            server.stop()
        elif trouble[0] == "slow":
            server.be_slow(2, "data")
        else:
            server.refuse(*trouble)
        scene.daemon.start()
        for _ in range(12 if LONG else 3):
            watch(scene, server, scene.open_alerts)
            watch(scene, server, time.monotonic() + random.random())
            scene.exchange.grant(CARLA)
            watch(scene, server, lambda: not scene.open_alerts())
            scene.exchange.revoke(CARLA)
        if trouble[0] != "slow":
            check_equal((endings(scene).count("D"), server.delivered()), (0, []), "told meanwhile")
            check("N" in endings(scene), f"nobody says that it could not be told: {endings(scene)}")
        watch(scene, server, scene.open_alerts)
        server.accept()
        if trouble[0] == "down":
            server.start()
        until(lambda: told(scene) == [DONE], "it is told")
        check_true(scene, server)
        until(lambda: endings(scene)[-1] == "D", "that is said last")
        scene.exchange.add(CARLA, message())
        scene.exchange.grant(CARLA)
        scene.until_delivered(CARLA, 1)
        scene.until_no_alert()
        until(lambda: [mail for mail in server.delivered()[-1:] if "well" in mail.message["Subject"]],
              "all is well in the end")
        check_true(scene, server)
        mails = server.delivered()
        check_equal(len({mail.message["Message-ID"] for mail in mails}), len(mails), "Message-IDs")


for case_of in (("down",), ("slow",), ("550 5.1.1 no such user here", "rcpt"),
                ("451 4.3.2 try again later", "data")):
    add_case(f"alerts that open and resolve while the SMTP server is in trouble ({case_of[0]}): what "
             "is said of the owner is true throughout", comes_and_goes, *case_of)


@case("a kill at any moment: the owner is told once, but for a kill between the server's yes and ours")
def _():
    random = chance("kill while telling")
    for _ in range(30 if LONG else 5):
        with SmtpServer() as server, SmtpScene(server) as scene:
            scene.daemon.start()
            scene.daemon.until_logged("is being notified.")
            time.sleep(random.random() * 0.25)
            known = told(scene) == [DONE]
            scene.daemon.kill()
            before = len(server.delivered())
            scene.daemon.start()
            mails = server.until_delivered(1)
            until(lambda: told(scene) == [DONE], "it is told")
            time.sleep(0.3)
            mails = server.delivered()
            check_equal(len({mail.message["Message-ID"] for mail in mails}), 1, "Message-IDs")
            check(len(mails) == 1 or (len(mails) == 2 and not known and before <= 1),
                  f"{len(mails)} messages; known before the kill: {known}")
            check_equal(len({mail.message.as_string().split("\n\n", 1)[1] for mail in mails}), 1,
                        "different contents")


@case("through Exchange: from the account's own mailbox, although it may impersonate nobody")
def _():
    own = "svc-sync@example.com"
    with AlertScene([CARLA], ["--mailbox", own, "--mailbox", OWNER, "--account-mailbox",
                              f"svc-sync:{own}"], impersonation="none",
                    notify={"notify": "exchange"}) as scene:
        scene.ignored_counters = ("anchor_missing",)
        scene.daemon.start()
        until(lambda: scene.exchange.items(OWNER, "Inbox"), "the owner has mail")
        item = scene.exchange.items(OWNER, "Inbox")[0]
        plain, _, mail = parts(scene.exchange.mime(item))
        check(RECEIVED in " ".join(plain.split()), plain)
        check_equal(len(scene.exchange.items(own, "Sent Items")), 1, "copies in Sent Items")
        until(lambda: told(scene) == [DONE], "it is told")
        check(mail["From"] is None or own in mail["From"], f"From: {mail['From']}")
        scene.exchange.grant(CARLA)
        scene.until_no_alert()
        until(lambda: len(scene.exchange.items(OWNER, "Inbox")) == 2, "all is well")


@case("through Exchange: an answer that is lost does not send the notification twice")
def _():
    own = "svc-sync@example.com"
    with AlertScene([CARLA], ["--mailbox", own, "--mailbox", OWNER, "--account-mailbox",
                              f"svc-sync:{own}"], impersonation="none",
                    notify={"notify": "exchange"}) as scene:
        scene.ignored_counters = ("anchor_missing",)
        scene.exchange.fault(operation="CreateItem", close="after", count=1)
        scene.daemon.start()
        scene.daemon.until_logged("could not be notified:")
        until(lambda: told(scene) == [DONE], "it is told")
        check_equal(len(scene.exchange.items(OWNER, "Inbox")), 1, "messages to the owner")


@case("a command that fails, hangs and then works; what it says is in the alert")
def _():
    with AlertScene([CARLA], impersonation="none") as scene:
        good = (scene.folder / "tell").read_text()
        (scene.folder / "tell").write_text("#!/bin/sh\necho 'the pager is off' >&2\nexit 3\n")
        scene.daemon.start()
        line = scene.daemon.until_logged("could not be notified:")
        check("the pager is off" in line, line)
        (scene.folder / "tell.new").write_text(good)
        os.chmod(scene.folder / "tell.new", 0o755)
        (scene.folder / "tell.new").rename(scene.folder / "tell")
        scene.until_told(1)
        until(lambda: told(scene) == [DONE], "it is told")


@case("one of two ways is enough, and the other gets the message later")
def _():
    with SmtpServer() as server:
        server.stop()
        with AlertScene([CARLA], impersonation="none", sections={"smtp": by_smtp(server)}) as scene:
            scene.profile_keys["notify"] = "command, smtp"
            scene.write_configuration()
            scene.daemon.start()
            scene.until_told(1)
            until(lambda: told(scene) == [DONE], "it is told")
            server.start()
            mails = server.until_delivered(1)
            check_equal(mails[0].recipient, OWNER, "whom it is for")
            time.sleep(0.5)
            check_equal((len(server.delivered()), len(scene.told())), (1, 1), "messages by each way")


@case("another owner and another way, given while nobody can be told, are used at once")
def _():
    with SmtpServer() as server:
        server.refuse("550 5.1.1 no such user here", "rcpt")
        with SmtpScene(server, profile={"retry_min": "1s", "retry_max": "1h"}) as scene:
            scene.daemon.start()
            scene.daemon.until_logged("could not be notified:")
            scene.profile_keys.update({"owner": "other@example.com", "notify": "command, smtp",
                                       "notify_command": scene.folder / "tell"})
            scene.reload()
            check_equal(scene.until_told(1)[0]["owner"], "other@example.com", "who is told")
            until(lambda: told(scene) == [DONE], "it is told")


@case("a database that cannot be written when the owner has been told: told once all the same")
def _():
    with AlertScene([ANN, CARLA], impersonation=f"all,-{CARLA}") as scene:
        go = scene.folder / "go"
        teller = scene.folder / "tell"
        teller.write_text(teller.read_text() +
                          f"for turn in $(seq 200); do [ -e {go} ] || sleep 0.1; done\n")
        scene.daemon.start()
        scene.until_told(1)
        with locked(scene.ledger.path):
            go.touch()
            until(lambda: len(scene.daemon.log_lines("kept it locked")) >= 2,
                  "it cannot write what came of it")
        until(lambda: told(scene) == [DONE], "it is told", 60)
        scene.daemon.until_logged(RECEIVED)
        time.sleep(1)
        check_equal(len(scene.told()), 1, "notifications")
        scene.exchange.grant(CARLA)
        scene.until_no_alert()
        scene.until_told(2)


main()
