#!/usr/bin/env python3
"""exsyncctl on a terminal: status that is drawn again and again, colours, and tables in line."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
import unicodedata

from alerting import AlertScene
from exsyncctl import EX_USAGE
from harness import case, check, check_equal, main, until
from scene import ANN, BEN, PROFILE, Scene
from viewing import refused, started, until_state


def width(text):
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else
               0 if unicodedata.combining(character) else 1 for character in text)


def column_of(line, word):
    check(word in line, f"{word!r} is not in {line!r}")
    return width(line[:line.index(word)])


class Terminal:
    """exsyncctl on a terminal of its own, for input, too."""

    def __init__(self, tool, *words, rows=24, columns=100):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.shown = ""
        self.process = subprocess.Popen(tool.command(*words), stdin=self.slave, stdout=self.slave,
                                        stderr=subprocess.PIPE, preexec_fn=self._control,
                                        env={**tool.environment, "TERM": "xterm",
                                             "LANG": "C.UTF-8"})

    def _control(self):
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def read(self, seconds=0.05):
        while select.select([self.master], [], [], seconds)[0]:
            self.shown += os.read(self.master, 65536).decode(errors="replace")

    def until_drawn(self, times):
        def drawn():
            self.read()
            return self.shown.count("\033[H") >= times
        until(drawn, f"the screen is drawn {times} times", seconds=20)

    def press(self, key):
        os.write(self.master, key)

    def ended(self):
        def look():
            self.read()
            return self.process.poll() is not None
        until(look, "exsyncctl ends", seconds=20)
        self.read()
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()
        os.close(self.master)
        os.close(self.slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def check_restored(terminal):
    check_equal(termios.tcgetattr(terminal.slave), terminal.before, "settings of the terminal")
    for begin, end in (("\033[?1049h", "\033[?1049l"), ("\033[?25l", "\033[?25h"),
                       ("\033[?7l", "\033[?7h")):
        check(begin in terminal.shown and terminal.shown.rindex(end) > terminal.shown.rindex(begin),
              f"{end!r} does not come behind {begin!r}")


def rows_on_terminal(tool, columns, *words):
    with Terminal(tool, *words, columns=columns) as terminal:
        check_equal(terminal.ended(), 0, f"exit status of {words}")
        return re.sub(r"\033\[\d*m", "", terminal.shown).splitlines()


def watch_ends(how, wanted):
    with refused() as scene:
        tool = started(scene)
        until_state(tool, BEN, "stopped")
        with Terminal(tool, "status", "--watch", rows=12) as terminal:
            begin = time.monotonic()
            terminal.until_drawn(4)
            check(time.monotonic() - begin > 2.5, "it is drawn more than once a second")
            check("exsyncd 0.1.0: 3 mailboxes" in terminal.shown, "the counts are drawn")
            last = terminal.shown.rsplit("\033[H", 1)[1]
            check(last.count("\r\n") < 12, "more is drawn than the screen has lines")
            how(terminal)
            check_equal(terminal.ended(), wanted, "exit status")
            check_restored(terminal)


@case("status --watch redraws once a second until Ctrl-C, which leaves the terminal as it was")
def _():
    watch_ends(lambda terminal: terminal.press(b"\x03"), -signal.SIGINT)


@case("status --watch ends with q, and leaves the terminal as it was")
def _():
    watch_ends(lambda terminal: terminal.press(b"q"), 0)


@case("status --watch ends when it is terminated, and leaves the terminal as it was")
def _():
    watch_ends(lambda terminal: terminal.process.terminate(), -signal.SIGTERM)


@case("status --watch ends with the daemon, says so behind the screen, and needs a terminal")
def _():
    with Scene([ANN]) as scene:
        tool = started(scene)
        tool.fails(EX_USAGE, "status", "--watch", saying="terminal")
        tool.fails(EX_USAGE, "--json", "status", "--watch")
        with Terminal(tool, "status", "--watch") as terminal:
            terminal.until_drawn(1)
            scene.daemon.stop()
            check(terminal.ended() != 0, "it ends as if all were well")
            check_restored(terminal)
            said = terminal.process.stderr.read().decode()
            check_equal(said.count("exsyncctl: "), 1, f"how often it says what has happened: {said!r}")


@case("output is coloured on a terminal without NO_COLOR only, and plain otherwise")
def _():
    with refused() as scene:
        tool = started(scene)
        until_state(tool, BEN, "stopped")
        for words in (("status",), ("mailbox", "list"), ("mailbox", "show", BEN), ("alerts",),
                      ("profile", "show", PROFILE)):
            check("\033[3" in tool.on_terminal(*words), f"{words} has no colour")
            plain = tool.on_terminal(*words, environment={"NO_COLOR": "1"})
            check("\033" not in plain, f"{words} has colours in spite of NO_COLOR")
            check("\033" not in tool.output(*words), f"{words} has colours in a pipe")


@case("long addresses and wide characters leave the columns in line, in a pipe and on a terminal")
def _():
    long = "a" * 60 + "@" + ".".join(["a-long-name-of-a-department"] * 3) + ".example.com"
    wide = "株式会社 電子メール"
    with Scene([ANN, long]) as scene:
        text = scene.daemon.configuration.read_text(encoding="utf-8")
        scene.daemon.configuration.write_text(text.replace(PROFILE, wide), encoding="utf-8")
        tool = started(scene)
        until_state(tool, long, "ok")
        until_state(tool, ANN, "ok")
        utf8 = {"LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        rows = tool.output("mailbox", "list", environment=utf8).splitlines()
        check(long in rows[1] or long in rows[2], "the whole address is told in a pipe")
        for row in rows[1:]:
            check_equal(column_of(row, wide), column_of(rows[0], "PROFILE"), f"profile in {row!r}")
            check_equal(column_of(row, " ok ") + 1, column_of(rows[0], "STATE"), f"state in {row!r}")
        for columns in (60, 80, 100):
            shown = rows_on_terminal(tool, columns, "mailbox", "list")
            check(any(row.startswith(long + "  ") for row in shown), f"{long} is cut: {shown}")
            rest = [row for row in shown if long not in row]
            check(all(width(row) <= columns for row in rest), f"rows are too wide: {shown}")
            check("STATE" in shown[0] and "PROFILE" not in shown[0], f"columns of {shown[0]!r}")
            for row in rest[1:]:
                check_equal(column_of(row, " ok") + 1, column_of(shown[0], "STATE"), f"{row!r}")


@case("columns are in line without a locale of the user's, as cron and sudo leave it")
def _():
    wide = "株式会社"
    with Scene([ANN]) as scene:
        text = scene.daemon.configuration.read_text(encoding="utf-8")
        scene.daemon.configuration.write_text(text.replace(PROFILE, wide), encoding="utf-8")
        tool = started(scene)
        until_state(tool, ANN, "ok")
        for locale in ({"LANG": ""}, {"LC_ALL": "C"}, {"LC_ALL": "xx_XX.UTF-8"}):
            rows = tool.output("mailbox", "list", environment=locale).splitlines()
            check_equal(column_of(rows[1], " ok ") + 1, column_of(rows[0], "STATE"), f"{locale}: {rows}")


@case("status --watch cuts the lines that are longer than the terminal")
def _():
    with refused() as scene:
        tool = started(scene)
        until_state(tool, BEN, "stopped")
        with Terminal(tool, "status", "--watch", columns=30) as terminal:
            terminal.until_drawn(2)
            drawn = terminal.shown.split("\033[H")[1]
            terminal.press(b"q")
            check_equal(terminal.ended(), 0, "exit status")
        lines = re.sub(r"\033\[[\d?]*[A-Za-z]|\r", "", drawn).split("\n")
        check(len(lines) > 8 and lines[0] == "exsyncd 0.1.0: 3 mailboxes on 1 profile"[:30],
              f"it is drawn: {lines}")
        check(all(width(line) <= 30 for line in lines), f"lines are too wide: {lines}")


@case("--json on a terminal escapes what the terminal would obey")
def _():
    with Scene([ANN]) as scene:
        tool = started(scene)
        shown = tool.on_terminal("--json", "backup", f"{scene.folder}/a\u009b31m.db")
        check("\u009b" not in shown and "\\u009b31m" in shown.lower(), f"it prints {shown!r}")
        answer, = tool.answers("--json", "backup", f"{scene.folder}/ä.db")
        check(answer["file"].endswith("ä.db"), f"in a pipe: {answer}")


@case("whatever people copy is whole on a terminal of 80 columns, however long the trouble is")
def _():
    with refused() as scene:
        tool = started(scene)
        until_state(tool, BEN, "stopped")
        for words in (("status",), ("mailbox", "list"), ("alerts",), ("failures",)):
            shown = rows_on_terminal(tool, 80, *words)
            check(any(f"{BEN} " in row for row in shown), f"{BEN} is not whole in {shown}")
            check(all(width(row) <= 80 for row in shown), f"rows are too wide: {shown}")
            check("…" in "".join(shown), f"nothing is cut in {shown}")
            check("…" not in tool.output(*words), f"{words} is cut in a pipe")


@case("words from outside cannot move the cursor")
def _():
    with AlertScene([ANN]) as scene:
        scene.exchange.fault(mailbox=ANN, code="ErrorAccessDenied", count=0,
                             message="no \x9b31m way")
        tool = started(scene)
        until_state(tool, ANN, "stopped")
        for words in (("mailbox", "show", ANN), ("alerts", "1")):
            text = tool.output(*words)
            check("no  31m way" in text.replace("?", " ") or "no 31m way" in text,
                  f"the words are missing in {text}")
            check("\x9b" not in text, f"{words} tells a control character")


main(side_by_side=4)
