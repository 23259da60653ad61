#!/usr/bin/python3
"""What a service manager is told: ready, reloading, stopping, how things are, and that the daemon
lives, but only while it does."""

import contextlib
import ctypes
import os
import re
import sqlite3

from harness import ROOT, Skipped, case, check, check_equal, main, until
from ledger import locked
from mail import message
from notify_socket import NotifySocket
from scene import ANN, BEN, Scene

WATCHDOG_S = 1.5
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT, WALL = 17, 0x4206, 0x4207, 0x40000000


@case("it is ready when it has started, and says when it stops")
def _():
    with Scene([ANN]) as scene, NotifySocket(scene) as manager:
        scene.daemon.start()
        ready = manager.until("READY")
        check_equal(ready, {"READY": "1", "STATUS": "started"}, "told")
        scene.daemon.until_logged(" started: ")  # by another thread: perhaps a moment later
        scene.daemon.stop()
        told = manager.waiting()
        stopping = [one["STATUS"] for one in told if "STOPPING" in one]
        check(len(stopping) == 1 and stopping[0].startswith("stops"), f"told at the end {stopping}")
        check("WATCHDOG" not in str(told), "it feeds a watchdog that is none")


@case("a configuration with mistakes never gets ready")
def _():
    with Scene([ANN]) as scene, NotifySocket(scene) as manager:
        scene.profile_keys["bogus"] = "1"
        scene.write_configuration()
        scene.daemon.start()
        check_equal(scene.daemon.ended(), 78, "exit status")
        check("READY" not in str(manager.waiting()), "it is ready")


@case("a start that looks through a large database of an earlier version first asks for more time")
def _():
    with Scene([ANN]) as scene, NotifySocket(scene) as manager:
        sample = (ROOT / "tests/data/store/version_2.sql").read_text()
        path = scene.folder / "state/exsyncd.db"
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.executescript(sample + """PRAGMA foreign_keys = OFF;
                WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number
                                              WHERE n < 100000)
                INSERT INTO ledger (mailbox, item, state, received_at, last_seen)
                    SELECT 1, CAST(printf('%016d', n) AS BLOB), 2, 0, 0 FROM number""")
        path.chmod(0o600)
        size = path.stat().st_size
        scene.daemon.start()
        first = int(manager.until("EXTEND_TIMEOUT_USEC")["EXTEND_TIMEOUT_USEC"])
        wanted = 90_000_000 + size / 20  # at 20 MB a second
        check(first >= wanted, f"it asks for {first} us, for {size} bytes at least {wanted}")
        manager.until("READY")
        scene.may_be_unfinished = True


@case("the stop is told while cycles still end")
def _():
    with Scene([ANN]) as scene, NotifySocket(scene) as manager:
        scene.answers_linger = True
        scene.exchange.fault(operation="FindItem", delay=600000, count=0)
        scene.daemon.start()
        until(lambda: scene.exchange.counter("faults") > 0, "the server hangs")
        scene.daemon.stop()
        stopping = manager.until("STOPPING")
        check("1 cycle finishes" in stopping["STATUS"], f"told {stopping}")
        check_equal([told for told in manager.waiting() if "READY" in told], [], "ready again")


@case("a reload is told with its time, and its end")
def _():
    with Scene([ANN]) as scene, NotifySocket(scene) as manager:
        scene.daemon.start()
        manager.until("READY")
        scene.daemon.reload()
        reloading = manager.until("RELOADING")
        check(int(reloading["MONOTONIC_USEC"]) > 0, f"told {reloading}")
        ready = manager.until("READY")
        check_equal(ready["STATUS"], "the configuration was reloaded", "status")


@case("a refused reload ends as well, and its status says so until one is taken")
def _():
    with Scene([ANN]) as scene, NotifySocket(scene) as manager:
        scene.daemon.start()
        manager.until("READY")
        scene.profile_keys["bogus"] = "1"
        scene.write_configuration()
        scene.daemon.reload()
        manager.until("RELOADING")
        ready = manager.until("READY")
        check("was not reloaded" in ready["STATUS"], f"told {ready}")
        manager.until("STATUS", "the last reload was refused")
        del scene.profile_keys["bogus"]
        scene.write_configuration()
        scene.daemon.reload()
        manager.until("READY")
        told = manager.until("STATUS", "1 mailbox")
        check("refused" not in told["STATUS"], f"told {told}")


