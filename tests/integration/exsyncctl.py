"""exsyncctl as a process, and its protocol spoken by hand.

    tool = Exsyncctl(scene)
    status, out, err = tool.run("sync", "now", ANN)
    tool.answers("version")          # the objects of --json; the status must be 0
    with tool.connect() as line:     # the socket, lines of JSON by hand
        line.send({"id": 1, "command": "version"})
"""

import json
import os
import pty
import select
import socket
import subprocess

from daemon_process import SANITIZER, program_environment
from harness import LONG, Broken, check, check_equal, program
from mail import message
from scene import ANN, PROFILE

EX_USAGE, EX_NOUSER, EX_UNAVAILABLE, EX_SOFTWARE = 64, 67, 69, 70
EX_TEMPFAIL, EX_PROTOCOL, EX_NOPERM, EX_CONFIG = 75, 76, 77, 78


class Exsyncctl:
    """`user`, `groups`: who runs it, when not whoever runs the tests."""

    def __init__(self, scene, user=None, groups=()):
        self.socket = scene.control_socket
        self.configuration = scene.daemon.configuration
        self.user, self.groups = user, groups
        # To look for leaks takes most of the time of a short command: test_ctl_usage.py does it, and
        # so do the unit tests.
        self.environment = program_environment(user, leaks=LONG)

    def command(self, *words):
        command = [program("exsyncctl"), "--socket", str(self.socket), "--config",
                   str(self.configuration), *[str(word) for word in words]]
        if self.user is None:
            return command
        groups = (["--groups", ",".join(str(group) for group in self.groups)] if self.groups
                  else ["--clear-groups"])
        return ["setpriv", "--reuid", str(self.user), "--regid", str(self.user), *groups,
                "--", *command]

    def start(self, *words):
        """Runs in the background; a subprocess.Popen."""
        return subprocess.Popen(self.command(*words), stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=self.environment)

    def run(self, *words, seconds=60, environment=None):
        """To the end: status, standard output and standard error."""
        result = subprocess.run(self.command(*words), stdin=subprocess.DEVNULL, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=seconds,
                                env={**self.environment, **(environment or {})}, check=False)
        for text in SANITIZER:
            check(text not in result.stderr, f"a sanitizer's report: {result.stderr[:1500]}")
        return result.returncode, result.stdout, result.stderr

    def output(self, *words, **options):
        """Standard output of what must work."""
        status, out, err = self.run(*words, **options)
        check_equal((status, err), (0, ""), f"exsyncctl {' '.join(str(word) for word in words)}")
        return out

    def answers(self, *words, wanted=0, **options):
        """The answers, as --json prints them."""
        status, out, err = self.run("--json", *words, **options)
        check_equal(status, wanted, f"status of exsyncctl {words}, which says {err!r}")
        return [json.loads(line) for line in out.splitlines()]

    def fails(self, status, *words, saying=(), **options):
        """It must fail with this status, and say all of that; returns what it says."""
        found, out, err = self.run(*words, **options)
        check_equal(found, status, f"status of exsyncctl {words}, which says {err!r}")
        for text in [saying] if isinstance(saying, str) else saying:
            check(text in err, f"exsyncctl {words} does not say {text!r} but {err!r}")
        check("exsyncctl: " in err, f"exsyncctl {words} says {err!r}")
        check_equal(out, "", f"standard output of exsyncctl {words}")
        return err

    def on_terminal(self, *words, environment=None):
        """Standard output when that is a terminal."""
        master, slave = pty.openpty()
        process = subprocess.Popen(self.command(*words), stdin=subprocess.DEVNULL, stdout=slave,
                                   stderr=subprocess.DEVNULL,
                                   env={**self.environment, "TERM": "xterm", **(environment or {})})
        os.close(slave)
        shown = b""
        while select.select([master], [], [], 30)[0]:
            try:
                piece = os.read(master, 65536)
            except OSError:  # closed by its last user
                break
            if not piece:
                break
            shown += piece
        os.close(master)
        check_equal(process.wait(timeout=30), 0, f"status of exsyncctl {words}")
        return shown.decode()

    def connect(self, greeting=True):
        return Line(self.socket, greeting)


class Line:
    """A connection to the daemon."""

    def __init__(self, path, greeting=True, seconds=30):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(str(path))  # waits while too many others do
        self.socket.settimeout(seconds)
        self.received = b""
        if greeting:
            self.greeting = self.next()

    def send(self, *requests):
        self.raw(b"".join(json.dumps(request).encode() + b"\n" for request in requests))

    def raw(self, content):
        self.socket.sendall(content)

    def next(self):
        """The next line; None when the connection is closed."""
        while b"\n" not in self.received:
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                piece = b""
            except TimeoutError:
                raise Broken("the daemon does not answer") from None
            if not piece:
                return None
            self.received += piece
        line, self.received = self.received.split(b"\n", 1)
        return json.loads(line)

    def rest(self):
        """All lines until the connection is closed."""
        lines = []
        while (line := self.next()) is not None:
            lines.append(line)
        return lines

    def call(self, **request):
        """The answers to one request, and its last line."""
        self.send(request)
        answers = []
        while True:
            line = self.next()
            check(line is not None, f"the connection is closed while {request} is under way")
            if line.get("end"):
                return answers, line
            answers.append(line)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# --- a scene with it ---------------------------------------------------------------------------

def started(scene):
    scene.daemon.start()
    scene.daemon.until_started()
    return Exsyncctl(scene)


def check_alive(scene, tool):
    """The daemon answers and syncs as if nothing had been."""
    check_equal(tool.answers("version")[0]["kind"], "version", "kind of the answer")
    before = scene.maildir(ANN).count()
    scene.exchange.add(ANN, message(f"after {before}"))
    scene.until_delivered(ANN, before + 1)


def settle(tool):
    """Each mailbox was looked at, and no cycle runs that began before."""
    tool.output("sync", "now", "--profile", PROFILE, "--wait")
