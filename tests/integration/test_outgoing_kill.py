#!/usr/bin/python3
"""kill -9 at any moment while mail is sent: each recipient has each message exactly once.

20 kills, 200 with EXSYNC_LONG; messages are submitted all the time, some answers are lost."""

import collections
import time

from harness import LONG, add_case, chance, check, check_equal, main, say, until
from scene import ANN, BEN, CARLA
from sending import SendingScene, mail, subject_of

KILLS = 200 if LONG else 20
NAMES = {0: "nothing", 1: "queued", 2: "creating", 3: "created", 6: "doubtful", 7: "sending"}


def states_at_kill(scene):
    """The states of what was under way; a doubt from an earlier kill is one among others."""
    ledger = scene.ledger.copy(scene.folder / "copy")
    rows = ledger.rows("SELECT DISTINCT state FROM submission WHERE state NOT IN (4, 5)")
    return [NAMES.get(row["state"], str(row["state"])) for row in rows] or [NAMES[0]]


def last_taken_in(scene):
    return scene.ledger.value("SELECT max(number) FROM submission") or 0


def killed(name, options, profile, faults):
    numbers = chance(name)
    with SendingScene((ANN, BEN, CARLA), options,
                      profile={"retry_min": "100ms", "retry_max": "200ms", "doubt_window": "3s",
                               **profile}) as scene:
        scene.answers_linger = True
        scene.start()
        for values in faults:
            scene.exchange.fault(count=0, **values)
        subjects, states = [], collections.Counter()
        for kill in range(KILLS):
            if not scene.daemon.running():
                scene.daemon.start()
            before = last_taken_in(scene)
            for number in range(numbers.choice((1, 4, 9))):
                subjects.append(f"{name} {kill:03d} {number}")
                body = "a line of the message\n" * int(numbers.paretovariate(1.1) * 10 % 20_000)
                scene.submit(mail(subjects[-1], headers=f"Bcc: {CARLA}\n", body=body))
            if kill % 3 == 0:  # while something is under way, however fast the machine is
                until(lambda: last_taken_in(scene) > before, "a message is taken in", pause=0.001)
                time.sleep(numbers.uniform(0, 0.02))
            else:
                time.sleep(numbers.choice((0.02, 0.05, 0.1, 0.2, 0.3)) * numbers.uniform(0.3, 1.5))
            scene.daemon.check_running()
            scene.daemon.kill()
            states.update(states_at_kill(scene))
        scene.exchange.clear_faults()
        scene.exchange.control("limits", latency=0)
        scene.daemon.start()
        scene.daemon.until_started()
        scene.until_settled(120)
        if profile.get("send_method") == "direct":
            # A kill before the request has left leaves a doubt that no copy settles: nothing is
            # sent again, a person decides.
            for file, reason in scene.outbox.failed().items():
                check("InDoubt" in reason, lambda: reason)
                subjects.remove(subject_of((scene.outbox.folder / "failed" / file).read_bytes()))
        else:
            check_equal(scene.outbox.failed(), {}, "refused messages")
        for address, folder in ((BEN, "Inbox"), (CARLA, "Inbox"), (ANN, "Sent Items")):
            scene.check_each_once(address, subjects, folder)
        scene.check_no_drafts()
        check(len(states) > 1, lambda: f"the kills have met one state only: {states}")
        say(f"# {name}: {len(subjects)} messages; the kills have met: "
            + ", ".join(f"{count} {state}" for state, count in states.items()))


for name, arguments in (
        ("one at a time", (["--latency", "10"], {"batch_size": 1}, ())),
        ("batches", (["--latency", "25"], {"batch_size": 10}, ())),
        ("lost answers", (["--latency", "10"], {"batch_size": 4},
                          ({"operation": "CreateItem", "close": "after", "every": 4},
                           {"operation": "SendItem", "close": "middle", "every": 3}))),
        ("one step", (["--latency", "10"], {"batch_size": 4, "send_method": "direct"}, ()))):
    add_case(f"after {KILLS} kills each message was sent exactly once: {name}",
             lambda name=name, arguments=arguments: killed(name, *arguments))

main(side_by_side=2)
