#!/usr/bin/python3
"""kill -9 at any moment, again and again: every message arrives exactly once.

The simulator answers slowly, so that the moments of the kills spread over all steps, and mail arrives
all the time while the daemon is being killed. Message sizes differ, so that a kill meets spools that
are empty, half written, and committed. 20 kills, 200 with EXSYNC_LONG.
"""

import collections
import os
import threading
import time

from harness import LONG, add_case, chance, check, check_equal, main, say, until
from ledger import DELIVERED, DELIVERING
from mail import RECEIPT, message
from scene import ANN, BEN, CARLA, Scene

EVERYBODY = (ANN, BEN, CARLA)
KILLS = 200 if LONG else 20
LOADED = 200 if LONG else 100


class Arrivals:
    """Mail that arrives while the daemon is killed, some of it at each kill."""

    def __init__(self, scene, numbers):
        self.scene, self.numbers = scene, numbers
        self.contents = {address: [] for address in EVERYBODY}

    def arrive(self):
        for address in EVERYBODY * self.numbers.choice((1, 3)):
            content = message("arrived meanwhile", headers=RECEIPT, chance=self.numbers)
            self.scene.exchange.add(address, content)
            self.contents[address].append(content)


class Consumer(threading.Thread):
    """Takes files out of new/ as a program would that works on the mail."""

    def __init__(self, scene):
        super().__init__(daemon=True)
        self.scene, self.stopping, self.error = scene, threading.Event(), None
        self.folder = scene.folder / "taken"
        self.taken = collections.Counter()
        for address in EVERYBODY:
            (self.folder / address).mkdir(parents=True)

    def run(self):
        try:
            while not self.stopping.wait(0.02):
                for address in EVERYBODY:
                    self.take(address)
        except Exception as error:  # told by the case
            self.error = error

    def take(self, address):
        for path in self.scene.maildir(address).files()[:7]:
            os.rename(path, self.folder / address / os.path.basename(path))
            self.taken[address] += 1

    def contents(self, address):
        return collections.Counter(path.read_bytes() for path in (self.folder / address).iterdir())

    def end(self):
        self.stopping.set()
        self.join()
        if self.error is not None:
            raise self.error


def put_files_of_others(scene, address):
    """What other programs keep in a Maildir, in places where it must be left alone."""
    maildir = scene.maildir(address).path
    for folder in ("cur", "new", "tmp"):
        (maildir / folder).mkdir(parents=True)
    files = {
        maildir / "new/1700000000.M1P1.otherhost": b"another program's\n",
        maildir / "cur/1700000000.M2P1.otherhost:2,S": b"read\n",
        maildir / "tmp/1700000000.M3P1.otherhost": b"half written",
        maildir / "dovecot-uidlist": b"3 V1 N1\n",
        maildir / ".Sent/maildirfolder": b"",
    }
    for path, content in files.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    return files


def check_others(files):
    for path, content in files.items():
        check(path.exists(), f"{path.name} of another program is gone")
        check_equal(path.read_bytes(), content, path.name)
        path.unlink()


def state_at_kill(scene):
    """What the kill has left behind: shows that the kills meet different steps."""
    ledger = scene.ledger.copy(scene.folder / "copy")
    unfinished = sum(len(scene.maildir(address).unfinished()) for address in EVERYBODY)
    delivering = sum(ledger.count(address, DELIVERING) for address in EVERYBODY)
    return ("in the spool" if unfinished else "") + (" committed" if delivering else "") or "between"


def wait_for_a_moment(scene, numbers):
    """Some time after the start: from before the first request to well into a run. Or when a
    message is on its way, which it is soon, for there is always new mail."""
    if numbers.random() < 0.4:
        time.sleep(numbers.choice((0.01, 0.05, 0.1, 0.2, 0.3)) * numbers.uniform(0.3, 1.5))
        return
    before = sum(scene.maildir(address).count() for address in EVERYBODY)
    # A consumer may take it before it is seen: then any moment is as good.
    deadline = time.monotonic() + 3
    while time.monotonic() < deadline:
        if any(scene.maildir(address).unfinished() for address in EVERYBODY):
            break
        if sum(scene.maildir(address).count() for address in EVERYBODY) > before:
            break
        time.sleep(0.0005)
    time.sleep(numbers.choice((0, 0, 0.001, 0.003, 0.01, 0.03)))


def kill_again_and_again(scene, numbers, arrivals):
    states = collections.Counter()
    for _ in range(KILLS):
        arrivals.arrive()
        scene.daemon.start()
        wait_for_a_moment(scene, numbers)
        scene.daemon.check_running()
        scene.daemon.kill()
        states[state_at_kill(scene)] += 1
    return states


def load(scene, numbers):
    contents = {address: [] for address in EVERYBODY}
    for address in EVERYBODY:
        for _ in range(LOADED):
            content = message(headers=RECEIPT, chance=numbers)
            scene.exchange.add(address, content)
            contents[address].append(content)
    return contents


def deliver_the_rest(scene, wanted):
    def all_there():
        scene.daemon.check_running()
        return all(scene.ledger.count(address, DELIVERED) >= len(wanted[address])
                   for address in EVERYBODY)
    scene.exchange.control("limits", latency=0)
    scene.daemon.start()
    until(all_there, "everything is delivered in the end", 120)
    scene.until_polled(*EVERYBODY)
    scene.daemon.stop()


def check_all(scene, wanted, consumer):
    for address in EVERYBODY:
        found = scene.maildir(address).contents()
        if consumer:
            found += consumer.contents(address)
        scene.check_contents(address, found, collections.Counter(wanted[address]))
        scene.check_agreement(address, consumer.taken[address] if consumer else 0)


def killed(name, profile, latency, consumed=False, defaults=None):
    numbers = chance(name)
    with Scene(EVERYBODY, ["--latency", latency], profile=profile, defaults=defaults) as scene:
        scene.answers_linger = True
        contents = load(scene, numbers)
        others = {} if consumed else put_files_of_others(scene, ANN)
        consumer = Consumer(scene) if consumed else None
        if consumer:
            consumer.start()
        arrivals = Arrivals(scene, numbers)
        states = kill_again_and_again(scene, numbers, arrivals)
        wanted = {address: contents[address] + arrivals.contents[address] for address in EVERYBODY}
        deliver_the_rest(scene, wanted)
        if consumer:
            consumer.end()
        check_others(others)
        check_all(scene, wanted, consumer)
        check(states["between"] < KILLS, "no kill has met a message on its way")
        say(f"# {name}: {sum(map(len, wanted.values()))} messages; the kills have met: "
            + ", ".join(f"{count} {state.strip()}" for state, count in states.items()))


EVERY_SECOND = {"poll_interval": "1s"}
for name, profile, arguments in (
        ("one message a request", {"batch_size": 1, "page_size": 50}, {"latency": 3}),
        ("small batches", {"batch_size": 5, "page_size": 20}, {"latency": 10}),
        ("large batches", {"batch_size": 100, "page_size": 1000}, {"latency": 25}),
        ("a consumer that takes files out of new/", {"batch_size": 10},
         {"latency": 10, "consumed": True}),
        ("messages that are moved after delivery", {"batch_size": 10},
         {"latency": 10, "defaults": {"after_processing": "move:Done"}})):
    add_case(f"after {KILLS} kills at random moments every message is there exactly once, with {name}",
             lambda name=name, profile=profile, arguments=arguments:
             killed(name, {**EVERY_SECOND, **profile}, **arguments))

main(side_by_side=2)
