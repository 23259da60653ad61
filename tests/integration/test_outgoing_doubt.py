#!/usr/bin/python3
"""Outgoing mail when answers do not come: each message once, whatever the server has done.

15 messages for each kind of trouble; with EXSYNC_LONG 1000 where connections are closed, else 60."""

from harness import LONG, add_case, case, chance, check, check_equal, main, until
from scene import ANN, BEN
from sending import SendingScene, mail, subject_of

MESSAGES = 60 if LONG else 15
MANY = 1000 if LONG else MESSAGES
PATIENCE_S = 600 if LONG else 60
QUICK = {"retry_min": "100ms", "retry_max": "200ms"}


def subjects_of(count):
    return [f"number {number:04d}" for number in range(count)]


def dropped(operation, values, method="auto"):
    """The answer of every third request of the operation is spoiled."""
    count = MANY if "close" in values else MESSAGES
    with SendingScene(profile={**QUICK, "send_method": method, "batch_size": 4,
                               "doubt_window": "3s", "request_timeout": "2s"}) as scene:
        scene.answers_linger = True
        scene.exchange.fault(operation=operation, mailbox=ANN, every=3, count=0, **values)
        scene.start()
        subjects = subjects_of(count)
        scene.submit(*[mail(subject) for subject in subjects])
        until(lambda: len(scene.inbox(BEN)) + len(scene.outbox.failed()) >= count,
              "all messages are sent, or left to a person", PATIENCE_S)
        scene.exchange.clear_faults()
        scene.until_settled(PATIENCE_S)
        if method == "direct":  # what has left no copy is not sent again: a person decides
            for name, reason in scene.outbox.failed().items():
                check("InDoubt" in reason, lambda: reason)
                subjects.remove(subject_of((scene.outbox.folder / "failed" / name).read_bytes()))
            scene.check_each_once(BEN, subjects)
            return
        scene.check_each_once(BEN, subjects)
        scene.check_each_once(ANN, subjects, "Sent Items")
        scene.check_no_drafts()
        check_equal(scene.outbox.failed(), {}, "refused messages")


FAULTS = (
    ("the connection is closed before the request is read", {"close": "before"}),
    ("the connection is closed after the request was carried out", {"close": "after"}),
    ("the connection is closed in the middle of the answer", {"close": "middle"}),
    ("a used connection is closed without a byte", {"close": "after", "reused": 1}),
    ("the answer is cut short", {"body": "truncated"}),
    ("the answer is garbage", {"body": "garbage"}),
    ("the answer comes after the client has given up", {"delay": 3000}),
    ("the server answers 500 without a word", {"http": 500}),
    ("the server answers ErrorTimeoutExpired", {"soap": "ErrorTimeoutExpired"}),
    ("a load balancer answers 503 for a server that has carried it out",
     {"http": 503, "carried_out": 1}),
    ("a load balancer answers 503 for a server that is not there", {"http": 503}),
    ("a load balancer answers 408 for a server that has carried it out",
     {"http": 408, "carried_out": 1}),
    ("the server is busy", {"soap": "ErrorServerBusy", "back_off": 50}),
)
for words, values in FAULTS:
    for operation in ("CreateItem", "SendItem"):
        add_case(f"{operation}: {words}: each message arrives once", dropped, operation, values)
    add_case(f"in one step: {words}: each message arrives once", dropped, "CreateItem", values,
             "direct")
for words, values in FAULTS[:5]:
    add_case(f"the questions that settle a doubt fail, too: {words}", dropped, "any", values)


