#!/usr/bin/env python3
"""bash completion of exsyncctl: by the function that bash calls, and by a terminal on which somebody
presses Tab."""

import os
import pathlib
import pty
import re
import select
import subprocess
import time

from exsyncctl import Exsyncctl
from harness import ROOT, Broken, case, check, check_equal, main, program
from scene import ANN, BEN, PROFILE, Scene

COMPLETION = ROOT / "tools/completion/exsyncctl"
NOWHERE = "/nonexistent/control.sock"
ASK = r"""
source "$1"
COMP_LINE=$2 COMP_POINT=${#2}
COMP_WORDBREAKS=$3
read -r -a COMP_WORDS <<<"$2"
[[ $2 == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_exsyncctl
printf '%s\n' "${COMPREPLY[@]}"
"""
WITHOUT_AT, WITH_AT = " \t\n\"'><=;|&(:", " \t\n\"'@><=;|&(:"


def environment():
    """With the program of the build under test in front of the others."""
    path = f"{pathlib.Path(program('exsyncctl')).parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "LC_ALL": "C.UTF-8"}


def completed(words, breaks=WITHOUT_AT):
    """What bash would offer behind the words; sorted. Nothing may be said on standard error."""
    result = subprocess.run(["bash", "--norc", "-c", ASK, "bash", str(COMPLETION), words, breaks],
                            stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, env=environment(), timeout=60, check=False)
    check_equal(result.stderr, "", f"standard error of completing {words!r}")
    return sorted(result.stdout.split("\n")[:-1]) if result.stdout.strip() else []


def commands():
    told = subprocess.run([program("exsyncctl"), "--help"], stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    told = told[told.index("\nCommands "):told.index("\nOptions:")]
    return re.findall(r"(?m)^  ([a-z]+(?: [a-z]+)?)(?= )", told)


def options(*words):
    told = subprocess.run([program("exsyncctl"), *words, "--help"], stdout=subprocess.PIPE,
                          text=True, check=True).stdout
    return re.findall(r"(?m)^  (--[a-z-]+)", told)


@case("Commands are completed: all that the program has, and the second word of those with two")
def _():
    wanted = sorted({name.split()[0] for name in commands()})
    check_equal(completed("exsyncctl "), wanted, "behind the program")
    check_equal(completed("exsyncctl sta"), ["status"], "the beginning of a command")
    check_equal(completed("exsyncctl --json sta"), ["status"], "behind an option")
    for first in {name.split()[0] for name in commands() if " " in name}:
        check_equal(completed(f"exsyncctl {first} "),
                    sorted(name.split()[1] for name in commands() if name.startswith(first + " ")),
                    f"behind {first}")
    check_equal(completed("exsyncctl nonsense "), [], "behind no command")


@case("Options are completed: those of the program, and with a command those of both")
def _():
    general = options()
    check(len(general) > 3, f"the options of the program are {general}")
    check_equal(completed("exsyncctl -"), sorted(general), "without a command")
    for name in commands():
        check_equal(completed(f"exsyncctl {name} --"), sorted({*general, *options(*name.split())}),
                    f"behind {name}")
    check_equal(completed("exsyncctl trace --sub"), ["--subject"], "the beginning of an option")


@case("Without the daemon there are no names, and nothing is said")
def _():
    for words in ("mailbox show ", "profile show ", "sync now --profile ", "trace x --mailbox ",
                  "log a"):
        check_equal(completed(f"exsyncctl --socket {NOWHERE} {words}"), [], f"behind {words}")


@case("Names of mailboxes and profiles are asked from the daemon")
def _():
    with Scene([ANN, BEN]) as scene:
        scene.daemon.start()
        scene.daemon.until_started()
        start = f"exsyncctl --socket {Exsyncctl(scene).socket} "
        quoted = PROFILE.replace(" ", "\\ ")
        for words, wanted in {"mailbox show ": [ANN, BEN], "mailbox show a": [ANN],
                              "mailbox show A": [ANN], "log ": [ANN, BEN], "log z": [],
                              "sync now be": [BEN], "sync now --wait ": [ANN, BEN],
                              "profile show ": [quoted], "sync now --profile C": [quoted],
                              "mailbox list --profile ": [quoted], "trace 4711 --mailbox ": [ANN, BEN],
                              "mailbox list ": [], "status ": [], "reload ": []}.items():
            check_equal(completed(start + words), wanted, f"behind {words}")
        check_equal(completed(start + "log ann@ex"), [ANN], "where @ breaks no words")
        check_equal(completed(start + "log ann@ex", WITH_AT), ["@example.com"],
                    "where @ breaks words")


@case("Files are completed where a command takes one")
def _():
    check_equal(completed(f"exsyncctl --config {ROOT}/READ"), [f"{ROOT}/README.md"], "--config")
    check_equal(completed(f"exsyncctl trace {ROOT}/READ"), [f"{ROOT}/README.md"], "trace")


def press_tab(line, wanted, *setup):
    """Types the line and Tab at a prompt, until `wanted` stands there."""
    process, terminal = pty.fork()
    if process == 0:
        os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"],
                   {**environment(), "PS1": "$ ", "TERM": "dumb", "HISTFILE": "/dev/null"})
    shown = b""
    try:
        commands = [*setup, f"source {COMPLETION}", "bind 'set bell-style none'", "echo rea''dy"]
        os.write(terminal, ("\n".join(commands) + "\n").encode())
        end, typed = time.monotonic() + 30, False
        while wanted.encode() not in shown:
            check(time.monotonic() < end, lambda: f"the terminal shows {shown[-600:]!r}")
            if select.select([terminal], [], [], 0.2)[0]:
                shown += os.read(terminal, 65536)
            if not typed and b"\nready" in shown.replace(b"\r", b""):
                typed, shown = True, b""
                os.write(terminal, line.encode() + b"\t")
    except OSError as error:
        raise Broken(f"the shell has ended: {error}; it has shown {shown[-600:]!r}") from None
    finally:
        os.close(terminal)
        os.waitpid(process, 0)


@case("Somebody who presses Tab gets the whole name, whether or not @ breaks words")
def _():
    with Scene([ANN, BEN]) as scene:
        scene.daemon.start()
        scene.daemon.until_started()
        start = f"exsyncctl --socket {Exsyncctl(scene).socket} "
        press_tab("exsyncctl rel", "exsyncctl reload ")
        for option in ("-s", "-u"):
            press_tab(start + "log an", f"log {ANN} ", f"shopt {option} hostcomplete")
            press_tab(start + "log ann@ex", f"log {ANN} ", f"shopt {option} hostcomplete")
        press_tab(start + "profile show Con", "profile show " + PROFILE.replace(" ", "\\ ") + " ")


main()