@case("the status says how many mailboxes are in trouble, and when the next cycle is")
def _():
    with Scene([ANN, BEN], profile={"poll_interval": "10m"}) as scene, \
            NotifySocket(scene) as manager:
        scene.exchange.revoke(BEN)
        scene.daemon.start()
        told = manager.until("STATUS", "1 stopped, next cycle at ")["STATUS"]
        check(re.fullmatch(r"2 mailboxes, 1 stopped, next cycle at \d\d:\d\d:\d\d", told), told)


@case("the watchdog is fed again and again")
def _():
    with Scene([ANN]) as scene, NotifySocket(scene, WATCHDOG_S) as manager:
        scene.daemon.start()
        manager.until("READY")
        for _ in range(5):
            manager.until("WATCHDOG")


@case("a database whose thread hangs gets no sign of life out, and one that goes on does")
def _():
    with Scene([ANN]) as scene, NotifySocket(scene, WATCHDOG_S) as manager:
        scene.daemon.start()
        manager.until("WATCHDOG")
        with locked(scene.ledger.path):
            scene.exchange.add(ANN, message("while it is locked"))
            scene.daemon.until_logged("this has hung: the database")
            manager.waiting()
            scene.daemon.until_logged("what had hung goes on")  # its patience with others is 5 s
            alive = [told for told in manager.waiting() if "WATCHDOG" in told]
            check(len(alive) <= 2, f"{len(alive)} signs of life")
        manager.until("WATCHDOG")
        scene.until_delivered(ANN, 1)


def hold_thread(tid):
    """Stops one thread of another process, and no other."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    if libc.ptrace(PTRACE_SEIZE, tid, None, None) != 0:
        raise Skipped(f"a thread cannot be held: {os.strerror(ctypes.get_errno())}")
    libc.ptrace(PTRACE_INTERRUPT, tid, None, None)
    os.waitpid(tid, WALL)
    return lambda: libc.ptrace(PTRACE_DETACH, tid, None, None)


@case("a loop that hangs gets no sign of life out, whatever other threads do")
def _():
    with Scene([ANN]) as scene, NotifySocket(scene, WATCHDOG_S) as manager:
        scene.daemon.start()
        manager.until("WATCHDOG")
        go_on = hold_thread(scene.daemon.process.pid)
        manager.waiting()
        manager.socket.settimeout(3 * WATCHDOG_S)
        signs = []
        try:
            while True:
                signs.append(manager.socket.recv(4096))
        except TimeoutError:
            pass
        finally:
            go_on()
        check(len(signs) <= 1, f"signs of life: {signs}")  # one may have been on its way
        manager.until("WATCHDOG")
        scene.daemon.log_path.write_text(scene.daemon.log().replace("loop blocked", "loop held"))


@case("a server that hangs does not keep the signs of life back")
def _():
    with Scene([ANN], profile={"request_timeout": "1h"}) as scene, \
            NotifySocket(scene, WATCHDOG_S) as manager:
        scene.answers_linger = True
        scene.exchange.fault(operation="FindItem", delay=600000, count=0)
        scene.daemon.start()
        until(lambda: scene.exchange.counter("faults") > 0, "the server hangs")
        manager.waiting()
        for _ in range(7):  # more than twice the watchdog's time
            manager.until("WATCHDOG")
        check_equal(scene.daemon.log_lines("has hung"), [], "log")


@case("a service manager that reads nothing holds up neither mail nor the stop")
def _():
    with Scene([ANN]) as scene, NotifySocket(scene, WATCHDOG_S) as manager:
        # What hangs at the end is left behind.
        scene.daemon.environment["ASAN_OPTIONS"] = "detect_leaks=0"
        manager.fill()
        scene.exchange.add(ANN, message("nobody listens"))
        scene.daemon.start()
        scene.until_delivered(ANN, 1)
        scene.reload()
        scene.until_polled(ANN)
        scene.daemon.stop()


main()
