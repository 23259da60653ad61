#!/usr/bin/python3
"""exsync-submit as programs call it: what it takes, what it refuses and with which exit code, that a
yes is kept whatever happens, and that programs of Debian can send mail through it."""

import concurrent.futures
import contextlib
import os
import pathlib
import pwd
import shlex
import shutil
import signal
import stat
import subprocess
import tempfile
import time

from harness import KEEP, LONG, ROOT, Skipped, case, chance, check, check_equal, main, program

OK, USAGE, DATAERR, NOINPUT, UNAVAILABLE = 0, 64, 65, 66, 69
CANTCREAT, TEMPFAIL, CONFIG = 73, 75, 78
NOBODY = 65534
SANITIZED = "asan" in program("exsync-submit")
# A sanitized process takes ten times as long to begin and to end: only the other ones are many.
FEW = SANITIZED and not LONG
MESSAGES = 100 if FEW else 1000
KILLS = 200 if LONG else 12 if FEW else 60
ME = pwd.getpwuid(os.getuid()).pw_name
MESSAGE = b"From: anna@contoso.com\nTo: ben@contoso.com\nSubject: Order\n\nbody\n"


class Outbox:
    """A state directory of its own and the program before it."""

    def __init__(self, folder):
        self.state = folder
        self.outbox = folder / "outbox"
        self.tmp, self.new = self.outbox / "tmp", self.outbox / "new"
        for path in (self.tmp, self.new):
            path.mkdir(parents=True)
            path.chmod(0o3730)
        self.environment = {"PATH": os.environ["PATH"]}

    def command(self, *arguments):
        return [program("exsync-submit"), f"--state-directory={self.state}", *arguments]

    def call(self, *arguments, message=MESSAGE, **options):
        options = {"env": self.environment, "input": message, **options}
        return subprocess.run(self.command(*arguments), capture_output=True, timeout=120,
                              check=False, **options)

    def files(self):
        return sorted(self.new.iterdir())

    def take(self):
        """The one message that has come, which goes."""
        files = self.files()
        check_equal((len(files), list(self.tmp.iterdir())), (1, []), "files in new/ and in tmp/")
        content = files[0].read_bytes()
        files[0].unlink()
        return content

    def sends(self, *arguments, message=MESSAGE, **options):
        """The message as it is in the outbox."""
        result = self.call(*arguments, message=message, **options)
        check_equal((result.returncode, result.stderr), (OK, b""), f"{arguments}")
        return self.take()

    def refuses(self, status, words, *arguments, message=MESSAGE, **options):
        result = self.call(*arguments, message=message, **options)
        said = result.stderr.decode()
        check_equal(result.returncode, status, f"the exit code of {arguments}, which said {said}")
        check(said.startswith("exsync-submit: ") and said.count("\n") == 1 and ";" in said,
              f"not one line of what and what to do: {said!r}")
        check(words in said, f"{words!r} is not in {said!r}")
        check(not os.path.isdir(self.new) or not self.files(), "a refused message is in new/")
        check(not os.path.isdir(self.tmp) or not list(self.tmp.iterdir()), "a file is left in tmp/")

    def policy(self, text):
        (self.outbox / "policy").write_text(text)


@contextlib.contextmanager
def outbox():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="exsync-submit-"))
    folder.chmod(0o755)
    try:
        yield Outbox(folder / "state")
    finally:
        if not KEEP:
            shutil.rmtree(folder, ignore_errors=True)


def body_of(message):
    return message.replace(b"\r\n", b"\n").partition(b"\n\n")[2]


def fields_of(message, name):
    """The bodies of a header's fields of that name, on one line each."""
    head = message.replace(b"\r\n", b"\n").partition(b"\n\n")[0].replace(b"\n ", b" ").decode()
    return [line.partition(":")[2].strip() for line in head.splitlines()
            if line.lower().startswith(name.lower() + ":")]


# --- the manual page -----------------------------------------------------------------------------


def example(heading):
    """The example of the page below a heading, as it is pasted from the screen: indented."""
    page = (ROOT / "docs" / "exsync-submit.8").read_text(encoding="utf-8")
    lines = page.partition(f"{heading}\n.Bd -literal -offset indent\n")[2].partition("\n.Ed\n")[0]
    check(lines, f"the page has no example {heading!r}")
    return "".join(f"{' ' * 11}{line}\n" for line in lines.replace("\\e", "\\").splitlines())


