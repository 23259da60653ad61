#!/usr/bin/python3
"""Who comes when: the budget of connections is kept, nobody starves, nobody holds up others."""

import time

from harness import case, check, check_equal, main, until
from mail import message
from scene import Scene


def addresses(name, count):
    return [f"{name}{number:03d}@example.com" for number in range(count)]


def fill(scene, everybody, count):
    for address in everybody:
        for _ in range(count):
            scene.exchange.add(address, message())


@case("200 mailboxes over 3 connections are all served, in turn, never more than 3 at once")
def _():
    everybody = addresses("user", 200)
    with Scene(everybody, ["--latency", "5"], profile={"max_connections": 3}) as scene:
        fill(scene, everybody, 2)
        scene.daemon.start()
        for address in everybody:
            scene.until_delivered(address, 2)
        counters = scene.exchange.counters()
        check_equal(counters["concurrency.peak"], 3, "requests at a time")
        check(counters["connections"] <= 6, f"{counters['connections']} connections were made for 3")


@case("with more work than the server can do no mailbox is looked at twice before each was once")
def _():
    everybody = addresses("user", 40)
    with Scene(everybody, ["--latency", "60"], profile={"max_connections": 1}) as scene:
        scene.daemon.start()

        def requests():
            counters = scene.exchange.counters()
            return [counters.get(f"mailbox_requests.{address}", 0) for address in everybody]
        # Forty requests of 60 ms each take longer than the interval of a second.
        for rounds in (1, 2, 3):
            until(lambda: min(requests()) >= rounds, f"each mailbox was looked at {rounds} times")
            found = requests()
            check(max(found) <= min(found) + 2, f"looks of the mailboxes: {sorted(found)}")


@case("a mailbox whose answers do not come holds up no other, and is not asked twice meanwhile")
def _():
    slow, others = "slow@example.com", addresses("user", 20)
    with Scene([slow, *others], profile={"max_connections": 2, "request_timeout": "5m"}) as scene:
        scene.answers_linger = True
        scene.daemon.start()
        scene.until_polled(slow, *others, times=1)
        scene.exchange.fault(mailbox=slow, delay=600000, count=0)
        fill(scene, [slow, *others], 3)
        for address in others:
            scene.until_delivered(address, 3)
        scene.until_polled(*others)
        until(lambda: scene.exchange.counter("faults") == 1, "the slow mailbox is asked for")
        scene.until_polled(*others)
        # Not even a reload begins a second cycle while the first one waits.
        scene.profile_keys["page_size"] = 20
        scene.reload()
        scene.until_polled(*others)
        check_equal(scene.exchange.counter("faults"), 1, "requests of the slow mailbox")
        check_equal(scene.maildir(slow).count(), 0, "messages of the slow mailbox")


@case("many mailboxes that fail slowly leave room for those that work")
def _():
    dead, alive = addresses("dead", 12), addresses("alive", 12)
    profile = {"max_connections": 4, "request_timeout": "1s"}
    with Scene([*dead, *alive], profile=profile) as scene:
        scene.answers_linger = True
        fill(scene, [*dead, *alive], 2)
        for address in dead:
            scene.exchange.fault(mailbox=address, delay=600000, count=0)
        scene.daemon.start()
        for address in alive:
            scene.until_delivered(address, 2)
        before = scene.exchange.counter("faults")
        for address in alive:
            scene.exchange.add(address, message("while others fail"))
        for address in alive:
            scene.until_delivered(address, 3)
        until(lambda: scene.exchange.counter("faults") > before, "the dead ones are still tried")
        check_equal(sum(scene.maildir(address).count() for address in dead), 0,
                    "messages of the dead mailboxes")
        scene.exchange.clear_faults()
        for address in dead:
            scene.until_delivered(address, 2)
        until(lambda: not scene.ledger.unresolved(), "no failure is left")


@case("a profile whose server is away holds up no mailbox of another profile")
def _():
    here, away = addresses("here", 5), addresses("away", 5)
    with Scene([*here, *away]) as scene:
        fill(scene, [*here, *away], 2)
        text = scene.daemon.configuration.read_text(encoding="utf-8")
        second = text[text.index("[profile"):text.index("[mailbox-defaults]")]
        second = second.replace("[profile Contoso Ltd]", "[profile Elsewhere]").replace(
            scene.exchange.url, "http://127.0.0.1:9/EWS/Exchange.asmx")
        scene.default_keys["profile"] = "Contoso Ltd"
        scene.mailboxes = {**{address: {} for address in here},
                           **{address: {"profile": "Elsewhere"} for address in away}}
        scene.write_configuration()
        with open(scene.daemon.configuration, "a", encoding="utf-8") as file:
            file.write("\n" + second)
        scene.daemon.start()
        line = scene.daemon.until_logged("profile Elsewhere: all its mailboxes wait")
        check("CURLE_COULDNT_CONNECT" in line, f"the cause is not named: {line!r}")
        for address in here:
            scene.until_delivered(address, 2)
            scene.check_delivered(address)
        rows = until(lambda: scene.ledger.unresolved(), "the failure is recorded")
        check_equal([(row["scope"], row["profile"]) for row in rows], [("profile", "Elsewhere")],
                    "failures")


@case("a busy server slows its own mailbox; three within ten seconds slow the profile")
def _():
    busy, others = addresses("busy", 3), addresses("user", 6)
    with Scene([*busy, *others]) as scene:
        fill(scene, [*busy, *others], 2)
        for address in busy:
            scene.exchange.fault(mailbox=address, soap="ErrorServerBusy", back_off=300, count=2)
        scene.daemon.start()
        for address in others:
            scene.until_delivered(address, 2)
        scene.daemon.until_logged("the server is busy; at most")
        for address in busy:
            scene.until_delivered(address, 2)
        until(lambda: not scene.ledger.unresolved(), "no failure is left")


@case("the wait that the server asks for is kept")
def _():
    with Scene(["ann@example.com"]) as scene:
        fill(scene, scene.mailboxes, 1)
        scene.exchange.fault(http=503, header="Retry-After: 3", count=1)
        begin = time.monotonic()
        scene.daemon.start()
        scene.until_delivered("ann@example.com", 1)
        check(time.monotonic() - begin >= 3, "it was tried again before the time was over")


main()
