#!/usr/bin/env python3
"""The manual pages say what the programs do: no option, command, message or field is missing from its
page, or is there and not in the program. (The keys of the configuration: test_config_manual.)

    test_pages.py --write    writes the list of kinds of messages in exsyncd.8 anew
"""

import re
import shutil
import subprocess
import sys

from harness import ROOT, Skipped, case, check, check_equal, main, program

PAGES = {path.name: path for path in sorted((ROOT / "docs").glob("*.[58]"))}
NOWHERE = "/nonexistent-exsyncd"


def lines_of(page):
    return PAGES[page].read_text(encoding="utf-8").splitlines()


def part(page, begin, end):
    """The lines between two lines that begin so."""
    lines = lines_of(page)
    start = next((i for i, line in enumerate(lines) if line.startswith(begin)), None)
    check(start is not None, f"{page} has no line {begin!r}")
    stop = next((i for i in range(start + 1, len(lines)) if lines[i].startswith(end)), None)
    check(stop is not None, f"{page} has no line {end!r} behind {begin!r}")
    return lines[start + 1:stop]


def run(name, *words):
    return subprocess.run([program(name), *words], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)


def help_of(name, *words):
    result = run(name, *words, "--help")
    check_equal((result.returncode, result.stderr), (0, ""), f"{name} {words} --help")
    return result.stdout


def items(lines, macro):
    return [line for line in lines if line.startswith(f".It {macro} ")]


def flags(line):
    """The options that a line names: "-c", "--config"."""
    return [f"-{flag}" for flag in re.findall(r"\bFl ([A-Za-z0-9-]+)", line)]


# --- all pages -----------------------------------------------------------------------------------

@case("There is a page for each program and for the configuration")
def _():
    check_equal(sorted(PAGES), ["exsync-submit.8", "exsyncctl.8", "exsyncd.8", "exsyncd.conf.5"],
                "pages")


@case("mandoc has nothing to say against them")
def _():
    if shutil.which("mandoc") is None:
        raise Skipped("there is no mandoc")
    for path in PAGES.values():
        result = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", str(path)], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        check_equal((result.returncode, result.stdout), (0, ""), f"mandoc on {path.name}")


@case("the README is whole where it is installed, without the folders beside it")
def _():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    dead = [link for link in re.findall(r"\]\(([^)]+)\)", readme)
            if not re.match(r"https?://|#", link)]
    check_equal(dead, [], "links that lead nowhere from /usr/share/doc/exsyncd")


@case("They name each other, and the README names them")
def _():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for page in PAGES:
        name, _, section = page.rpartition(".")
        check(f"{name}({section})" in readme, f"the README does not name {name}({section})")
        for other in PAGES:
            link = ".Xr " + " ".join(other.rpartition(".")[::2])
            check(other == page or any(line.startswith(link) for line in lines_of(page)),
                  f"{page} does not name {other}")


@case("They have the sections that people look for")
def _():
    for page in PAGES:
        found = [line.removeprefix(".Sh ") for line in lines_of(page) if line.startswith(".Sh ")]
        wanted = ["NAME", "DESCRIPTION", "FILES", "EXAMPLES", "SEE ALSO", "SECURITY CONSIDERATIONS"]
        wanted += ["SYNOPSIS", "EXIT STATUS"] if page.endswith(".8") else []
        check_equal([name for name in wanted if name not in found], [], f"{page} lacks")


# --- exsyncd -------------------------------------------------------------------------------------

@case("exsyncd.8 has the options of exsyncd, and no others")
def _():
    listed = re.findall(r"(?m)^ {2,6}(?:(-\w), )?(--[\w-]+)(?: ([A-Z]+))?", help_of("exsyncd"))
    wanted = sorted(flag for short, long, _ in listed for flag in (short, long) if flag)
    described = items(part("exsyncd.8", "The options are:", ".Ss"), "Fl")
    check_equal(sorted(flag for line in described for flag in flags(line)), wanted, "options")
    synopsis = "\n".join(part("exsyncd.8", ".Sh SYNOPSIS", ".Sh DESCRIPTION"))
    named = [f"-{flag}" for flag in re.findall(r"(?:Fl|\|) ([a-z-]+)", synopsis)]
    check_equal(sorted(named), wanted, "options of the synopsis")
    for _, long, argument in listed:
        line = next(line for line in described if long in flags(line))
        check_equal(set(re.findall(r"Ar ([A-Z]+)", line)), {argument} - {""}, f"value of {long}")