@case("the example of the manual page sends a message when it is pasted into a shell")
def _():
    with outbox() as box:
        command = box.state / "exsync-submit"
        command.write_text(f"#!/bin/sh\nexec {shlex.join(box.command())} \"$@\"\n", encoding="utf-8")
        command.chmod(0o755)
        result = subprocess.run(["sh"], input=example("Send a message:"), text=True, timeout=120,
                                env={"PATH": f"{box.state}:{os.environ['PATH']}"},
                                capture_output=True, check=False)
        check_equal((result.returncode, result.stderr), (OK, ""), "the shell")
        message = box.take()
        check_equal([fields_of(message, name) for name in ("From", "To", "Subject")],
                    [["sales@contoso.com"], ["you@contoso.com"], ["hello"]], "fields")
        check_equal(body_of(message), b"hi\n", "text")
        check(b"\\" not in message, f"a backslash is in {message!r}")


# --- what it takes -------------------------------------------------------------------------------


@case("a message with From and recipients is taken as it came")
def _():
    with outbox() as box:
        for message in (MESSAGE, MESSAGE.replace(b"\n", b"\r\n"), MESSAGE[:-1],
                        b"From: a@b\nTo: c@d\n\n" + bytes(range(256)) * 2000):
            check_equal(box.sends("-t", "-i", message=message), message, "the message")
        check_equal(box.sends("-i", "BEN@contoso.com"), MESSAGE, "the message")


@case("files belong to the caller, are readable for the group, and have a name that none can guess")
def _():
    with outbox() as box:
        box.call("-t")
        box.call("-t")
        first, second = box.files()
        status = first.stat()
        check_equal((stat.S_IMODE(status.st_mode), status.st_uid), (0o640, os.getuid()), "the file")
        seconds, micros, pid, random = first.name.split(".")
        check(abs(int(seconds) - time.time()) < 100 and len(micros) == 6 and int(pid) > 0 and
              len(random) == 32 and random != second.name.split(".")[3], f"the name {first.name}")


@case("a line with a single dot ends the message, unless -i or -oi says otherwise")
def _():
    with outbox() as box:
        for end in (b".\n", b".\r\n", b"."):
            message = MESSAGE + b"..\n.x\n" + end
            more = message + (b"more\n" if end != b"." else b"")
            check_equal(box.sends("-t", message=more), MESSAGE + b"..\n.x\n", f"up to {end}")
            for option in ("-i", "-oi", "-ti"):
                check_equal(box.sends("-t", option, message=more), more, f"with {option}")
        long = MESSAGE + (b"x" * 70 + b"\n.y\n") * 20000
        check_equal(box.sends("-t", message=long + b".\nmore"), long, "a long message")


@case("the line of an mbox in front of a message is dropped")
def _():
    with outbox() as box:
        message = b"From anna@contoso.com Mon Jan  1 00:00:00 2026\n" + MESSAGE
        check_equal(box.sends("-t", message=message), MESSAGE, "the message")


@case("a message without a header gets one")
def _():
    with outbox() as box:
        message = box.sends("ben@contoso.com", message=b"hello\n")
        check_equal(body_of(message), b"hello\n", "the body")
        check_equal((fields_of(message, "To"), fields_of(message, "Bcc")),
                    (["undisclosed-recipients:;"], ["ben@contoso.com"]), "To and Bcc")
        check(f"{ME}@" in fields_of(message, "From")[0], f"the sender: {message}")
        endless = b"x" * 1000000
        check_equal(body_of(box.sends("ben@contoso.com", message=endless)), endless, "the body")


@case("a message with neither a header nor a text is refused, with either alone it is taken")
def _():
    with outbox() as box:
        for nothing in (b"", b"\n", b" \r\n\t\n", b"From a@b Mon Jan  1 00:00:00 2026\n\n",
                        b"\n" * 300000, b".\nhello\n"):
            box.refuses(DATAERR, "the message is empty", "ben@contoso.com", message=nothing)
            few = len(nothing) < 1000
            box.refuses(DATAERR, "is empty" if few else "no recipients", "-t", message=nothing)
        box.refuses(DATAERR, "the message is empty", "-i", "ben@contoso.com", stdin=subprocess.DEVNULL,
                    message=None)
        for little in (b"Subject: hello\n", b"Subject: hello\n\n", b"\n" * 300000 + b"x", b"\0"):
            box.sends("ben@contoso.com", message=little)


