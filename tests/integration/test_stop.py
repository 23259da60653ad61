#!/usr/bin/python3
"""SIGTERM: an orderly end within five seconds, whatever is going on. What was not finished is taken
up again by the next start."""

import pathlib
import signal
import socket

from exsyncctl import started
from harness import CORPUS, case, check, check_equal, main, until
from mail import message
from scene import ANN, BEN, PROFILE, Scene

MESSAGES = len(list(CORPUS.glob("*.eml")))
LARGE_MB = 150
SYN_SENT = "02"


def load(*addresses):
    return [word for address in addresses for word in ("--load", f"{address}:Inbox:{CORPUS}")]


def check_goes_on(scene, count):
    scene.exchange.clear_faults()
    scene.exchange.control("limits", latency=0)
    scene.daemon.start()
    scene.until_delivered(ANN, count)
    scene.until_polled(ANN)
    scene.check_delivered(ANN)


@case("an idle daemon stops at once")
def _():
    with Scene([ANN], load(ANN)) as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        scene.until_polled(ANN)
        seconds = scene.daemon.stop()
        check(seconds < 2, f"it took {seconds:.1f} s")
        check(scene.daemon.log_lines("exsyncd stopped"), "the stop is not logged")


def spool_bytes(scene):
    maildir = scene.maildir(ANN)
    total = 0
    for name in maildir.unfinished():
        try:
            total += (maildir.path / "exsyncd.spool" / name).stat().st_size
        except FileNotFoundError:
            pass
    return total


@case(f"it stops in the middle of a message of {LARGE_MB} MB, leaves nothing, and fetches it later")
def _():
    with Scene([ANN], ["--load-large", f"{ANN}:Inbox:{LARGE_MB}"]) as scene:
        scene.answers_linger = True
        scene.daemon.start()
        until(lambda: spool_bytes(scene) > 1_000_000, "a part of the message is in the spool")
        scene.exchange.process.send_signal(signal.SIGSTOP)  # no more of it comes
        scene.daemon.stop()
        scene.exchange.process.send_signal(signal.SIGCONT)
        check_equal(scene.maildir(ANN).count(), 0, "delivered messages")
        scene.check_nothing_unfinished()
        scene.daemon.start()
        scene.until_delivered(ANN, 1)
        size = (scene.maildir(ANN).path / scene.maildir(ANN).files()[0]).stat().st_size
        check(size > LARGE_MB * 900_000, f"the message has {size} bytes")
        check_equal(scene.maildir(ANN).unfinished(), [], "left in the spool")


def hanging(operation):
    """The server has the request and never answers."""
    with Scene([ANN], load(ANN)) as scene:
        scene.answers_linger = True
        scene.exchange.fault(operation=operation, delay=600000, count=0)
        scene.daemon.start()
        until(lambda: scene.exchange.counter("faults") > 0, "the server hangs")
        scene.daemon.stop()
        check_goes_on(scene, MESSAGES)


for operation in ("FindItem", "GetItem"):
    case(f"it stops while the server does not answer {operation}")(
        lambda operation=operation: hanging(operation))


@case("it stops while an acknowledgement is not answered, and the rest is done later")
def _():
    with Scene([ANN], load(ANN), defaults={"after_processing": "mark_read"}) as scene:
        scene.answers_linger = True
        scene.exchange.fault(operation="UpdateItem", delay=600000, count=0)
        scene.daemon.start()
        until(lambda: scene.exchange.counter("faults") > 0, "the server hangs")
        scene.daemon.stop()
        check_goes_on(scene, MESSAGES)
        until(lambda: all(item["read"] for item in scene.exchange.items(ANN, "Inbox")),
              "all is marked read")


@case("it stops in the middle of a large delivery, again and again, and nothing is lost or doubled")
def _():
    with Scene([ANN, BEN], load(ANN, BEN) + ["--latency", "20"],
               profile={"batch_size": 2}) as scene:
        for count in (1, 8, 16, 30):
            scene.daemon.start()
            scene.daemon.until_started()
            scene.until_delivered(ANN, count)
            scene.daemon.stop()
            scene.check_nothing_unfinished()
        check_goes_on(scene, MESSAGES)
        scene.until_delivered(BEN, MESSAGES)
        scene.check_delivered(BEN)


def connects(port):
    """Whether somebody waits for a connection to it."""
    lines = pathlib.Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return any(line.split()[2].endswith(f":{port:04X}") and line.split()[3] == SYN_SENT
               for line in lines)


@case("it reloads and stops while no connection comes about")
def _():
    with Scene([ANN], exchange=False) as scene, socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):  # its queue is full
            scene.profile_keys["url"] = f"http://127.0.0.1:{port}/EWS/Exchange.asmx"
            scene.write_configuration()
            tool = started(scene)
            for number in range(3):
                until(lambda: connects(port), "it waits for a connection")
                scene.profile_keys["page_size"] = 10 + number  # another profile
                scene.write_configuration()
                tool.answers("reload")
            until(lambda: connects(port), "it waits for a connection")
            scene.daemon.stop()


@case("it stops during a reload and during its very start")
def _():
    with Scene([f"user{number}@example.com" for number in range(3000)], exchange=False) as scene:
        scene.daemon.start()
        scene.daemon.until_logged("Created the database")
        scene.daemon.stop()
        scene.daemon.start()
        scene.daemon.until_started()
        scene.daemon.reload()
        scene.daemon.stop()


@case("a second SIGTERM and SIGINT are orderly, too")
def _():
    with Scene([ANN], load(ANN) + ["--latency", "50"], profile={"batch_size": 1}) as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, 2)
        scene.daemon.process.send_signal(signal.SIGINT)
        scene.daemon.process.send_signal(signal.SIGTERM)
        check_equal(scene.daemon.ended(5), 0, "exit status")
        scene.check_nothing_unfinished()
        check_goes_on(scene, MESSAGES)


for command in ("test", "diagnose", "verify"):
    @case(f"a stop ends {command} while Exchange does not answer, and leaves nothing behind")
    def _(command=command):
        with Scene([ANN, BEN]) as scene:
            scene.answers_linger = True  # what was asked
            tool = started(scene)
            scene.until_polled(ANN, BEN)
            tool.output("pause", PROFILE)  # no cycle keeps the daemon from stopping at once
            scene.exchange.fault(delay=600000, count=0)
            with tool.connect() as line:
                line.send({"id": 1, "command": command, "address": ANN})
                if command != "verify":
                    until(lambda: scene.exchange.counter("faults") > 0, "Exchange hangs")
                scene.daemon.stop()


@case("what a stop interrupts is no failure")
def _():
    with Scene([ANN], load(ANN)) as scene:
        scene.answers_linger = True
        scene.exchange.fault(operation="GetItem", delay=600000, count=0)
        scene.exchange.add(ANN, message())
        scene.daemon.start()
        until(lambda: scene.exchange.counter("faults") > 0, "the server hangs")
        scene.daemon.stop()
        check_equal(scene.ledger.failures(), [], "failures")
        check_equal(scene.daemon.log_lines("incoming failed"), [], "log")


main()