@case("exsyncd.8 has the exit status and the signals that exsyncd tells of")
def _():
    told = help_of("exsyncd")
    status = told[told.index("Exit status:"):told.index("Signals:")]
    described = [line.split()[1] for line in part("exsyncd.8", ".Sh EXIT STATUS", ".Sh SIGNALS")
                 if line.startswith(".It ")]
    check_equal(described, re.findall(r"\b\d+\b", status), "exit status")
    described = re.findall(r"SIG\w+", "\n".join(items(part("exsyncd.8", ".Sh SIGNALS", ".Sh"), "Dv")))
    wanted = re.findall(r"SIG\w+", told[told.index("Signals:"):])
    check_equal(sorted(described), sorted([*wanted, "SIGINT"]), "signals")


@case("exsyncd.8 has the fields of the journal")
def _():
    fields = re.findall(r'"(EXSYNC_\w+)="', (ROOT / "common/base/log.c").read_text())
    described = [line.split()[2] for line in items(part("exsyncd.8", ".Sh DIAGNOSTICS", ".Sh"), "Ev")]
    check_equal(described, [*fields, "MESSAGE_ID"], "fields")


def kinds_of_messages():
    """The list as the page has it."""
    messages = re.findall(r'#define MESSAGE_\w+\s+"([0-9a-f]{32})"',
                          (ROOT / "daemon/messages.h").read_text())
    subjects = dict(re.findall(r"(?m)^-- ([0-9a-f]{32})\nSubject: (.+)$",
                               (ROOT / "systemd/exsyncd.catalog").read_text()))
    return "".join(f".It {number}\n{subjects[number]}.\n" for number in messages)


LISTED = re.compile(r"(?:\.It [0-9a-f]{32}\n.+\n)+")


@case("exsyncd.8 has each kind of message, in the words of the catalog")
def _():
    listed = LISTED.findall(PAGES["exsyncd.8"].read_text(encoding="utf-8"))
    check_equal(len(listed), 1, "lists of messages")
    check(listed[0] == kinds_of_messages(),
          "the list of exsyncd.8 differs from messages.h and the catalog; write it anew with "
          "tests/integration/test_pages.py --write")


# --- exsync-submit -------------------------------------------------------------------------------

def submit(*words):
    return run("exsync-submit", "--state-directory", NOWHERE, *words)


@case("exsync-submit.8 has the options that exsync-submit tells of")
def _():
    told = set(re.findall(r"(?<![\w-])--?\w[\w-]*", help_of("exsync-submit").split("\n\n", 1)[1]))
    described = {flag for line in items(lines_of("exsync-submit.8"), "Fl") for flag in flags(line)}
    described.add("-oi" if ".It Fl i , oi" in lines_of("exsync-submit.8") else "")
    check_equal(sorted(told - described), [], "options that are told of and not on the page")
    long = {flag for flag in described if flag.startswith("--")}
    check_equal(sorted(long), ["--help", "--state-directory", "--version"], "long options")


@case("exsync-submit.8 has the letters that exsync-submit takes, and no others")
def _():
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    taken = {letter for letter in letters
             if f"unknown option -{letter};" not in submit(f"-{letter}", "x", "--", "a@b.c").stderr}
    described = {flag[1] for line in items(lines_of("exsync-submit.8"), "Fl")
                 for flag in flags(line) if flag[1] != "-"}
    check_equal(sorted(described), sorted(taken), "letters")


