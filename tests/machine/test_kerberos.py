#!/usr/bin/python3
"""auth = negotiate as a service: a key table signs in from within the sandbox of the unit, where its
tickets are in memory and nowhere else."""

import os
import pathlib
import shutil
import subprocess

from machine import ROOT, Broken, Skipped, check, check_equal, enter_namespace, until
from mailhost import ANN, BEN, CARLA, PASSWORD_FILE, Mailhost, Shared

from harness import case, main
from scene import ACCOUNT, Exchange

KEYS = "/etc/exsyncd/client.keytab"
PRINCIPAL = f"{ACCOUNT}@EXSYNCD.TEST"


class KerberosHost(Mailhost):
    """Its simulated Exchange stands behind an Apache that wants a ticket of a real KDC."""

    def __init__(self):
        self.domain = self.folder = None
        for name in ("krb5kdc", "apache2"):
            if shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None:
                raise Skipped(f"{name} is not installed (scripts/install-deps check)")
        super().__init__()

    def close(self):
        if self.domain is not None:
            self.domain.communicate()  # the end of its input ends it
        super().close()

    def start_domain(self):
        self.exchange = Exchange([ANN, BEN, CARLA], ["--trust-proxy-user", "X-Remote-User"])
        self.domain = subprocess.Popen([ROOT / "tests/machine/kerberos_exchange.sh",
                                        self.exchange.url], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = []
        for line in self.domain.stdout:
            said.append(line)
            if line.startswith("ready "):
                self.folder, self.url = pathlib.Path(line.split()[1]), line.split()[2]
                return
        raise Broken(f"no domain: {said}")

    def serving(self):
        """Set up as README.md says, with a key table that is a file."""
        self.installed()
        if self.exchange is None:
            self.start_domain()
            self.path("/etc/krb5.conf").write_bytes((self.folder / "krb5.conf").read_bytes())
            self.keys["profile"] = {"url": self.url, "auth": "negotiate", "username": None,
                                    "password_file": None}
            del self.keys[ANN]["outgoing"], self.keys[ANN]["submitters"]
            self.configure()
        return self

    def install_keys(self, name, path, *options):
        """Copies a key table of the domain into the machine, as an administrator does."""
        (self.path("/root") / name).write_bytes((self.folder / name).read_bytes())
        self.run("install", *options, f"/root/{name}", path)

    def tickets(self):
        """How often the KDC has signed the account in."""
        return sum(PRINCIPAL in line and "AS_REQ" in line and "ISSUE" in line
                   for line in (self.folder / "kdc.log").read_text().splitlines())

    def restart(self, unit):
        self.drop_in(f"[Service]\n{unit}")
        self.run("systemctl", "restart", "exsyncd")

    def until_told(self, *words):
        """What the daemon that runs now says of its account."""
        def told():
            lines = self.journal(f"_PID={self.process()}").splitlines()
            return [line for line in lines if all(word in line for word in words)]
        return until(told, lambda: f"the journal has {words}: {self.journal()[-1500:]}", pause=0.1)[0]


machine = Shared(KerberosHost)


@case("a key table in /etc/exsyncd signs in, is signed in by again in time, and leaves no ticket")
def _():
    host = machine().serving()
    host.install_keys("client.keytab", KEYS, "-g", "exsyncd", "-m", "640")
    host.restart(f"Environment=KRB5_CLIENT_KTNAME={KEYS}\n")
    host.works()
    begun = host.tickets()
    until(lambda: host.tickets() > begun, "the account signs in again while its ticket is good",
          pause=0.1)
    host.works()
    check_equal(host.journal(f"_PID={host.process()}", "--priority=warning"), "", "what is wrong")
    inside = ["nsenter", f"--target={host.process()}", "--mount", "--"]
    found = host.ask(*inside, "find", "/tmp", "/var/tmp", "/run/exsyncd", "/var/lib/exsyncd",
                     "-name", "*krb5*")
    check_equal(found, "", "caches of tickets and of replays")


@case("a key table as a credential, which no user can read, signs in")
def _():
    host = machine().serving()
    host.run("rm", "-f", KEYS)
    host.install_keys("client.keytab", "/root/exchange.keytab", "-m", "600")
    begun = host.tickets()
    host.restart("LoadCredential=exchange.keytab:/root/exchange.keytab\n"
                 "Environment=KRB5_CLIENT_KTNAME=%d/exchange.keytab\n")
    host.works()
    check(host.tickets() > begun, "it has signed in otherwise")


@case("a password signs in, too")
def _():
    host = machine().serving()
    host.write_password(PASSWORD_FILE, (host.folder / "password").read_text())
    host.keys["profile"] |= {"username": ACCOUNT, "password_file": PASSWORD_FILE}
    host.configure()
    begun = host.tickets()
    host.restart("")
    host.works()
    check(host.tickets() > begun, "it has signed in otherwise")
    host.keys["profile"] |= {"username": None, "password_file": None}
    host.configure()


@case("a key table that the service may not read, or that is out of date, is told as that")
def _():
    host = machine().serving()
    host.install_keys("client.keytab", KEYS, "-m", "600")
    host.restart(f"Environment=KRB5_CLIENT_KTNAME={KEYS}\n")
    host.until_told("key table may not be read", KEYS, "Permission denied", "chgrp exsyncd")
    host.install_keys("old.keytab", KEYS, "-g", "exsyncd", "-m", "640")
    host.run("systemctl", "reload", "exsyncd")
    host.until_told("did not accept the key of the client key table", "Make the key table")
    host.install_keys("client.keytab", KEYS, "-g", "exsyncd", "-m", "640")
    host.run("systemctl", "reload", "exsyncd")
    host.works()


if __name__ == "__main__":
    enter_namespace()
    try:
        main(side_by_side=1)
    finally:
        machine.close()