@case("while Transport is stopped nothing is sent twice, and all goes out when it runs again")
def _():
    with SendingScene(profile=QUICK) as scene:
        scene.exchange.control("transport", state="stopped")
        scene.start()
        subjects = subjects_of(8)
        scene.exchange.fault(operation="SendItem", mailbox=ANN, close="after", count=2)
        scene.submit(*[mail(subject) for subject in subjects])
        until(lambda: scene.exchange.counter("messages_submitted") >= len(subjects),
              "all are submitted")
        before = scene.exchange.counter("requests.SendItem")
        requests = scene.exchange.counter(f"mailbox_requests.{ANN}")
        until(lambda: not scene.open_submissions() or
              scene.exchange.counter(f"mailbox_requests.{ANN}") > requests + 10,
              "it was looked at several times")
        check_equal(scene.exchange.counter("requests.SendItem"), before, "SendItem requests")
        scene.exchange.control("transport", state="running")
        scene.until_received(BEN, len(subjects))
        scene.until_settled()
        scene.check_each_once(BEN, subjects)
        scene.check_no_drafts()


def spoiled_draft(spoil):
    """One draft in doubt cannot be looked at: the others go on, and so does new mail."""
    with SendingScene(profile=QUICK) as scene:
        scene.exchange.control("transport", state="stopped")
        scene.start()
        scene.exchange.fault(operation="SendItem", mailbox=ANN, close="after", count=1)
        subjects = subjects_of(6)
        # The first message is in the request that is not answered; others may be.
        scene.submit(*[mail(subject) for subject in subjects])
        until(lambda: scene.exchange.counter("messages_submitted") >= len(subjects),
              "all are submitted")
        scene.exchange.control("spoil", mailbox=ANN, subject=subjects[0], **spoil)
        scene.daemon.until_logged(f'the message "{subjects[0]}" may have been sent', "GetItem")
        scene.exchange.control("transport", state="running")
        scene.submit(mail("new"))
        scene.until_received(BEN, len(subjects) + 1)
        scene.exchange.control("spoil", mailbox=ANN, subject=subjects[0], clear=1)
        scene.until_settled()
        scene.check_each_once(BEN, [*subjects, "new"])
        scene.check_no_drafts()


for spoil in ({"breaks": "http500"}, {"breaks": "close"}, {"error": "ErrorItemCorrupt"},
              {"error": "ErrorInternalServerError"}):
    add_case(f"a draft that is spoiled by {spoil} holds up no other mail", spoiled_draft, spoil)


@case("a copy that a person deletes at once is no reason to send again")
def _():
    with SendingScene(profile=QUICK) as scene:
        scene.start()
        scene.exchange.control("transport", sent_items="held")
        scene.exchange.fault(operation="SendItem", mailbox=ANN, close="after", count=3)
        subjects = subjects_of(6)
        scene.submit(*[mail(subject) for subject in subjects])
        scene.until_received(BEN, len(subjects))
        scene.until_settled()
        scene.check_each_once(BEN, subjects)


@case("in one step, a copy that appears late settles the doubt")
def _():
    with SendingScene(profile={**QUICK, "send_method": "direct"}) as scene:
        scene.start()
        scene.exchange.control("transport", sent_items="held")
        scene.exchange.fault(operation="CreateItem", mailbox=ANN, close="after", count=1)
        scene.submit(mail("late"))
        scene.until_received(BEN, 1)
        requests = scene.exchange.counter("requests.FindItem")
        until(lambda: scene.exchange.counter("requests.FindItem") > requests + 3,
              "it is looked for several times")
        scene.exchange.control("transport", sent_items="immediate")
        scene.until_settled()
        scene.check_each_once(BEN, ["late"])
        check_equal(scene.outbox.failed(), {}, "refused messages")


@case("two drafts of one message: one is sent, the other removed")
def _():
    with SendingScene(profile=QUICK) as scene:
        scene.start()
        scene.exchange.fault(operation="CreateItem", mailbox=ANN, close="after", count=1)
        # The first look finds nothing, as when the request is still on its way.
        scene.exchange.fault(operation="FindItem", mailbox=ANN, code="ErrorItemNotFound", count=1)
        scene.submit(mail("twice created"))
        scene.until_received(BEN, 1)
        scene.until_settled()
        scene.check_each_once(BEN, ["twice created"])
        scene.check_no_drafts()


main()