@case("exsync-submit.8 says truly what has nothing to do, and what is refused")
def _():
    for flag, wanted in (("-bi", 0), ("-I", 0), ("-q", 0), ("-q5m", 0), ("-bp", 69), ("-bs", 69),
                         ("-bd", 69), ("-bt", 69), ("-bv", 69)):
        check(f".It Fl {flag[1:3].rstrip('5')}" in "\n".join(lines_of("exsync-submit.8")),
              f"{flag} is not on the page")
        check_equal(submit(flag).returncode, wanted, f"exit status of {flag}")
    for words in (["-B", "7BIT"], ["-bm"], ["-O", "x=y"], ["-d9"], ["-v"]):
        check_equal(submit(*words, "a@b.c").returncode, 73, f"exit status of {words}")


# --- exsyncctl -----------------------------------------------------------------------------------

def commands():
    """The commands that the program tells of, with their arguments."""
    told = help_of("exsyncctl")
    listed = told[told.index("\nCommands "):told.index("\nOptions:")].splitlines()[1:]
    found = {}
    for line in listed:
        match = re.match(r"  ([a-z]+(?: [a-z]+)?)(?: (?! )(\S.*?))?(?:  .*)?$", line)
        if match:
            found[match[1]] = match[2] or ""
    check(len(found) > 5, f"the commands cannot be read from {told}")
    return found


def options_of(text):
    """The options of a help: with the name of the value, or nothing."""
    return dict(re.findall(r"(?m)^  --([a-z-]+)(?: ([A-Z]+))?(?:  .*)?$",
                           text[text.index("Options:"):] if "Options:" in text else ""))


def described_commands():
    """Those of the page: the words behind the name, and the options that are described below."""
    found, name = {}, None
    for line in part("exsyncctl.8", ".Ss How mailboxes are", ".Sh ENVIRONMENT"):
        if line.startswith(".It Ic "):
            words = line.removeprefix(".It Ic ")
            name = re.match(r"[a-z]+(?: [a-z]+)?(?= |$)", words)[0]
            check(name not in found, f"{name} stands on the page twice")
            found[name] = (words.removeprefix(name), {})
        elif line.startswith(".It Fl "):
            match = re.fullmatch(r"\.It Fl -([a-z-]+)(?: Ar ([A-Z]+))?", line)
            check(match, f"{line} is no option")
            found[name][1][match[1]] = match[2] or ""
    return found


def usage_of(words):
    """mdoc as the program writes it: "Ar A | B Op Fl -x Ar Y" is "A|B [--x Y]"."""
    words = re.sub(r"\b(?:Oo|Op) (.*?)(?: Oc(?= |$)|$)", r"[\1]", words.strip())
    words = re.sub(r"\b(?:Oo|Op) (.*?)(?: Oc(?= |$)|$)", r"[\1]", words)
    return re.sub(r"\bAr ", "", re.sub(r"\bFl ", "-", words)).replace(" | ", "|")


@case("exsyncctl.8 has the commands of exsyncctl with their arguments, and no others")
def _():
    described = described_commands()
    check_equal(sorted(described), sorted(commands()), "commands")
    for name, (words, _) in described.items():
        told = help_of("exsyncctl", *name.split()).splitlines()[0]
        check_equal(usage_of(words), told.removeprefix(f"Usage: exsyncctl {name}").strip(), name)


@case("exsyncctl.8 has the options of each command, and no others")
def _():
    for name, (_, options) in described_commands().items():
        check_equal(options, options_of(help_of("exsyncctl", *name.split())), f"options of {name}")


@case("exsyncctl.8 has the options that all commands have")
def _():
    described = items(part("exsyncctl.8", "These options may", ".Ss"), "Fl")
    found = dict(re.match(r".*Fl -([a-z-]+)(?: Ar ([A-Z]+))?$", line).groups("") for line in described)
    check_equal(found, options_of(help_of("exsyncctl")), "options")


@case("exsyncctl.8 tells what --json prints of each command")
def _():
    described = [name.strip() for line in items(part("exsyncctl.8", ".Sh JSON", ".Sh"), "Ic")
                 for name in line.removeprefix(".It Ic ").split(" , ")]
    check_equal(sorted(described), sorted(set(commands()) - {"log"}), "commands")


def write():
    page = PAGES["exsyncd.8"]
    page.write_text(LISTED.sub(lambda _: kinds_of_messages(), page.read_text(encoding="utf-8")),
                    encoding="utf-8")


if "--write" in sys.argv:
    write()
else:
    main()
