"""A machine with the package in it, set up as the README says, and a simulated Exchange beside it.

Cases of a program share one: each asks for what it needs (installed, serving), so that it also runs
alone, and leaves the service at work.
"""

import collections
import pathlib

from machine import ROOT, Broken, Machine, check, until

from mail import message
from scene import ACCOUNT, ANN, BEN, CARLA, PASSWORD, PROFILE, Exchange

PASSWORD_FILE = "/etc/exsyncd/password"
CONFIGURATION = "/etc/exsyncd/exsyncd.conf"
STATE = "/var/lib/exsyncd"
ADMIN, USER, STRANGER = "alice", "bob", "carl"


def package():
    """The package under test; `make check` builds it from the release build."""
    found = [path for path in (ROOT / "build/deb").glob("exsyncd_*.deb")]
    if len(found) != 1:
        raise Broken("build/deb has no package: make package PACKAGE_BUILD=build/release")
    return found[0]


class Mailhost(Machine):
    def __init__(self):
        super().__init__(package())
        self.exchange = None
        self.added = 0
        self.keys = {"exsyncd": {}, "profile": {}, ANN: {"outgoing": "yes", "submitters": USER},
                     BEN: {}}

    def close(self):
        if self.exchange is not None:
            self.exchange.kill()
        super().close()

    # --- from nothing to a service at work ---

    def installed(self):
        if self.nspawn is None:
            self.boot()
        if not self.path("/usr/sbin/exsyncd").exists():
            self.install(package())
        return self

    def install(self, path):
        """Installs or upgrades, and keeps what an administrator has changed: what dpkg says."""
        copy = self.path("/root") / pathlib.Path(path).name
        copy.write_bytes(pathlib.Path(path).read_bytes())
        return self.run("dpkg", "--install", "--force-confold", "--force-unsafe-io",
                        f"/root/{copy.name}")

    def serving(self):
        """Installed, configured and started; the service works."""
        self.installed()
        if self.exchange is None:
            self.exchange = Exchange([ANN, BEN, CARLA])
            for user in (ADMIN, USER, STRANGER):
                self.run("useradd", user)
            self.run("usermod", "--append", "--groups", "exsync-admin", ADMIN)
        if self.state() != "active":
            self.write_password(PASSWORD_FILE, PASSWORD)
            self.configure()
            self.run("systemctl", "enable", "--now", "exsyncd")
        return self

    def write_password(self, path, password):
        self.run("install", "-g", "exsyncd", "-m", "640", "/dev/stdin", path, given=password)

    def configure(self):
        """Writes `keys`; in place, so that the file's owner and mode stay."""
        profile = {"url": self.exchange.url, "auth": "basic", "username": ACCOUNT,
                   "password_file": PASSWORD_FILE, "poll_interval": "1s", "retry_min": "200ms",
                   "retry_max": "200ms", "probe_intervals": "1s", "process_email_from": "2000-01-01",
                   **self.keys["profile"]}
        lines = []
        for title, keys in self.keys.items():
            if title == "profile":
                title, keys = f"profile {PROFILE}", profile
            lines.append(f"[{f'mailbox {title}' if '@' in title else title}]")
            lines += [f"{key} = {value}" for key, value in keys.items() if value is not None]
        self.path(CONFIGURATION).write_text("\n".join(lines) + "\n")

    # --- mail ---

    def maildir(self, address):
        name, domain = address.split("@")
        return self.path(f"{STATE}/mail/{domain}/{name}")

    def delivered(self, address):
        """How often each subject is in the Maildir."""
        subjects = collections.Counter()
        for folder in ("new", "cur"):
            for file in self.maildir(address).glob(f"{folder}/*"):
                subjects.update(line for line in file.read_text(errors="replace").splitlines()
                                if line.startswith("Subject:"))
        return subjects

    def add(self, address):
        """A new message in Exchange: its subject as it will be delivered."""
        self.added += 1
        subject = f"to be received {self.added}"
        self.exchange.add(address, message(subject))
        return subject

    def until_delivered(self, address, subject):
        def there():
            check(self.state() in ("active", "activating", "reloading"),
                  lambda: f"the service is {self.state()}: {self.journal()[-1500:]}")
            return [line for line in self.delivered(address) if subject in line]
        until(there, lambda: f"\"{subject}\" is delivered: {self.journal()[-1500:]}", pause=0.1)

    def works(self):
        """Mail still comes in."""
        self.until_delivered(ANN, self.add(ANN))

    def check_nothing_twice(self):
        for address in (ANN, BEN):
            twice = [line for line, count in self.delivered(address).items() if count > 1]
            check(not twice, f"delivered twice to {address}: {twice}")

    def submit(self, subject, user=USER, recipient=BEN):
        """As a program calls sendmail: the status of exsync-submit."""
        return self.call("exsync-submit", "-t", user=user,
                         given=f"From: {ANN}\nTo: {recipient}\nSubject: {subject}\n\nhello\n").returncode

    def sent(self, subject, recipient=BEN):
        """How often Exchange has delivered it to the recipient."""
        return len(self.exchange.items(recipient, "Inbox", subject=subject))

    def until_sent(self, subject, recipient=BEN):
        until(lambda: self.sent(subject, recipient),
              lambda: f"\"{subject}\" is sent: {self.journal()[-1500:]}", pause=0.1)


class Shared:
    """The machine that the cases of a program use one after the other; made by the first."""

    def __init__(self, kind=Mailhost):
        self.kind = kind
        self.machine = None
        self.wrong = None

    def __call__(self):
        if self.wrong is not None:
            raise self.wrong
        if self.machine is None:
            try:
                self.machine = self.kind()
                self.machine.installed()
            except Exception as wrong:
                self.wrong = wrong
                self.close()
                raise
        return self.machine

    def close(self):
        if self.machine is not None:
            self.machine.close()
            self.machine = None
