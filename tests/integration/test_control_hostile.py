#!/usr/bin/env python3
"""Whatever comes over the control socket, the daemon answers what can be answered and stays as it
was."""

import json
import os
import socket
import time

from exsyncctl import (EX_NOUSER, EX_PROTOCOL, EX_TEMPFAIL, EX_UNAVAILABLE, EX_USAGE, Line,
                       check_alive, settle, started)
from harness import case, check, check_equal, main, until
from mail import message
from scene import ANN, BEN, PROFILE, Scene

LIMIT, CONNECTIONS, UNDER_WAY = 64 << 10, 64, 16


def memory_kb(scene):
    """Resident; 0 in a build that keeps what was freed for a while."""
    if "asan" in os.environ.get("EXSYNC_BUILD", ""):
        return 0
    with open(f"/proc/{scene.daemon.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def refused(line, code):
    """The connection gets an error line without an id, and is closed."""
    lines = line.rest()
    check(lines and lines[-1].get("end") and lines[-1]["error"]["code"] == code,
          lambda: f"wanted {code}, got {lines}")
    check("id" not in lines[-1], "the error has an id")


@case("Garbage is an error line and the end of the connection, and nothing else")
def garbage():
    with Scene([ANN]) as scene:
        tool = started(scene)
        for content in (b"\n\nhello\n", b"\xff\xfe\x00\x01\n", b"GET / HTTP/1.1\r\n\r\n",
                        b"[1,2]\n",
                        b'{"id": 1, "id": 2, "command": "version"}\n', b'"version"\n', b"{}{}\n",
                        b'{"id": 1, "command": "ver\xc3\x28sion"}\n', b"\x00\n"):
            with tool.connect() as line:
                line.raw(content)
                refused(line, "NoRequest")
        for content in (b"{}\n", b'{"command": "version"}\n',
                        b'{"id": "1", "command": "version"}\n',
                        b'{"id": 1.5, "command": "version"}\n', b'{"id": null}\n'):
            with tool.connect() as line:
                line.raw(content)
                refused(line, "NoId")
        check_alive(scene, tool)


@case("A request that makes no sense fails by itself; the connection goes on")
def senseless():
    with Scene([ANN]) as scene:
        tool = started(scene)
        with tool.connect() as line:
            for request, code, status in (
                    ({"command": "no such thing"}, "UnknownCommand", EX_UNAVAILABLE),
                    ({"command": "x" * 60000}, "UnknownCommand", EX_UNAVAILABLE),
                    ({}, "NoCommand", EX_PROTOCOL), ({"command": 7}, "NoCommand", EX_PROTOCOL),
                    ({"command": None}, "NoCommand", EX_PROTOCOL),
                    ({"command": {"command": "version"}}, "NoCommand", EX_PROTOCOL),
                    ({"command": "sync"}, "BadRequest", EX_USAGE),
                    ({"command": "sync", "address": 1}, "BadRequest", EX_USAGE),
                    ({"command": "sync", "address": [ANN]}, "BadRequest", EX_USAGE),
                    ({"command": "sync", "address": ANN, "profile": PROFILE}, "BadRequest",
                     EX_USAGE),
                    ({"command": "sync", "address": "nobody@example.com"}, "NoSuchMailbox",
                     EX_NOUSER),
                    ({"command": "sync", "address": "\033[2J\u2028" + "ä" * 3000}, "NoSuchMailbox",
                     EX_NOUSER),
                    ({"command": "sync", "profile": "%s%n"}, "NoSuchProfile", EX_NOUSER)):
                for number in (0, -1, 2**62, 5):
                    answers, end = line.call(id=number, **request)
                    check_equal((answers, end["id"]), ([], number), "answers and id")
                    check_equal((end["error"]["code"], end["error"]["exit"]), (code, status),
                                f"the error of {str(request)[:100]}")
                    check(end["error"]["message"].isprintable(), "the message is not printable")
            check_equal(line.call(id=1, command="version")[1], {"id": 1, "end": True}, "the end")
        check_alive(scene, tool)


@case("JSON may be as deep as it likes")
def deep():
    with Scene([ANN]) as scene:
        tool = started(scene)
        for opening, closing in (("[", "]"), ('{"a":', "}")):
            depth = (LIMIT - 100) // len(opening + closing + "1")
            for text in (opening * depth, opening * depth + "1" + closing * depth):
                with tool.connect() as line:
                    line.raw(b'{"id": 1, "command": "version", "x": ' + text.encode() + b"}\n")
                    refused(line, "NoRequest")
        with tool.connect() as line:
            line.raw(b'{"id": 1, "command": "version", "x": ' + b"[" * 1000 + b"]" * 1000 + b"}\n")
            check_equal(line.next()["kind"], "version", "kind of the answer")
        check_alive(scene, tool)


@case("100 MB without a newline cost no memory")
def endless():
    with Scene([ANN]) as scene:
        tool = started(scene)
        check_alive(scene, tool)
        before = memory_kb(scene)
        with tool.connect() as line:
            sent, piece = 0, b'{"id": 1, "command": "' + b"x" * (1 << 20)
            try:
                while sent < 100:
                    line.raw(piece)
                    sent += 1
            except (BrokenPipeError, ConnectionResetError):
                pass
            check(sent < 5, f"the daemon took {sent} MB")
            refused(line, "TooLong")
        for _ in range(20):
            with tool.connect() as line:
                line.raw(b"y" * (LIMIT + 1))
                refused(line, "TooLong")
        grown = memory_kb(scene) - before
        check(grown < 8192, f"the daemon has grown by {grown} KB")
        check_alive(scene, tool)


@case("A line of exactly the limit is read, and so are half lines and blank ones")
def half_lines():
    with Scene([ANN]) as scene:
        tool = started(scene)
        request = b'{"id": 1, "command": "version"}'
        with tool.connect() as line:
            line.raw(request + b" " * (LIMIT - len(request)) + b"\n")
            check_equal(line.next()["kind"], "version", "kind of the answer")
            check_equal(line.next(), {"id": 1, "end": True}, "the end")
            for index in range(len(request)):
                line.raw(request[index:index + 1])
                time.sleep(0.001)
            line.raw(b"\r\n \n\n")
            check_equal(line.next()["kind"], "version", "kind of the answer")
            check_equal(line.next(), {"id": 1, "end": True}, "the end")
            line.raw(request)  # without its newline
            line.socket.shutdown(socket.SHUT_WR)
            check_equal(line.rest(), [], "lines after half a request")
        check_alive(scene, tool)


@case("Who closes the writing side alone still gets the answers")
def half_closed():
    with Scene([ANN]) as scene:
        tool = started(scene)
        with tool.connect() as line:
            line.send(*[{"id": number, "command": "version"} for number in range(500)])
            line.socket.shutdown(socket.SHUT_WR)
            lines = line.rest()
            check_equal(sum("end" in one for one in lines), 500, "ends")


@case("Thousands of requests on one connection are all answered")
def many_requests():
    with Scene([ANN]) as scene:
        tool = started(scene)
        count = 5000
        with tool.connect() as line:
            pid = os.fork()
            if pid == 0:  # sends while we read
                try:
                    line.send(*[{"id": number, "command": "version"} for number in range(count)])
                finally:
                    os._exit(0)
            ends = 0
            while ends < count:
                ends += "end" in line.next()
            os.waitpid(pid, 0)
        check_alive(scene, tool)


@case("No more than 16 requests are under way on a connection; the others wait")
def bound():
    with Scene([ANN]) as scene:
        tool = started(scene)
        scene.exchange.fault(operation="FindItem", count=1, delay=3000)
        with tool.connect() as line:
            line.send(*[{"id": number, "command": "sync", "address": ANN, "wait": True}
                        for number in range(40)])
            line.send({"id": 100, "command": "version"})
            ends = []
            while len(ends) < 41:
                one = line.next()
                if "end" in one:
                    ends.append(one["id"])
            check_equal(sorted(ends), sorted([*range(40), 100]), "requests that ended")
            check(100 not in ends[:40 - UNDER_WAY], f"the last was not kept waiting: {ends}")
        check_alive(scene, tool)


@case("An id that is in use ends the connection, and what it had asked for is given up")
def duplicate_ids():
    with Scene([ANN], profile={"poll_interval": "1h"}) as scene:
        tool = started(scene)
        settle(tool)
        scene.exchange.fault(operation="FindItem", count=1, delay=2000)
        with tool.connect() as line:
            line.send({"id": 3, "command": "sync", "address": ANN, "wait": True},
                      {"id": 3, "command": "version"})
            refused(line, "IdInUse")
        with tool.connect() as line:
            line.send({"id": 3, "command": "version"}, {"id": 3, "command": "version"})
            check_equal([line.next().get("kind") for _ in range(4)],
                        ["version", None, "version", None], "kinds of the lines")
        check_alive_after_sync(scene, tool)


def check_alive_after_sync(scene, tool):
    """The same where nothing is polled by itself."""
    before = scene.maildir(ANN).count()
    scene.exchange.add(ANN, message(f"after {before}"))
    tool.run("sync", "now", ANN, "--wait")
    scene.until_delivered(ANN, before + 1)


@case("1000 connections at once: 64 are served, the others are told, and all get on afterwards")
def many_connections():
    with Scene([ANN]) as scene:
        tool = started(scene)
        lines = [Line(tool.socket, greeting=False) for _ in range(1000)]
        first = [line.next() for line in lines]
        served = [line for line, one in zip(lines, first) if one and "exsyncd" in one]
        told = [one for one in first if one and "error" in one]
        check_equal((len(served), len(told)), (CONNECTIONS, 1000 - CONNECTIONS),
                    "connections that are served, and refused")
        check_equal({one["error"]["code"] for one in told}, {"TooManyConnections"}, "the errors")
        for line in served:
            check_equal(line.call(id=1, command="version")[1], {"id": 1, "end": True}, "the end")
        tool.fails(EX_TEMPFAIL, "version", saying="too many others")
        for line in lines:
            line.close()
        until(lambda: tool.run("version")[0] == 0, "there is room again", 10)
        check_alive(scene, tool)


@case("A client that never reads costs no more than its share, and hinders nobody")
def never_reads():
    with Scene([ANN]) as scene:
        tool = started(scene)
        check_alive(scene, tool)
        before = memory_kb(scene)
        lines = [tool.connect() for _ in range(10)]
        requests = b"".join(b'{"id": %d, "command": "version"}\n' % number
                            for number in range(50000))
        for line in lines:
            line.socket.setblocking(False)
            sent = 0
            stuck = time.monotonic() + 1
            while sent < len(requests) and time.monotonic() < stuck:
                try:
                    sent += line.socket.send(requests[sent:])
                    stuck = time.monotonic() + 1
                except BlockingIOError:
                    time.sleep(0.01)
            check(sent < len(requests), "the daemon reads on without bound")
        check_alive(scene, tool)
        grown = memory_kb(scene) - before
        check(grown < 10 * 2048, f"the daemon has grown by {grown} KB")
        lines[0].socket.settimeout(30)
        ends = 0
        while ends < 1000:  # and who reads at last gets all
            ends += "end" in lines[0].next()
        for line in lines:
            line.close()
        check_alive(scene, tool)


@case("Clients that close in the middle leave nothing behind")
def closes_in_the_middle():
    with Scene([ANN, BEN]) as scene:
        tool = started(scene)
        files = lambda: len(os.listdir(f"/proc/{scene.daemon.process.pid}/fd"))
        settle(tool)
        before = files()
        requests = [{"id": 1, "command": "version"}, {"id": 2, "command": "reload"},
                    {"id": 3, "command": "sync", "address": ANN, "wait": True},
                    {"id": 4, "command": "sync", "profile": PROFILE, "wait": True}]
        content = b"".join(json.dumps(request).encode() + b"\n" for request in requests)
        for end in range(0, len(content) + 1, 3):
            with tool.connect(greeting=end % 2 == 0) as line:
                try:
                    line.raw(content[:end])
                except BrokenPipeError:
                    pass  # refused, as the daemon has not seen yet how many have gone
        until(lambda: files() <= before + 4, lambda: f"the files are closed ({files()}, {before})")
        check_alive(scene, tool)


@case("At the stop who waits is told, and the daemon is not held up")
def stop():
    with Scene([ANN], profile={"poll_interval": "1h"}) as scene:
        tool = started(scene)
        settle(tool)
        scene.exchange.fault(operation="FindItem", count=1, delay=1500)
        silent = tool.connect()
        before = len(scene.daemon.log_lines("synchronized now"))
        process = tool.start("sync", "now", ANN, "--wait")
        until(lambda: len(scene.daemon.log_lines("synchronized now")) > before, "it waits for the sync")
        scene.answers_linger = True
        scene.daemon.stop()
        err = process.communicate(timeout=10)[1]
        check_equal(process.returncode, EX_TEMPFAIL, "status of exsyncctl")
        check("being stopped" in err, f"exsyncctl says {err!r}")
        check_equal(silent.rest()[-1]["error"]["code"], "Stopping", "the error")


main()