@case("-f and -F say who a message without From is from, the environment never")
def _():
    with outbox() as box:
        bare = MESSAGE.partition(b"\n")[2]
        def sender(*arguments, message=bare):
            return fields_of(box.sends("-t", *arguments, message=message), "From")[0]
        box.environment |= {"USER": "eve", "LOGNAME": "eve", "NAME": "Eve", "MAILNAME": "evil.com"}
        own = sender()
        check(f"{ME}@" in own and "eve" not in own.lower() and "evil" not in own, own)
        check_equal(sender("-f", "x@y.z"), "x@y.z", "-f")
        check_equal(sender("-rx@y.z", "-FAnna"), "Anna <x@y.z>", "-r -F")
        check_equal(sender("-f", "x@y.z", "-F", 'A. "B"'), r'"A. \"B\"" <x@y.z>', "a name to quote")
        check_equal(sender("-f", "x@y.z", "-F", "Jürgen"), "=?UTF-8?Q?J=C3=BCrgen?= <x@y.z>",
                    "a name that is not ASCII")
        check_equal(sender("-f", "x@y.z", "-F", "A\nBcc: b@c"), '"A Bcc: b@c" <x@y.z>',
                    "a name with a line end")
        check(sender("-F", "Anna").startswith("Anna <"), "-F alone")
        check_equal(sender("-f", "x@y.z", "-F", "Eve", message=MESSAGE), "anna@contoso.com",
                    "a From that is there")
        box.refuses(USAGE, "no address", "-t", "-f", "x@y\nBcc: b@c", message=bare)


@case("the null sender is written down as Return-Path: <>, and one that was there does not count")
def _():
    with outbox() as box:
        for null in ("<>", ""):
            check_equal(box.sends("-t", "-f", null), b"Return-Path: <>\n" + MESSAGE, "the message")
        check_equal(box.sends("-t", "-f", "x@y", message=b"Return-Path: <>\n" + MESSAGE), MESSAGE,
                    "the message")


# --- recipients ----------------------------------------------------------------------------------

TWO = b"From: a@b\nTo: Ben <ben@x.y>,\n\tcarl@x.y\nCc: dora@x.y\n\nbody\n"


@case("recipients that are not in the header become Bcc, also with -t")
def _():
    with outbox() as box:
        for arguments in (["-t", "eve@x.y", "carl@x.y"],
                          ["--", "ben@x.y", "carl@x.y", "dora@X.Y", "eve@x.y"]):
            message = box.sends(*arguments, message=TWO)
            check_equal(message, TWO.replace(b"\n\n", b"\nBcc: eve@x.y\n\n"), "the message")


@case("header recipients that were not given are refused, each by name, with what to do")
def _():
    with outbox() as box:
        box.refuses(UNAVAILABLE, "carl@x.y, dora@x.y: in the header", "ben@x.y", message=TWO)
        box.refuses(UNAVAILABLE, "-t, or set recipients_rewrite = yes", "x@x.y", message=TWO)
        many = b"From: a@b\nTo: " + b", ".join(b"u%d@x.y" % i for i in range(500)) + b"\n\n"
        box.refuses(UNAVAILABLE, "u1@x.y, u2@x.y, u3@x.y and 496 more", "u0@x.y", message=many)


@case("with recipients_rewrite = yes the header has those that were given")
def _():
    with outbox() as box:
        box.policy("[submit]\nrecipients_rewrite = yes\n")
        message = box.sends("ben@x.y", "eve@x.y", message=TWO)
        check_equal(message, b"From: a@b\nTo: Ben <ben@x.y>\nBcc: eve@x.y\n\nbody\n", "the message")
        message = box.sends("eve@x.y", message=TWO)
        check_equal(message, b"From: a@b\nTo: undisclosed-recipients:;\nBcc: eve@x.y\n\nbody\n",
                    "the message")
        check_equal(box.sends("-t", message=TWO), TWO, "the message with -t")


@case("a message that is resent goes to those that it is resent to")
def _():
    with outbox() as box:
        resent = b"Resent-From: a@b\nResent-To: eve@x.y\n" + TWO
        check_equal(box.sends("eve@x.y", message=resent), resent, "the message")
        check_equal(box.sends("-t", "f@x.y", message=resent),
                    resent.replace(b"\nFrom", b"\nResent-Bcc: f@x.y\nFrom", 1), "with one more")


