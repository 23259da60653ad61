#!/usr/bin/python3
"""What happens in Exchange to delivered messages, without their authors being told."""

from harness import add_case, case, check, check_equal, main, until
from mail import RECEIPT, message
from scene import ANN, Scene

MESSAGES = 30


def add_requests_for_receipts(scene):
    for _ in range(MESSAGES):
        scene.exchange.add(ANN, message("please confirm", headers=RECEIPT))


def folders(scene):
    """How many items each folder has that has any."""
    answer = scene.exchange.control("folders", mailbox=ANN)
    return {folder["folder"]: folder["count"] for folder in answer["folders"] if folder["count"]}


def read_flags(scene, folder):
    return {item["read"] for item in scene.exchange.items(ANN, folder)}


def after_processing(value, profile, done):
    with Scene([ANN], profile=profile, defaults={"after_processing": value}) as scene:
        add_requests_for_receipts(scene)
        mimes = scene.exchange.mimes(ANN)
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        until(lambda: done(scene), lambda: f"{value} is done to all: {folders(scene)}")
        scene.exchange.add(ANN, message("one more", headers=RECEIPT))
        scene.until_delivered(ANN, MESSAGES + 1)
        scene.until_polled(ANN)
        check_equal(scene.maildir(ANN).count(), MESSAGES + 1, "delivered messages")
        found = scene.maildir(ANN).contents()
        check(all(content.replace(b"\r\n", b"\n") in found for content in mimes),
              "not all messages are in the Maildir")
        until(lambda: scene.ledger.value("SELECT count(*) FROM ledger WHERE reference IS NOT NULL")
              == 0, "nothing is left to be done")
        check_equal(scene.ledger.unresolved(), [], "failures")
        check_equal(scene.exchange.counter("read_receipts"), 0, "read receipts")
        told = scene.daemon.log_lines(f"{ANN}: created the folder ")
        folder = value.partition("move:")[2]
        check_equal(len(told), 1 if folder else 0, "lines about a folder that was made")
        check(not folder or f'created the folder "{folder}" in the mailbox' in told[0],
              lambda: f"it says {told}")


for value, what, done in (
        ("leave", "stays as it is", lambda scene: read_flags(scene, "Inbox") == {False}),
        ("mark_read", "is marked read", lambda scene: read_flags(scene, "Inbox") == {True}),
        ("move:Done", "is moved to a folder that is made for it",
         lambda scene: folders(scene) == {"Done": MESSAGES}),
        ("move:Inbox/Done/2026", "is moved below the Inbox",
         lambda scene: folders(scene) == {"Inbox/Done/2026": MESSAGES}),
        ("delete", "goes to Deleted Items",
         lambda scene: folders(scene) == {"Deleted Items": MESSAGES}),
        ("purge", "is removed for good", lambda scene: folders(scene) == {})):
    add_case(f"with after_processing = {value} delivered mail {what}, and no author gets a receipt",
             after_processing, value, {}, done)
    if value in ("mark_read", "delete"):
        add_case(f"with after_processing = {value} in small batches the same holds",
                 after_processing, value, {"batch_size": 3, "page_size": 10}, done)


def trouble(value, operation, fault, done):
    """What could not be done is done later, and nothing is delivered twice meanwhile."""
    with Scene([ANN], defaults={"after_processing": value}, profile={"batch_size": 10}) as scene:
        add_requests_for_receipts(scene)
        scene.exchange.fault(operation=operation, count=0, **fault)
        scene.daemon.start()
        scene.until_delivered(ANN, 10)
        until(lambda: scene.exchange.counter("faults") > 2, "the fault has been met some times")
        scene.daemon.stop()
        scene.daemon.start()
        faults = scene.exchange.counter("faults")
        until(lambda: scene.exchange.counter("faults") > faults, "the fault is met after a restart")
        scene.exchange.clear_faults()
        until(lambda: done(scene), lambda: f"{value} is done to all: {folders(scene)}")
        scene.until_delivered(ANN, MESSAGES)
        scene.until_polled(ANN)
        check_equal(scene.maildir(ANN).count(), MESSAGES, "delivered messages")
        until(lambda: not scene.ledger.unresolved(), "no failure is left")


for value, operation, fault, what, done in (
        ("mark_read", "UpdateItem", {"http": 503}, "refused by a busy server",
         lambda scene: read_flags(scene, "Inbox") == {True}),
        ("mark_read", "UpdateItem", {"close": "after"}, "done by a server that then says nothing",
         lambda scene: read_flags(scene, "Inbox") == {True}),
        ("mark_read", "UpdateItem", {"code": "ErrorIrresolvableConflict", "index": 0},
         "refused for one item", lambda scene: read_flags(scene, "Inbox") == {True}),
        ("move:Done", "MoveItem", {"body": "truncated"}, "answered by half",
         lambda scene: folders(scene) == {"Done": MESSAGES}),
        ("move:Done", "CreateFolder", {"soap": "ErrorInternalServerError"}, "without a folder",
         lambda scene: folders(scene) == {"Done": MESSAGES}),
        ("delete", "DeleteItem", {"close": "after"}, "done by a server that then says nothing",
         lambda scene: folders(scene) == {"Deleted Items": MESSAGES}),
        ("purge", "DeleteItem", {"code": "ErrorMailboxStoreUnavailable"}, "refused for all items",
         lambda scene: folders(scene) == {})):
    add_case(f"after_processing = {value} that is {what} is done later, across a restart, "
             "and nothing is delivered twice", trouble, value, operation, fault, done)


@case("an item that somebody removes between delivery and after_processing is no failure")
def _():
    with Scene([ANN], defaults={"after_processing": "move:Done"}) as scene:
        add_requests_for_receipts(scene)
        scene.exchange.fault(operation="MoveItem", count=0, http=503)
        scene.daemon.start()
        scene.until_delivered(ANN, 20)
        victim = scene.exchange.items(ANN, "Inbox")[0]["id"]
        scene.exchange.control("delete", item=victim)
        scene.exchange.clear_faults()
        until(lambda: folders(scene) == {"Done": MESSAGES - 1}, "the others are moved")
        until(lambda: not scene.ledger.unresolved(), "no failure is left")


@case("a hundred items that can never be marked read hold up no others")
def _():
    with Scene([ANN], defaults={"after_processing": "mark_read"}) as scene:
        for number in range(115):
            scene.exchange.add(ANN, message(), source="stuck" if number < 105 else "well")
        refused = {"operation": "UpdateItem", "error": "ErrorIrresolvableConflict"}
        scene.exchange.fault(operation="UpdateItem", count=0, code=refused["error"])
        scene.daemon.start()
        scene.until_delivered(ANN, 115)
        scene.exchange.control("spoil", mailbox=ANN, source="stuck", **refused)
        scene.exchange.clear_faults()

        def unread():
            return [item["source"] for item in scene.exchange.items(ANN) if not item["read"]]
        until(lambda: "well" not in unread(), "the others are marked read", 20)
        check_equal(unread(), ["stuck"] * 105, "messages that are left")
        scene.exchange.control("spoil", mailbox=ANN, source="stuck", clear=1)
        until(lambda: not unread(), "all are marked read", 20)


main()
