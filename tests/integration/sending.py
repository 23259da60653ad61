"""A scene in which mailboxes send: what the tests of outgoing mail share."""

import collections
import email
import email.policy
import getpass

from harness import check, check_equal, until
from outbox import Outbox
from scene import ANN, BEN, Scene

ME = getpass.getuser()


def mail(subject, sender=ANN, to=BEN, headers="", body="hello\n"):
    return (f"From: Ann <{sender}>\nTo: {to}\n{headers}Subject: {subject}\n"
            f"Date: Mon, 5 Jan 2026 10:00:00 +0000\n\n{body}").encode()


def subject_of(mime):
    return str(email.message_from_bytes(mime, policy=email.policy.default)["Subject"])


class SendingScene(Scene):
    """Mailboxes that send and do not receive, unless told otherwise."""

    def __init__(self, mailboxes=(ANN, BEN), options=(), defaults=None, **arguments):
        super().__init__(mailboxes, options,
                         defaults={"incoming": "no", "outgoing": "yes", "submitters": ME,
                                   **(defaults or {})}, **arguments)
        self.outbox = Outbox(self.folder / "state/outbox")

    def start(self):
        self.daemon.start()
        self.until_ready()

    def until_ready(self):
        def ready():
            self.daemon.check_running()
            return self.outbox.ready()
        until(ready, "the outbox is open")

    def submit(self, *messages):
        for message in messages:
            self.outbox.submit(message)

    def inbox(self, address):
        return self.exchange.items(address, "Inbox")

    def until_received(self, address, count, seconds=60):
        def enough():
            self.daemon.check_running()
            return len(self.inbox(address)) >= count
        until(enough, lambda: f"{address} receives {count} messages (it has "
              f"{len(self.inbox(address))})", seconds)

    def until_settled(self, seconds=60):
        """Waits until nothing is on its way any more."""
        def settled():
            self.daemon.check_running()
            return not self.outbox.leftover() and not self.open_submissions()
        until(settled, lambda: f"nothing is on its way any more (files: {self.outbox.leftover()[:3]}"
              f", rows: {self.open_submissions()[:3]})", seconds)

    def open_submissions(self):
        return self.ledger.rows("SELECT * FROM submission WHERE state NOT IN (4, 5) OR stray")

    def check_each_once(self, address, subjects, folder="Inbox"):
        found = collections.Counter(item["subject"] for item in
                                    self.exchange.items(address, folder))
        wanted = collections.Counter(subjects)
        missing, more = wanted - found, found - wanted
        check(not missing and not more, lambda: f"{address} {folder}: missing {list(missing)[:5]} "
              f"({sum(missing.values())}), too many {list(more)[:5]} ({sum(more.values())})")

    def check_no_drafts(self, *addresses):
        for address in addresses or self.mailboxes:
            for folder in ("Drafts", "Outbox"):
                check_equal([item["subject"] for item in self.exchange.items(address, folder)], [],
                            f"left in {folder} of {address}")
