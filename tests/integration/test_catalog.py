#!/usr/bin/python3
"""The journal's catalog: an entry for each kind of message, in a form that systemd takes."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from harness import ROOT, Skipped, case, check, check_equal, main

CATALOG = ROOT / "systemd/exsyncd.catalog"
MESSAGES = re.findall(r'#define (MESSAGE_\w+)\s+"([0-9a-f]+)"',
                      (ROOT / "daemon/messages.h").read_text())
FIELDS = set(re.findall(r'"(\w+)="', (ROOT / "common/base/log.c").read_text()))
ALERTS = "IMPERSONATION AUTHENTICATION AUTHORIZATION THROTTLING MAILBOX ITEM NETWORK TLS PROTOCOL " \
         "CONFIGURATION SERVER STORAGE".split()


def entries():
    """Each entry's header fields and text, by MESSAGE_ID."""
    found = {}
    parts = re.split(r"(?m)^-- ([0-9a-f]+)\n", CATALOG.read_text())
    for name, content in zip(parts[1::2], parts[2::2]):
        check(name not in found, f"{name} has two entries")
        header, _, text = content.partition("\n\n")
        found[name] = (re.findall(r"(?m)^([\w-]+): (.+)$", header), text)
    return found


class Journal:
    """journalctl on a tree of its own."""

    def __init__(self, content):
        if shutil.which("journalctl") is None:
            raise Skipped("there is no journalctl")
        self.root = tempfile.TemporaryDirectory(prefix="exsyncd-catalog-")
        for folder in ("usr/lib/systemd/catalog", "var/lib/systemd/catalog"):
            os.makedirs(f"{self.root.name}/{folder}")
        catalog = pathlib.Path(self.root.name, "usr/lib/systemd/catalog/exsyncd.catalog")
        catalog.write_text(content)

    def run(self, *words):
        return subprocess.run(["journalctl", f"--root={self.root.name}", *words],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              env={**os.environ, "SYSTEMD_LOG_LEVEL": "info"})


@case("each MESSAGE_ID is a random one of its own")
def _():
    numbers = [number for _, number in MESSAGES]
    check(len(numbers) > 40, "messages.h was not read")
    check_equal(len(set(numbers)), len(numbers), "different ones")
    for name, number in MESSAGES:
        check_equal(len(number), 32, f"the length of {name}")
        check(number[12] == "4" and number[16] in "89ab", f"{name} was not made at random")


@case("each kind of message has an entry, and each entry is of one")
def _():
    check_equal(list(entries()), [number for _, number in MESSAGES], "the entries")


@case("each category of failure has an alert of its own")
def _():
    check_equal([name for name, _ in MESSAGES if name.startswith("MESSAGE_ALERT_")],
                [f"MESSAGE_ALERT_{word}" for word in ALERTS
                 + ["NOTIFIED", "NOT_NOTIFIED", "RESOLVED", "GROUPED"]], "the alerts")


@case("an entry says in its header what systemd shows")
def _():
    for number, (header, text) in entries().items():
        check_equal([name for name, _ in header][:3], ["Subject", "Defined-By", "Support"], number)
        check("Documentation" in dict(header), f"{number} names no documentation")
        check_equal(dict(header)["Defined-By"], "exsyncd", number)
        check(text.strip(), f"{number} says nothing")


@case("an entry says what is to be done")
def _():
    for number, (_, text) in entries().items():
        words = " ".join(text.split())
        check(re.search(r"needs? to be done|[Cc]heck |[Ll]ook at|[Ww]hat to do|by itself|"
                        r"Tell the sender|submit it|move it back", words),
              f"{number} does not say what to do: {text}")


@case("fields that entries name are fields that the log writes")
def _():
    check("EXSYNC_REMEDY" in FIELDS, "log.c was not read")
    for number, (_, text) in entries().items():
        check_equal(text.count("@") % 2, 0, f"{number}: @ without another")
        for name in re.findall(r"@([^@]*)@", text):
            check(name in FIELDS, f"{number} names @{name}@")


@case("an alert's entry has its account, its profile and its commands")
def _():
    found = entries()
    for name, number in MESSAGES:
        if name.removeprefix("MESSAGE_ALERT_") in ALERTS:
            for field in ("ACCOUNT", "PROFILE", "CAUSE", "DETAILS", "REMEDY"):
                check(f"@EXSYNC_{field}@" in found[number][1], f"{name} does not show {field}")


@case("systemd takes the catalog without a word, and has all of it")
def _():
    journal = Journal(CATALOG.read_text())
    update = journal.run("--update-catalog")
    check_equal((update.returncode, update.stdout, update.stderr), (0, "", ""), "what it said")
    listed = journal.run("--list-catalog")
    check_equal(sorted(line.split()[0] for line in listed.stdout.splitlines()),
                sorted(number for _, number in MESSAGES), "what is listed")
    dumped = journal.run("--dump-catalog").stdout
    for number, (header, text) in entries().items():
        check(f"-- {number}\nSubject: {dict(header)['Subject']}\n" in dumped, f"{number}'s header")
        check(text.strip() in dumped, f"{number}'s text")


@case("what systemd does not take would be seen")
def _():
    update = Journal("text without an id\n" + CATALOG.read_text()).run("--update-catalog")
    check(update.returncode != 0 or update.stderr, "a damaged catalog was taken without a word")


main()
