#!/usr/bin/python3
"""Messages that cannot be delivered are moved to a folder of their own, once, and others go on."""

from harness import case, check, check_equal, main, until
from ledger import FAILED
from mail import RECEIPT, message
from scene import ANN, BEN, Scene

MESSAGES = 10
ASIDE = "Undeliverable"
WANTED = {"undeliverable_folder": "yes"}


def fill(scene, mailbox=ANN):
    for _ in range(MESSAGES):
        scene.exchange.add(mailbox, message("please confirm", headers=RECEIPT))


def spoil(scene, count=1, mailbox=ANN, **how):
    """The first messages of the Inbox; their subjects."""
    items = scene.exchange.items(mailbox, "Inbox")[:count]
    for item in items:
        scene.exchange.control("spoil", item=item["id"], **how)
    return sorted(item["subject"] for item in items)


def aside(scene, mailbox=ANN):
    if not any(folder["folder"] == ASIDE for folder in
               scene.exchange.control("folders", mailbox=mailbox)["folders"]):
        return []
    return sorted(item["subject"] for item in scene.exchange.items(mailbox, ASIDE))


def set_aside_rows(scene):
    return [row for row in scene.ledger.items(ANN, FAILED)
            if row["next_retry"] is None and row["reference"] is None]


def until_aside(scene, subjects):
    until(lambda: aside(scene) == subjects and len(set_aside_rows(scene)) == len(subjects),
          lambda: f"{subjects} are moved (there is {aside(scene)})")


def check_left(scene, subjects):
    """They are kept where they are, unread, told once each, and nobody asks for them again."""
    items = scene.exchange.items(ANN, ASIDE)
    check_equal({item["read"] for item in items}, {False}, "read flags")
    rows = scene.ledger.unresolved(ANN)
    check_equal([row["next_retry"] for row in rows], [None] * len(subjects), "next tries")
    told = scene.daemon.log_lines(f"{ANN}: a message received ")
    check_equal(len([line for line in told if line.endswith(f"was moved to {ASIDE}")]),
                len(subjects), "lines about messages that were moved")
    asked = scene.exchange.counter("requests.GetItem")
    moves = scene.exchange.counter("requests.MoveItem")
    scene.until_polled(ANN, times=4)
    check_equal(scene.exchange.counter("requests.GetItem"), asked, "GetItem requests")
    check_equal(scene.exchange.counter("requests.MoveItem"), moves, "MoveItem requests")
    check_equal(aside(scene), subjects, "messages set aside")


@case("what the server cannot give is moved at once, to a folder that is made for it")
def _():
    with Scene([ANN, BEN], defaults=WANTED) as scene:
        fill(scene)
        fill(scene, BEN)
        subjects = spoil(scene, 2, error="ErrorItemCorrupt")
        scene.daemon.start()
        until_aside(scene, subjects)
        scene.until_delivered(ANN, MESSAGES - 2)
        scene.until_delivered(BEN, MESSAGES)
        check_left(scene, subjects)
        rows = scene.ledger.unresolved()
        check_equal([(row["step"], row["code"], row["count"]) for row in rows],
                    [("GetItem", "ErrorItemCorrupt", 1)] * 2, "failures")
        made = scene.daemon.log_lines(f'{ANN}: created the folder "{ASIDE}" in the mailbox')
        check_equal(len(made), 1, "lines about the folder")
        check_equal(aside(scene, BEN), [], "messages of the other mailbox that were moved")
        scene.check_delivered(ANN)
        fill(scene)
        scene.until_delivered(ANN, 2 * MESSAGES - 2)


@case("a message that breaks its request is moved after item_attempts, no sooner")
def _():
    with Scene([ANN], profile={"item_attempts": 3, "batch_size": 4}, defaults=WANTED) as scene:
        fill(scene)
        subjects = spoil(scene, breaks="http500")
        scene.daemon.start()
        until_aside(scene, subjects)
        check_equal([row["attempts"] for row in set_aside_rows(scene)], [3], "attempts")
        scene.until_delivered(ANN, MESSAGES - 1)
        check_left(scene, subjects)
        scene.check_delivered(ANN)


@case("without undeliverable_folder everything stays where it is and is tried again")
def _():
    with Scene([ANN], profile={"item_attempts": 1}) as scene:
        fill(scene)
        spoil(scene, error="ErrorItemCorrupt")
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES - 1)
        until(lambda: scene.ledger.unresolved(ANN), "the failure is recorded")
        scene.until_polled(ANN, times=4)
        check_equal(aside(scene), [], "messages that were moved")
        check(scene.ledger.unresolved(ANN)[0]["next_retry"], "no next try is recorded")


