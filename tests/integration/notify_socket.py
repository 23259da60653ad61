"""A service manager's side of sd_notify(3): a datagram socket that the daemon is started with."""

import socket
import time

from harness import Broken


class NotifySocket:
    """`watchdog_s`: how long it waits for a sign of life; None: it does not look."""

    def __init__(self, scene, watchdog_s=None):
        self.path = str(scene.folder / "notify.sock")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        scene.daemon.environment["NOTIFY_SOCKET"] = self.path
        if watchdog_s:
            scene.daemon.environment["WATCHDOG_USEC"] = str(int(watchdog_s * 1_000_000))

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.socket.close()

    def fill(self):
        """Nothing more can be sent to it until it is read."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            try:
                while True:
                    sender.sendto(b"X=1", self.path)
            except BlockingIOError:
                pass

    def next(self, seconds=60):
        """The next message, a dictionary."""
        self.socket.settimeout(seconds)
        try:
            text = self.socket.recv(65536).decode()
        except TimeoutError:
            raise Broken(f"the daemon told nothing within {seconds} s") from None
        return dict(line.split("=", 1) for line in text.splitlines())

    def until(self, name, contains="", seconds=60):
        """The first message that has `name`, with `contains` in its value; others are dropped."""
        deadline = time.monotonic() + seconds
        seen = []
        while time.monotonic() < deadline:
            message = self.next(seconds)
            if contains in message.get(name, ""):
                if name in message:
                    return message
            seen.append(message)
        raise Broken(f"no message with {name} {contains}: {seen[-20:]}")

    def waiting(self):
        """All that has been told and not read."""
        messages = []
        self.socket.setblocking(False)
        try:
            while True:
                text = self.socket.recv(65536).decode()
                messages.append(dict(line.split("=", 1) for line in text.splitlines()))
        except BlockingIOError:
            return messages