# --- what it refuses -----------------------------------------------------------------------------


@case("what is no message, or for nobody, is refused with its own exit code")
def _():
    with outbox() as box:
        box.refuses(DATAERR, "no recipients", "-t", message=b"From: a@b\nSubject: x\n\nbody\n")
        for long in (b"X: y\n" * 60000, b"X: y\n" * 600000, b"X:" + b" y" * 200000,
                     b"X: y\n" + b"Y" * 300000 + b": z\n\n", b"X:" + b"y" * 300000):
            box.refuses(DATAERR, "longer than 256 KB", "-t", message=long)
        box.refuses(USAGE, "no address", "a b")
        box.refuses(USAGE, "no address", "a@b\nBcc: x@y")
        box.refuses(USAGE, "no recipients")
        box.refuses(NOINPUT, "standard input", "-t", input=None, stdin=os.open("/", os.O_RDONLY))
        result = subprocess.run(["sh", "-c", 'exec "$0" "$@" <&- 2>&1', *box.command("-t")],
                                capture_output=True, check=False)
        check_equal(result.returncode, NOINPUT, f"without standard input: {result.stdout}")


@case("what is no sending is a success without a message, or refused in words")
def _():
    with outbox() as box:
        for arguments in (["-bi"], ["-q"], ["-q30m"], ["-I"], ["--help"], ["--version"]):
            result = box.call(*arguments)
            check_equal((result.returncode, box.files()), (OK, []), f"{arguments}")
        box.refuses(UNAVAILABLE, "exsyncctl queue list", "-bp")
        box.refuses(UNAVAILABLE, "SMTP", "-bs")
        for name, status in (("newaliases", OK), ("mailq", UNAVAILABLE), ("sendmail", USAGE)):
            link = box.state / name
            link.symlink_to(program("exsync-submit"))
            check_equal(subprocess.run([link], capture_output=True, check=False).returncode, status,
                        f"called as {name}")


@case("a message that is larger than allowed is refused, one that is just as large is not")
def _():
    with outbox() as box:
        box.policy(f"[submit]\nmax_message_size = {len(MESSAGE)}\n")
        check_equal(box.sends("-t"), MESSAGE, "the message")
        box.refuses(UNAVAILABLE, "max_submission_size", "-t", message=MESSAGE + b"x")
        box.refuses(UNAVAILABLE, "max_submission_size", "-t", message=MESSAGE + b"x" * 1000000)


@case("a policy that cannot be read is told, one of a newer daemon is read")
def _():
    with outbox() as box:
        box.policy("[submit]\nlater = 1\n[more]\nx = y\n")
        box.sends("-t")
        for wrong in ("[submit]\nrecipients_rewrite = perhaps\n",
                      "[submit]\nmax_message_size = 5MB\n", "[submit]\nmin_free = 5MB\n",
                      "nonsense\n"):
            box.policy(wrong)
            box.refuses(CONFIG, "restart exsyncd", "-t")
        (box.outbox / "policy").unlink()
        (box.outbox / "policy").symlink_to("/etc/passwd")
        box.refuses(CONFIG, "policy", "-t")


@case("an outbox that is not there is told with what to do")
def _():
    with outbox() as box:
        for folder in (box.new, box.tmp, box.outbox, box.state):
            folder.rmdir()
            box.refuses(CANTCREAT, "start exsyncd", "-t")


@case("an outbox that the caller may not write to is told with what to do")
def _():
    with outbox() as box:
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
        if not user:
            box.tmp.chmod(0o500)
        box.refuses(CANTCREAT, "mode 2755", "-t", **user)


@case("a message that reaches the file size limit of its process is refused")
def _():
    with outbox() as box:
        large = MESSAGE + b"x" * 100000
        result = subprocess.run(["sh", "-c", 'ulimit -f 8; exec "$0" "$@"', *box.command("-t")],
                                input=large, capture_output=True, check=False)
        check_equal((result.returncode, box.files(), list(box.tmp.iterdir())),
                    (UNAVAILABLE, [], []), f"status and files; it said {result.stderr}")


@contextlib.contextmanager
def small_disk(size):
    """An outbox on a disk of its own."""
    if os.getuid() != 0:
        raise Skipped("only root can mount a small disk")
    with outbox() as box:
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "exsync-test",
                                  box.outbox], capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            raise Skipped(f"no small disk can be mounted: {mounted.stderr.strip()}")
        try:
            box.tmp.mkdir()
            box.new.mkdir()
            yield box
        finally:
            subprocess.run(["umount", "-l", box.outbox], check=False)


