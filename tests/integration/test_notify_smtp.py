#!/usr/bin/python3
"""common/notify hands mail to a real SMTP server (Exim), and says what came of it."""

import pathlib
import shutil
import subprocess
import tempfile
import time

from certificate import Authority
from harness import case, check, check_equal, main, program
from smtp_server import SmtpServer

FROM, TO = "exsyncd@example.com", "owner@example.com"
ACCOUNTS = {"exsyncd": "se cret: {%s}"}
LINES = [b"Subject: alert", b"To: owner@example.com", b"", b".", b"..", b".a line", b"the last"]


class Sender:
    """What is needed to send: a folder, an authority, and a server that it has signed."""

    def __init__(self, tls=True, **settings):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="exsync-notify-"))
        self.authority = Authority(self.folder)
        certificate = self.authority.sign("mail") if tls else None
        self.server = SmtpServer(certificate=certificate, **settings)

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.close()
        shutil.rmtree(self.folder)

    def send(self, starttls="required", account=None, ca_file=None, limit_ms=30000, lines=None):
        """What the driver says."""
        message = self.folder / "message"
        message.write_bytes(b"".join(line + b"\r\n" for line in lines or LINES))
        username, password = account or ("", "")
        ran = subprocess.run(
            [program("notify_driver"), self.server.url, starttls,
             str(ca_file or self.authority.certificate), username, password, FROM, TO, message,
             str(limit_ms)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
            timeout=120)
        check_equal((ran.returncode, ran.stderr), (0, b""), "the driver's end")
        return ran.stdout.decode().rstrip("\n")


def check_arrived(sender, count=1, lines=None):
    taken = sender.server.until_delivered(count)
    check_equal(len(taken), count, "messages")
    check_equal((taken[-1].sender, taken[-1].recipient), (FROM, TO), "the envelope")
    wanted = b"".join(line + b"\n" for line in lines or LINES)
    check(taken[-1].raw.endswith(wanted), f"it arrived as {taken[-1].raw[-300:]!r}")


@case("over STARTTLS, signed in, a message arrives as it was, dots included")
def _():
    with Sender(accounts=ACCOUNTS) as sender:
        check_equal(sender.send(account=("exsyncd", ACCOUNTS["exsyncd"])), "taken", "it says")
        check_arrived(sender)
        check("A=plain:exsyncd" in sender.server.log() or "A=login:exsyncd" in sender.server.log(),
              "nobody signed in")
        check("X=TLS1." in sender.server.log(), "it was not encrypted")


@case("over smtps://, signed in, a large message arrives as it was")
def _():
    lines = [b"Subject: alert", b"", *[b"." * (number % 70) for number in range(20000)]]
    with Sender(implicit_tls=True, accounts=ACCOUNTS) as sender:
        check_equal(sender.send(account=("exsyncd", ACCOUNTS["exsyncd"]), lines=lines), "taken",
                    "it says")
        check_arrived(sender, lines=lines)


@case("without TLS a message arrives where that is wanted, and does not leave where it is not")
def _():
    with Sender(tls=False) as sender:
        said = sender.send()
        check(said.startswith("EHLO CURLE_USE_SSL_FAILED tls permanent: "), f"it says {said!r}")
        check_equal(sender.send("never"), "taken", "it says")
        check_equal(sender.send("offered"), "taken", "it says")
        check_arrived(sender, 2)


@case("a wrong password and a missing account are told in the server's words")
def _():
    with Sender(accounts=ACCOUNTS) as sender:
        check_equal(sender.send(account=("exsyncd", "wrong")),
                    "AUTH SMTP 535 authentication permanent: 535 Incorrect authentication data",
                    "it says")
        check_equal(sender.send(),
                    "MAIL SMTP 530 authentication permanent: 530 5.7.0 authentication required",
                    "it says")
        check_equal(sender.server.delivered(), [], "messages")


@case("a certificate of a stranger gets no message")
def _():
    with Sender() as sender:
        stranger = Authority(sender.folder, "stranger")
        said = sender.send(ca_file=stranger.certificate)
        check(said.startswith("STARTTLS CURLE_PEER_FAILED_VERIFICATION tls permanent: "),
              f"it says {said!r}")
        check_equal(sender.server.delivered(), [], "messages")


@case("refusals, for good and for now, are told; afterwards all is well")
def _():
    with Sender() as sender:
        sender.server.refuse()
        check_equal(sender.send(),
                    "RCPT SMTP 550 authorization permanent: 550 5.7.1 relaying denied", "it says")
        sender.server.refuse("451 4.7.1 greylisted", "rcpt")
        check_equal(sender.send(), "RCPT SMTP 451 server: 451 4.7.1 greylisted", "it says")
        sender.server.accept()
        sender.server.refuse("554 5.7.1 looks like spam", "data")
        check_equal(sender.send(), "message SMTP 554 item permanent: 554 5.7.1 looks like spam",
                    "it says")
        sender.server.accept()
        check_equal(sender.send(), "taken", "it says")
        check_arrived(sender)


@case("a server that takes its time is waited for, and given up in doubt at the limit")
def _():
    with Sender() as sender:
        sender.server.be_slow(3, "data")
        begin = time.monotonic()
        check_equal(sender.send(), "taken", "it says")
        check(time.monotonic() - begin > 2.5, "it did not wait")
        said = sender.send(limit_ms=1500)
        check(said.startswith("message CURLE_OPERATION_TIMEDOUT network in doubt: "),
              f"it says {said!r}")
        sender.server.accept()
        sender.server.be_slow(3, "rcpt")
        said = sender.send(limit_ms=1500)
        check(said.startswith("RCPT CURLE_OPERATION_TIMEDOUT network: "), f"it says {said!r}")


@case("a server that is down is told, and found again when it is up")
def _():
    with Sender() as sender:
        sender.server.stop()
        said = sender.send()
        check(said.startswith("connect CURLE_COULDNT_CONNECT network: "), f"it says {said!r}")
        sender.server.start()
        check_equal(sender.send(), "taken", "it says")
        check_arrived(sender)


main()