def trouble(operation, fault, hold):
    """The move fails, in different ways; it is done later, once."""
    with Scene([ANN], defaults=WANTED) as scene:
        fill(scene)
        subjects = spoil(scene, 2, error="ErrorItemCorrupt")
        scene.exchange.fault(operation=operation, count=0, **fault)
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES - 2)
        until(lambda: scene.exchange.counter("faults") > 2, "the fault has been met some times")
        if hold:
            check_equal(aside(scene), [], "messages that were moved")
        scene.daemon.stop()
        scene.daemon.start()
        fill(scene)
        scene.until_delivered(ANN, 2 * MESSAGES - 2)
        scene.exchange.clear_faults()
        until_aside(scene, subjects)
        until(lambda: len(scene.ledger.unresolved()) == 2, "only the messages' failures are left")
        scene.until_polled(ANN)
        scene.check_delivered(ANN)
        check_equal(scene.ledger.count(ANN, FAILED), 2, "failed rows")


@case("while the server refuses to move, new mail goes on, and it is moved later")
def _():
    trouble("MoveItem", {"code": "ErrorItemSave"}, True)


@case("while the server is busy nothing is lost, and it is moved later")
def _():
    trouble("MoveItem", {"http": 503}, True)


@case("a move that was carried out without an answer counts as done")
def _():
    trouble("MoveItem", {"close": "after"}, False)


@case("while the folder cannot be made the messages stay where they are")
def _():
    trouble("CreateFolder", {"soap": "ErrorInternalServerError"}, True)


@case("a refusal to move is said once, and that message holds up no others")
def _():
    with Scene([ANN], defaults=WANTED) as scene:
        fill(scene)
        subjects = spoil(scene, 3, error="ErrorItemCorrupt")
        scene.exchange.fault(operation="MoveItem", code="ErrorMoveCopyFailed", index=0, count=3)
        scene.daemon.start()
        until_aside(scene, subjects)
        said = scene.daemon.log_lines(f"{ANN}: a message that could not be delivered was not moved")
        check_equal(len(said), 1, "lines about a refused move")
        check_left(scene, subjects)


@case("after a kill between the record and the move only the move is repeated")
def _():
    with Scene([ANN], defaults=WANTED) as scene:
        fill(scene)
        subjects = spoil(scene, 2, error="ErrorItemCorrupt")
        scene.exchange.fault(operation="MoveItem", delay=60000, count=1)
        scene.answers_linger = True
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES - 2)
        until(lambda: scene.exchange.counter("faults") == 1, "the move is under way")
        scene.daemon.kill()
        asked = scene.exchange.counter("items_served")
        scene.daemon.start()
        until_aside(scene, subjects)
        scene.until_polled(ANN)
        check_equal(scene.exchange.counter("items_served"), asked, "messages fetched again")
        check_equal([row["count"] for row in scene.ledger.unresolved()], [1, 1],
                    "failures counted")
        scene.check_delivered(ANN)


@case("a message that somebody puts back is tried again, and its failure ends when it is delivered")
def _():
    with Scene([ANN], defaults=WANTED) as scene:
        fill(scene)
        subjects = spoil(scene, 2, error="ErrorItemCorrupt")
        scene.daemon.start()
        until_aside(scene, subjects)
        scene.until_delivered(ANN, MESSAGES - 2)
        first, second = scene.exchange.items(ANN, ASIDE)
        scene.exchange.control("spoil", item=first["id"], clear=1)
        scene.exchange.control("move", item=first["id"], to="Inbox")
        scene.exchange.control("move", item=second["id"], to="Inbox")
        scene.until_delivered(ANN, MESSAGES - 1)
        until_aside(scene, [second["subject"]])
        until(lambda: len(scene.ledger.unresolved()) == 1, "one failure is left")
        scene.check_delivered(ANN)


@case("turned off by a reload, what is marked is tried again instead of being moved")
def _():
    with Scene([ANN], defaults=WANTED) as scene:
        fill(scene)
        spoil(scene, error="ErrorItemCorrupt")
        scene.exchange.fault(operation="MoveItem", code="ErrorItemSave", count=0)
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES - 1)
        until(lambda: scene.exchange.counter("requests.MoveItem") > 1, "moving it was tried")
        scene.exchange.control("spoil", mailbox=ANN, folder="Inbox", clear=1)
        del scene.default_keys["undeliverable_folder"]
        scene.reload()
        scene.until_delivered(ANN, MESSAGES)
        until(lambda: not scene.ledger.unresolved(), "no failure is left")
        check_equal(aside(scene), [], "messages that were moved")
        scene.check_delivered(ANN)


main()