@case("a full disk is told as something that passes, and leaves nothing behind")
def _():
    with small_disk("256k") as box:
        box.refuses(TEMPFAIL, "make room", "-t", message=MESSAGE + b"x" * 1000000)
        box.sends("-t")


@case("what is to stay free on the disk stays free, the daemon's copy included")
def _():
    with small_disk("4m") as box:
        box.policy("[submit]\nmin_free = 2000000\n")
        large, larger = MESSAGE + b"x" * 900000, MESSAGE + b"x" * 1200000
        check_equal(box.sends("-t", message=large), large, "the message")
        box.refuses(TEMPFAIL, "less than 2 MB would stay free", "-t", message=larger)
        box.refuses(TEMPFAIL, "outbox_min_free", "-t", message=larger[:-1000])
        box.policy("[submit]\nmin_free = 5000000\n")
        box.refuses(TEMPFAIL, "less than 5 MB would stay free", "-t")
        box.policy("[submit]\nmin_free = 0\n")
        check_equal(box.sends("-t", message=larger), larger, "the message")


# --- nothing lost, nothing half ------------------------------------------------------------------


@case(f"{MESSAGES} messages from 8 processes at once are all there, each as it was given")
def _():
    with outbox() as box:
        def one(i):
            message = MESSAGE + b"%d\n" % i + b"x" * (i % 100) * 100
            return box.call("-ti", message=message).returncode, message
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            results = list(pool.map(one, range(MESSAGES)))
        check_equal({status for status, _ in results}, {OK}, "exit codes")
        check_equal(sorted(path.read_bytes() for path in box.files()),
                    sorted(message for _, message in results), "messages")
        check_equal(list(box.tmp.iterdir()), [], "files in tmp/")


def kill_once(box, random, sign, message):
    """Returns the exit status of a process that was killed some time while it took a message in."""
    process = subprocess.Popen(box.command("-ti"), stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                               env=box.environment)
    when = random.choice(("soon", "fed", "end"))
    pieces = [message[i:i + 50000] for i in range(0, len(message), 50000)]
    with contextlib.suppress(BrokenPipeError):
        for piece in pieces[:random.randrange(len(pieces)) if when == "fed" else len(pieces)]:
            if when == "soon" and random.random() < 0.3:
                process.send_signal(sign)
            process.stdin.write(piece)
            process.stdin.flush()
        if when == "end":
            process.stdin.close()
        time.sleep(random.random() * 0.004)
    process.send_signal(sign)
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    process.stderr.read()
    process.stderr.close()
    return process.wait()


def kill_often(sign):
    with outbox() as box:
        random = chance(f"submit kill {sign}")
        message = MESSAGE + random.randbytes(400000)
        statuses = set()
        for _ in range(KILLS):
            status = kill_once(box, random, sign, message)
            statuses.add(status)
            check(status in (OK, -sign), f"the exit status is {status}")
            files = box.files()
            check(all(path.read_bytes() == message for path in files), "half a message is in new/")
            check(len(files) == 1 or (not files and status != OK), "a message is lost or doubled")
            if sign != signal.SIGKILL:
                check_equal((list(box.tmp.iterdir()), len(files)), ([], int(status == OK)),
                            "files in tmp/ and new/")
            for path in files + list(box.tmp.iterdir()):
                path.unlink()
        check(-sign in statuses, "no kill has hit")


@case("a process that is killed at any moment leaves nothing half in new/")
def _():
    kill_often(signal.SIGKILL)


@case("a process that is ended by SIGTERM takes its file away")
def _():
    kill_often(signal.SIGTERM)


@case("SIGINT and SIGHUP that the caller ignores stay ignored")
def _():
    with outbox() as box:
        process = subprocess.Popen(["sh", "-c", 'trap "" INT HUP; exec "$0" "$@"',
                                    *box.command("-t")], stdin=subprocess.PIPE)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGHUP)
        time.sleep(0.1)
        process.communicate(MESSAGE)
        check_equal(process.returncode, OK, "the exit status")
        check_equal(box.take(), MESSAGE, "the message")


