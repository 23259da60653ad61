#!/usr/bin/env python3
"""The command line of exsyncctl: its help, its mistakes and what they teach, and the configuration
that leads it to the daemon or to the database."""

import os
import subprocess

from alerting import AlertScene
from daemon_process import program_environment
from exsyncctl import EX_CONFIG, EX_NOPERM, EX_UNAVAILABLE, EX_USAGE, Exsyncctl
from harness import Skipped, case, check, check_equal, main, program
from scene import ANN, Scene
from viewing import started

EX_NOINPUT = 66
NOBODY = 65534


class Bare(Exsyncctl):
    """Without --socket and --config."""

    def __init__(self, user=None):
        self.user, self.groups = user, ()
        self.environment = program_environment(user)

    def command(self, *words):
        user = [] if self.user is None else ["setpriv", "--reuid", str(self.user), "--clear-groups"]
        return [*user, program("exsyncctl"), *[str(word) for word in words]]


# --- help ----------------------------------------------------------------------------------------

@case("help of all fits a terminal of 80 columns, and names groups of commands and global options")
def _():
    told = Bare().output("--help")
    check(all(len(line) <= 80 for line in told.splitlines()), f"lines are too long: {told}")
    check(all(line == line.rstrip() for line in told.splitlines()), f"blanks at an end: {told}")
    for words in ("[--json] [--socket PATH] [--config FILE] COMMAND", "Commands that show",
                  "Commands for outgoing messages:", "\nOptions:\n  --json", "--help", "--version",
                  "Exit status: 0"):
        check(words in told, f"{words!r} is not in {told}")
    items = [line for line in told.splitlines() if line.startswith("  ") and line[2] != " "]
    columns = {line.index(line[2:].split("  ")[-1].lstrip()) for line in items}
    check_equal(len(columns - {min(columns)}) <= 1, True, f"columns of the summaries: {columns}")
    check_equal(Bare().output("-h"), told, "-h")


@case("help of a group shows its commands, whichever comes first; of a command its usage")
def _():
    tool = Bare()
    for words in (("queue", "--help"), ("--help", "queue"), ("queue", "-h"), ("--json", "queue", "-h"),
                  ("queue", "nonsense", "--help")):
        told = tool.output(*words)
        check(told.startswith("Usage: exsyncctl queue COMMAND"), f"{words} says {told!r}")
        for name in ("queue list [ADDRESS]", "queue flush", "--config FILE"):
            check(name in told, f"{name!r} is not in {told!r}")
        check("status" not in told, f"{words} tells of other commands: {told!r}")
    for group in ("sync", "mailbox", "profile"):
        check(f"  {group} " in tool.output(group, "--help"), f"{group} --help tells no command")
    told = tool.output("sync", "now", "--help")
    check("--wait" in told and "--socket PATH" in told, told)


# --- mistakes ------------------------------------------------------------------------------------

MISTAKES = [
    ([], ["say what to do", "exsyncctl --help"]),
    (["queue"], ["queue list", "queue flush"]),
    (["queue", "lsit"], ['did you mean "queue list"?']),
    (["queue", "--failed"], ["queue list"]),
    (["statsu"], ['did you mean "status"?']),
    (["sycn", "now", ANN], ['did you mean "sync now"?']),
    (["mailboxes"], ["mailbox list"]),
    (["list"], ["mailbox list", "queue list"]),
    (["help"], ["--help"]),
    (["nonsense"], ['no command "nonsense"', "exsyncctl --help"]),
    (["--watch", "status"], ["exsyncctl status --watch"]),
    (["status", "--wach"], ["did you mean --watch?", "Usage: exsyncctl status"]),
    (["status", "--nonsense"], ['"status" has no option --nonsense']),
    (["status", "-w"], ["two dashes"]),
    (["status", "now"], ["too much"]),
    (["trace", "order", "4711"], ["quotation marks"]),
    (["mailbox", "show"], ["ADDRESS"]),
    (["mailbox", "show", ""], ["is empty"]),
    (["--socket"], ["--socket PATH"]),
    (["--socket="], ["--socket PATH"]),
    (["--config"], ["--config FILE"]),
    (["status", "--json=yes"], ["takes no value"]),
    (["sync", "now", "--profile", "--wait"], ["--profile NAME"]),
    (["mailbox", "list", "--profile"], ["--profile NAME"]),
    (["trace", "x", "--mailbox"], ["--mailbox ADDRESS"]),
    (["redeliver", ANN], ["--since"]),
    (["redeliver", ANN, "--since", "nonsense"], ["2h"]),
    (["alerts", "0"], ["0"]),
    (["alerts", "99999999999999999999"], ["number"]),
    (["log", "anna"], ["'anna' is no address", "anna@contoso.com"]),
    (["log", "anna@contoso..com"], ["dot"]),
    (["log", ANN, "--lines", "0"], ["--lines 0", "a number from 1"]),
    (["log", ANN, "--lines", "12x"], ["--lines 12x", "a number from 1"]),
    (["log", ANN, "--lines", "99999999999999999999"], ["a number from 1"]),
    (["log", ANN, "--since", "tomorow"], ["--since tomorow", "yesterday"]),
]


