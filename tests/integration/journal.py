"""A journal of a test's own: systemd-journald in a mount namespace, where /run and the catalog are
its own, too. Nothing of the machine's journal is read or written. Needs root."""

import json
import os
import shutil
import subprocess

from daemon_process import Daemon
from harness import ROOT, Skipped, until

JOURNALD = "/lib/systemd/systemd-journald"
START = """
set -e
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /usr/lib/systemd/catalog
mount -t tmpfs tmpfs /var/lib/systemd/catalog
cp "$1" /usr/lib/systemd/catalog
journalctl --update-catalog
mkdir -p /run/systemd/journal /run/systemd/journald.conf.d /run/log/journal
cat >/run/systemd/journald.conf.d/test.conf <<END
[Journal]
Storage=volatile
RateLimitBurst=0
Audit=
ReadKMsg=no
ForwardToSyslog=no
ForwardToKMsg=no
ForwardToConsole=no
ForwardToWall=no
END
exec "$2"
"""

# systemd-cat connects standard error to the journal; a service manager says so besides.
CONNECTED = 'JOURNAL_STREAM=$(stat -Lc %d:%i /proc/self/fd/2) exec "$@"'


class Journal:
    def __init__(self):
        missing = [name for name in ("unshare", "nsenter", "journalctl", "systemd-cat")
                   if shutil.which(name) is None]
        if missing or not os.path.exists(JOURNALD) or os.geteuid() != 0:
            raise Skipped("a journal of its own needs root, systemd-journald and util-linux")
        if subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/run"],
                          stderr=subprocess.DEVNULL, check=False).returncode != 0:
            raise Skipped("nothing can be mounted here")
        self.process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", START, "sh", ROOT / "systemd/exsyncd.catalog",
             JOURNALD], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        until(self._answers, "the journal takes messages", 20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def _answers(self):
        """There is a file once journald has begun to write: journalctl has something to read."""
        if self.process.poll() is not None:
            raise Skipped("systemd-journald does not run here")
        return os.path.exists(f"/proc/{self.process.pid}/root/run/systemd/journal/stdout")

    def inside(self, *command):
        return ["nsenter", f"--mount=/proc/{self.process.pid}/ns/mnt", *map(str, command)]

    def read(self, *options):
        command = self.inside("journalctl", "--directory=/run/log/journal", "--no-pager", *options)
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              check=False).stdout

    def entries(self, message_id=None):
        """What exsyncd has said, oldest first: a dictionary of fields each."""
        chosen = [] if message_id is None else [f"MESSAGE_ID={message_id}"]
        lines = self.read("--all", "--output=json", "SYSLOG_IDENTIFIER=exsyncd", *chosen)
        return [json.loads(line) for line in lines.splitlines()]

    def until_entries(self, count, message_id):
        def look():
            entries = self.entries(message_id)
            return entries if len(entries) >= count else None
        return until(look, f"{count} entries with MESSAGE_ID {message_id}", pause=0.05)


class JournalDaemon(Daemon):
    """exsyncd whose standard error is connected to the journal, as a service manager does it."""

    def __init__(self, daemon, journal):
        super().__init__(daemon.log_path.parent, daemon.configuration)
        self.journal = journal

    def command(self, *options):
        return self.journal.inside("systemd-cat", "--identifier=exsyncd",
                                   "sh", "-c", CONNECTED, "sh", *super().command(*options))
