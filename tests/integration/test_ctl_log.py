#!/usr/bin/env python3
"""exsyncctl log: what is checked before journalctl is run, and what it is run with. The folders of the
journal are the test's own, in a mount namespace; that needs root."""

import os
import shutil
import subprocess

from exsyncctl import EX_NOPERM, EX_NOUSER, EX_UNAVAILABLE, Exsyncctl, started
from harness import Skipped, case, check, check_equal, main, until
from journal import Journal, JournalDaemon
from scene import ANN, BEN, Scene

NOBODY = 65534
UNKNOWN = "zoe@example.com"

# In it: no journal, or a file of one in each of the folders that are named, with this mode.
NAMESPACE = """
set -e
mode=$1 folders=$2; shift 2
for folder in run var; do
    mkdir -p "/$folder/log/journal"
    mount -t tmpfs tmpfs "/$folder/log/journal"
done
for folder in $folders; do
    mkdir "/$folder/log/journal/0"
    touch "/$folder/log/journal/0/system.journal"
    chmod "$mode" "/$folder/log/journal/0/system.journal"
done
exec "$@"
"""


class Logging(Exsyncctl):
    """exsyncctl where the journal is what a test says, and journalctl tells its words."""

    def __init__(self, scene, folders="run var", mode="644", user=None, journalctl=True):
        super().__init__(scene, user)
        if os.geteuid() != 0 or shutil.which("unshare") is None or subprocess.run(
                ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/run"],
                stderr=subprocess.DEVNULL, check=False).returncode != 0:
            raise Skipped("nothing can be mounted here")
        self.folders, self.mode = folders, mode
        folder = scene.folder / ("bin" if journalctl else "empty")
        folder.mkdir(exist_ok=True)
        if journalctl:
            (folder / "journalctl").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
            (folder / "journalctl").chmod(0o755)
        scene.folder.chmod(0o755)
        self.path = {"PATH": f"{folder}:{os.environ['PATH']}" if journalctl else str(folder)}

    def command(self, *words):
        inner = super().command(*words)
        env = [shutil.which("env"), f"PATH={self.path['PATH']}"]
        if self.user is not None:  # setpriv is looked for with the PATH of the test
            return ["unshare", "--mount", "sh", "-c", NAMESPACE, "sh", self.mode, self.folders,
                    *inner[:inner.index("--") + 1], *env, *inner[inner.index("--") + 1:]]
        return ["unshare", "--mount", "sh", "-c", NAMESPACE, "sh", self.mode, self.folders,
                *env, *inner]


@case("log runs journalctl for one mailbox, with times in both ways of writing them")
def _():
    with Scene([ANN]) as scene:
        started(scene)
        tool = Logging(scene)
        found = tool.output("log", ANN.upper(), "--follow", "--since", "-1h", "--lines=5")
        check_equal(found.splitlines(),
                    ["SYSLOG_IDENTIFIER=exsyncd", f"EXSYNC_MAILBOX={ANN}", "--follow", "--since",
                     "-1h", "--lines", "5"], "the words of journalctl")
        words = tool.output("--json", "log", ANN, "--since", "2026-01-31T08:00:00Z").splitlines()
        check_equal(words[2:], ["--since", "@1769846400", "--output=json"], "the words with a time")
        check(tool.output("log", ANN, "--since", "2h").splitlines()[3].startswith("@"), "2h ago")


@case("log asks the daemon whether there is such a mailbox, and goes on when it cannot be asked")
def _():
    with Scene([ANN]) as scene:
        started(scene)
        err = Logging(scene).fails(EX_NOUSER, "log", UNKNOWN,
                                   saying=[UNKNOWN, "mailbox list", f"EXSYNC_MAILBOX={UNKNOWN}"])
        check_equal(err.count("exsyncctl: "), 1, f"sentences of {err!r}")
        status, out, err = Logging(scene, user=NOBODY).run("log", ANN)
        check_equal((status, f"EXSYNC_MAILBOX={ANN}" in out), (0, True), f"of nobody, who got {err!r}")
        check("cannot be checked" in err and "exsync-admin" in err, err)
        scene.daemon.stop()
        status, out, err = Logging(scene).run("log", UNKNOWN)
        check_equal((status, f"EXSYNC_MAILBOX={UNKNOWN}" in out), (0, True), f"without it, with {err!r}")
        check("exsyncd is not running" in err and "cannot be checked" in err, err)


@case("log says when there is no journal, when it may not be read, when it is not kept, and without "
      "journalctl")
def _():
    with Scene([ANN]) as scene:
        started(scene)
        Logging(scene, folders="").fails(EX_UNAVAILABLE, "log", ANN,
                                         saying=["no journal", "systemd-journald"])
        Logging(scene, mode="600", user=NOBODY).fails(EX_NOPERM, "log", ANN,
                                                      saying=["may not read", "systemd-journal"])
        Logging(scene, journalctl=False).fails(EX_UNAVAILABLE, "log", ANN,
                                               saying=["journalctl", "not installed"])
        status, out, err = Logging(scene, folders="run").run("log", ANN)
        check_equal((status, bool(out)), (0, True), "status where the journal is not kept")
        check("not kept" in err and "/var/log/journal" in err, err)


@case("log shows what a real journal has of a mailbox, and nothing of others")
def _():
    with Journal() as journal, Scene([ANN, BEN]) as scene:
        scene.daemon = JournalDaemon(scene.daemon, journal)
        scene.exchange.revoke(BEN)
        scene.daemon.start()
        until(lambda: [entry for entry in journal.entries() if entry.get("EXSYNC_MAILBOX") == BEN],
              "something is logged of the mailbox")
        tool = Exsyncctl(scene)

        def shown(*words):
            return subprocess.run(journal.inside(*tool.command("log", *words)), text=True,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, check=False)
        found = shown(BEN, "--since", "1h")
        check_equal(found.returncode, 0, f"status, with {found.stderr!r}")
        check(BEN in found.stdout and ANN not in found.stdout, f"it shows {found.stdout!r}")


main()