@case("a message of 100 MB needs no more memory than a small one")
def _():
    if SANITIZED:
        raise Skipped("the sanitizers take memory of their own")
    with outbox() as box:
        process = subprocess.Popen(box.command("-ti"), stdin=subprocess.PIPE)
        process.stdin.write(MESSAGE)
        for _ in range(100):
            process.stdin.write(b"x" * 1000000)
        process.stdin.flush()
        with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
            taken = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
        process.stdin.close()
        check_equal((process.wait(), len(box.take())), (OK, len(MESSAGE) + 100000000),
                    "status and size")
        check(taken < 8192, f"it has taken {taken} KB")


# --- setgid --------------------------------------------------------------------------------------


@contextlib.contextmanager
def installed():
    """The program as it is installed, with the group mail for exsync-submit, and a function that
    runs it for an ordinary user, for whom the folder is /var/lib/exsyncd."""
    if os.getuid() != 0:
        raise Skipped("only root can make a program setgid")
    if SANITIZED:
        raise Skipped("the leak check may not look into a program that is setgid")
    with outbox() as box:
        copy = box.state.parent / "exsync-submit"
        shutil.copy(program("exsync-submit"), copy)
        os.chown(copy, 0, 8)
        copy.chmod(0o2755)
        for path in (box.tmp, box.new):
            os.chown(path, 0, 8)
            path.chmod(0o3730)
        box.outbox.chmod(0o751)
        place = ('mount -t tmpfs tmpfs /var/lib && mkdir /var/lib/exsyncd && '
                 'mount --bind "$0" /var/lib/exsyncd && exec setpriv --reuid=65534 '
                 '--regid=65534 --clear-groups "$@"')

        def run(*command, message=MESSAGE):
            return subprocess.run(["unshare", "-m", "sh", "-c", place, box.state, *command],
                                  input=message, capture_output=True, check=False)
        if run("true").returncode != 0:
            raise Skipped("no file system can be mounted in a space of its own")
        yield box, copy, run


@case("an ordinary user sends by the program's group, and gets nothing else from it")
def _():
    with installed() as (box, copy, run):
        result = run(copy, "-t")
        check_equal((result.returncode, result.stderr), (OK, b""), "the call")
        status = box.files()[0].stat()
        check_equal((status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)),
                    (NOBODY, 8, 0o640), "owner, group and mode of the file")
        check_equal(box.take(), MESSAGE, "the message")
        result = run(copy, "-t", f"--state-directory={box.state}")
        check_equal(result.returncode, USAGE, f"with --state-directory; it said {result.stderr}")
        check(run("ls", "/var/lib/exsyncd/outbox/new").returncode != 0, "new/ can be listed")
        result = run("sh", "-c", '"$0" -t 2>&- >&-', copy)
        check_equal((result.returncode, box.take()), (OK, MESSAGE), "with closed descriptors")
        copy.chmod(0o755)
        check_equal(run(copy, "-t").returncode, CANTCREAT, "without the group")


@case("the environment has no say in a program with rights")
def _():
    with installed() as (box, copy, run):
        bare = MESSAGE.partition(b"\n")[2]
        result = run("env", "USER=eve", "HOME=/tmp", "POSIXLY_CORRECT=1", "TMPDIR=/tmp", copy, "-t",
                     "-F", "A", message=bare)
        check_equal(result.returncode, OK, f"the exit status; it said {result.stderr}")
        check(fields_of(box.take(), "From")[0].startswith("A <nobody@"), "the sender")


# --- as programs call it -------------------------------------------------------------------------


class Program:
    """A box, a folder of the program's own, and a sendmail that leads to the box."""

    def __init__(self, box, name):
        self.path = shutil.which(name)
        if self.path is None:
            raise Skipped(f"{name} is not installed")
        self.box = box
        self.folder = box.state.parent
        self.sendmail = self.folder / "sendmail"
        self.sendmail.write_text('#!/bin/sh\nexec "{}" "{}" "$@"\n'.format(*box.command()))
        self.sendmail.chmod(0o755)

    def run(self, *arguments, text="", **environment):
        result = subprocess.run([self.path, *map(str, arguments)], input=text, text=True, timeout=60,
                                capture_output=True, check=False, cwd=self.folder,
                                env={"PATH": os.environ["PATH"], "HOME": str(self.folder),
                                     "LC_ALL": "C.UTF-8", "EMAIL": "anna@contoso.com",
                                     **environment})
        check_equal(result.returncode, 0,
                    f"{self.path} failed: {result.stdout} {result.stderr}: its status")
        return self.box.take()