@case("a mistake on the command line is told on standard error, with what to write instead")
def _():
    tool = Bare()
    for words, saying in MISTAKES:
        err = tool.fails(EX_USAGE, *words, saying=saying)
        check(err.startswith("exsyncctl: "), f"{words} says {err!r}")
        check_equal(err.count("exsyncctl: "), 1, f"sentences of {words}, which says {err!r}")
        check("Usage: exsyncctl" in err or "exsyncctl --help" in err, f"{words} says {err!r}")


@case("what is no UTF-8 is a mistake, and never left out: all mailboxes would be meant")
def _():
    latin1 = os.fsdecode(b"m\xfcller@example.com")
    for words in (["queue", "list", latin1], ["queue", "flush", latin1],
                  ["verify", "--repair", latin1], ["verify", "--repair", "--profile", latin1],
                  ["mailbox", "list", "--profile", latin1], ["mailbox", "show", latin1],
                  ["trace", "--mailbox", latin1, "words"], ["trace", latin1],
                  ["trace", "--subject", latin1], ["test", latin1],
                  ["sync", "now", "--profile", latin1]):
        Bare().fails(EX_USAGE, *words, saying="no UTF-8 text")


@case("a path that trace is given must be a file, unless it is said to be a subject")
def _():
    with Scene([ANN]) as scene:
        tool = started(scene)
        for path in (scene.folder / "none.eml", "none.eml", "24/7", "Maildir/ann@example.com/new/1",
                     scene.folder, "./<a@b>"):
            tool.fails(EX_NOINPUT, "trace", path, saying=[f"no such file: {path}", "--subject"])
        check_equal(tool.run("trace", "24/7", "--subject")[0], 1, "status of a subject with a slash")
        check_equal(tool.run("trace", "<a/b@c.example>")[0], 1, "status of a Message-ID with a slash")


# --- the configuration ---------------------------------------------------------------------------

@case("--config leads to the daemon's socket, whatever else is wrong in the file; --socket is before it")
def _():
    with Scene([ANN]) as scene:
        started(scene)
        tool, file = Bare(), scene.daemon.configuration
        check_equal(tool.answers("--config", file, "version")[0]["process"],
                    scene.daemon.process.pid, "the process")
        tool.fails(EX_UNAVAILABLE, "--config", file, "--socket", scene.folder / "none", "version",
                   saying=str(scene.folder / "none"))
        right = file.read_text(encoding="utf-8")
        file.write_text(right + "[mailbox x]\nthis = that\n", encoding="utf-8")
        check_equal(tool.run("--config", file, "reload")[0], EX_CONFIG, "status of reload")
        file.write_text(right.replace("control_socket", "control_sockt"), encoding="utf-8")
        tool.fails(EX_CONFIG, "--config", file, "version",
                   saying=["did you mean control_socket?", "--socket"])
        file.write_text(right, encoding="utf-8")
        tool.fails(EX_CONFIG, "--config", scene.folder / "none", "version", saying="--config")


@case("without a daemon, a configuration that cannot be used is told, and no other database is read")
def _():
    with AlertScene([ANN]) as scene:
        started(scene)
        scene.daemon.stop()
        tool, file = Exsyncctl(scene), scene.daemon.configuration
        check_equal(tool.run("alerts")[0], 0, "status with the right configuration")
        right = file.read_text(encoding="utf-8")
        file.write_text(right + "[mailbox x]\n[mailbox y]\n", encoding="utf-8")
        for words in (("alerts",), ("alerts", "1"), ("failures",)):
            tool.fails(EX_CONFIG, *words, saying=["does not run", "'x' is no address",
                                                  f"--check-config --config {file}"])
        file.write_text(right + "[mailbox x]\n", encoding="utf-8")
        check("other mistakes" not in tool.fails(EX_CONFIG, "alerts"), "there is one mistake")
        file.unlink()
        tool.fails(EX_CONFIG, "alerts", saying=[str(file), "--config"])
        tool.fails(EX_CONFIG, "--json", "failures", saying=str(file))
        file.write_text(right, encoding="utf-8")


@case("what may not be read without a daemon is told as that, with what to do")
def _():
    if os.geteuid() != 0:
        raise Skipped("only root can become somebody else")
    with AlertScene([ANN]) as scene:
        started(scene)
        scene.daemon.stop()
        tool, file = Bare(NOBODY), scene.daemon.configuration
        subprocess.run(["chmod", "755", scene.folder], check=True)
        words = ("--socket", scene.folder / "none", "--config", file, "alerts")
        file.chmod(0o600)
        tool.fails(EX_NOPERM, *words, saying=[str(file), "Permission denied", "become root"])
        tool.fails(EX_NOPERM, "--config", file, "status", saying=[str(file), "--socket"])
        file.chmod(0o644)
        tool.fails(EX_NOPERM, *words, saying=["Permission denied", "become root"])


main(side_by_side=4)
