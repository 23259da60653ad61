"""A scene whose profile has an owner: what the tests of alerts and notifications share.

The owner is told by a command that writes what it gets into a file of its own, unless a test
chooses other ways.
"""

import json
import os

from harness import check, check_equal, until
from scene import ACCOUNT, PROFILE
from sending import SendingScene

OWNER = "mail-admins@example.com"
SENDER = "exsyncd@mail.example.com"
BEING, DONE, NOT = 1, 2, 3
RECEIVING = ("An impersonation error occurred in accessing the mailbox while receiving email. {name} "
             "didn't synchronize. The owner of the associated email server profile {profile} ")
SENDING = ("An impersonation error occurred in accessing the mailbox while sending the email message "
           '"{subject}". Mailbox {name} didn\'t synchronize. The owner of the associated email server '
           "profile {profile} ")
HAS_BEEN, IS_BEING = "has been notified.", "is being notified."

WRITER = """#!/bin/sh
set -e
file=$(mktemp "{folder}/told/.XXXXXX")
cat >"$file"
mv "$file" "{folder}/told/$(date +%s%N)"
"""


class AlertScene(SendingScene):
    """Mailboxes receive unless told otherwise; `notify`: the keys that say how the owner is told."""

    def __init__(self, mailboxes, options=(), profile=None, defaults=None, notify=None, **arguments):
        keys = {"owner": OWNER, "notify_delay": "0s", "notify_limit": 60,
                "probe_intervals": "1s", **(profile or {})}
        self.notify = notify
        super().__init__(mailboxes, options, profile=keys,
                         defaults={"incoming": "yes", "outgoing": "no", **(defaults or {})},
                         **arguments)

    def _prepare(self, profile, defaults, daemon):
        (self.folder / "told").mkdir()
        writer = self.folder / "tell"
        writer.write_text(WRITER.format(folder=self.folder))
        os.chmod(writer, 0o755)
        notify = self.notify or {"notify": "command", "notify_command": writer}
        super()._prepare({**profile, **notify}, defaults, daemon)

    # --- what the owner was told by command ---

    def told(self):
        """The notifications that arrived, in their order, as objects."""
        return [json.loads((self.folder / "told" / name).read_text())
                for name in sorted(os.listdir(self.folder / "told")) if not name.startswith(".")]

    def until_told(self, count, seconds=60):
        def look():
            self.daemon.check_running()
            told = self.told()
            return told if len(told) >= count else None
        return until(look, f"the owner is told {count} times", seconds)

    # --- alerts ---

    def alerts(self, open_only=False):
        """Rows, with the mailbox's address."""
        rows = self.ledger.rows("SELECT alert.*, address FROM alert"
                                " LEFT JOIN mailbox ON number = alert.mailbox ORDER BY id")
        return [row for row in rows if not open_only or row["resolved_at"] is None]

    def open_alerts(self):
        return self.alerts(open_only=True)

    def until_no_alert(self, seconds=60):
        until(lambda: not self.open_alerts(), lambda: f"no alert is open: {self.open_alerts()[:2]}",
              seconds)

    def check_history(self):
        """Alerts about one thing never overlap, and each one ends after it began."""
        last = {}
        for row in self.alerts():
            key = (row["scope"], row["profile"], row["mailbox"], row["direction"], row["category"],
                   row["code"])
            ended = row["resolved_at"]
            check(ended is None or ended >= row["opened_at"], f"it ends before it begins: {row}")
            before = last.get(key)
            check(key not in last or (before is not None and before <= row["opened_at"]),
                  f"it opens while the one before is open: {row}")
            last[key] = ended


def by_smtp(server):
    """Section smtp for a server that asks for nothing."""
    return {"url": server.url, "starttls": "never", "from": SENDER}


def receiving(name, ending, profile=PROFILE):
    return RECEIVING.format(name=name, profile=profile) + ending


def sending(name, subject, ending, profile=PROFILE):
    return SENDING.format(name=name, subject=subject, profile=profile) + ending


__all__ = ["ACCOUNT", "AlertScene", "BEING", "DONE", "HAS_BEEN", "IS_BEING", "NOT", "OWNER",
           "PROFILE", "SENDER", "by_smtp", "receiving", "sending", "check_equal"]