def recipients(message):
    return sorted(address.rpartition(" ")[2].strip("<>") for name in ("To", "Cc", "Bcc")
                  for field in fields_of(message, name) for address in field.split(", ")
                  if "undisclosed" not in field)


@case("mutt sends, with an attachment and with Bcc")
def _():
    with outbox() as box:
        mutt = Program(box, "mutt")
        (mutt.folder / "order.txt").write_text("order\n" * 1000)
        message = mutt.run("-n", "-F", "/dev/null", "-e", f"set sendmail='{mutt.sendmail} -oem -oi'",
                           "-e", "set from=anna@contoso.com copy=no", "-s", "Grüße", "-c", "c@x.y",
                           "-b", "d@x.y", "-a", "order.txt", "--", "ben@x.y", text=".\nhello\n")
        check_equal(recipients(message), ["ben@x.y", "c@x.y", "d@x.y"], "recipients")
        check(b"filename=\"order.txt\"" in message and b"hello" in message, "a part is missing")


@case("s-nail sends, with Bcc")
def _():
    with outbox() as box:
        nail = Program(box, "s-nail")
        message = nail.run("-n", "-S", f"mta={nail.sendmail}", "-S", "v15-compat", "-S",
                           "from=anna@contoso.com", "-s", "Order", "-c", "c@x.y", "-b", "d@x.y",
                           "ben@x.y", text="hello\n")
        check_equal(recipients(message), ["ben@x.y", "c@x.y", "d@x.y"], "recipients")
        check_equal(body_of(message), b"hello\n", "the body")


@case("PHP's mail() sends, with headers and a sender of its own")
def _():
    with outbox() as box:
        php = Program(box, "php")
        message = php.run("-n", "-d", f"sendmail_path={php.sendmail} -t -i", "-r",
                          r'exit(mail("ben@x.y", "Order", "hello\n.\nyou\n", "Cc: c@x.y\r\nBcc: '
                          r'd@x.y", "-fwww@contoso.com") ? 0 : 1);')
        check_equal(recipients(message), ["ben@x.y", "c@x.y", "d@x.y"], "recipients")
        check_equal(fields_of(message, "From"), ["www@contoso.com"], "the sender")
        check(b"\n.\nyou" in message, "the body is cut off")


@case("git send-email sends a patch")
def _():
    with outbox() as box:
        git = Program(box, "git")
        if not os.path.exists(os.path.join(subprocess.check_output(
                ["git", "--exec-path"], text=True).strip(), "git-send-email")):
            raise Skipped("git-email is not installed")
        (git.folder / "1.patch").write_text(
            "From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001\n"
            "From: Anna <anna@contoso.com>\nDate: Mon, 5 Jan 2026 10:00:00 +0000\n"
            "Subject: [PATCH] Mend it\n\n---\n a | 1 +\n")
        for way in ([f"--sendmail-cmd={git.sendmail}"], [f"--smtp-server={git.sendmail}"]):
            message = git.run("send-email", *way, "--from=anna@contoso.com", "--to=Ben <ben@x.y>",
                              "--cc=c@x.y", "--bcc=d@x.y", "--confirm=never", "--suppress-cc=all",
                              "1.patch", GIT_CONFIG_NOSYSTEM="1")
            check_equal(recipients(message), ["ben@x.y", "c@x.y", "d@x.y"], f"recipients, {way}")
            check_equal(fields_of(message, "Subject"), ["[PATCH] Mend it"], "the subject")


@case("cron's way of calling works")
def _():
    with outbox() as box:
        mail = (b"From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@vm> backup\n"
                b"MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n"
                b"X-Cron-Env: <HOME=/root>\n\n.\nno room\n")
        check_equal(box.sends("-i", "-FCronDaemon", "-B8BITMIME", "-oem", "root", message=mail),
                    mail, "the message")


@case("the calls of mail programs that are set up for msmtp work")
def _():
    with outbox() as box:
        for arguments in (["-oi", "-f", "anna@contoso.com", "--", "ben@contoso.com"],
                          ["-f", "anna@contoso.com", "-oi", "-t"],
                          ["-oem", "-oi", "-N", "failure", "-R", "hdrs", "ben@contoso.com"]):
            check_equal(box.sends(*arguments), MESSAGE, f"the message with {arguments}")


if __name__ == "__main__":
    main()
