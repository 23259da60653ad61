#!/usr/bin/env python3
"""exsyncctl trace: where is this mail? Incoming and outgoing, in every state that it can have."""

import contextlib
import ctypes
import email
import os
import re
import sqlite3
import time

from exsyncctl import EX_NOUSER, EX_TEMPFAIL, Exsyncctl
from harness import Skipped, case, check, check_equal, main, until
from mail import message
from scene import ANN, BEN, CARLA, PROFILE, Scene
from sending import SendingScene, mail

NOT_FOUND = 1
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def started(scene):
    scene.daemon.start()
    scene.daemon.until_started()
    return Exsyncctl(scene)


def message_id(content):
    return str(email.message_from_bytes(content)["Message-ID"])


def traced(tool, *words, kind):
    """The answers of that kind."""
    answers = tool.answers("trace", *words)
    check_equal(answers[-1]["kind"], "searched", "kind of the last answer")
    return [answer for answer in answers if answer["kind"] == kind]


def only(answers):
    check_equal(len(answers), 1, f"how many were found: {answers}")
    return answers[0]


def check_times(answer, *names):
    for name in names:
        check(TIME.fullmatch(answer[name] or ""), f"{name} is {answer[name]!r}")


# --- incoming ------------------------------------------------------------------------------------

@case("A delivered message is found by its Message-ID: mailbox, times, cycle and file")
def _():
    with Scene([ANN, BEN]) as scene:
        content = message("an order")
        scene.exchange.add(ANN, message())
        scene.exchange.add(ANN, content)
        tool = started(scene)
        scene.until_delivered(ANN, 2)
        scene.until_polled(ANN)
        answer = only(traced(tool, message_id(content), kind="incoming"))
        check_equal((answer["address"], answer["profile"], answer["state"]),
                    (ANN, PROFILE, "delivered"), "who and what")
        check_equal(open(answer["path"], "rb").read(), content, "the file that is named")
        check_times(answer, "received", "taken")
        check_equal((answer["failure"], answer["next"], answer["next_try"]), (None,) * 3, "rest")
        check_equal((answer["message_id"], answer["subject"].rsplit(" ", 1)[0]),
                    (message_id(content), "an order"), "what its file says")
        cycle = scene.exchange.counters()
        check(UUID.fullmatch(answer["activity"]), f"activity {answer['activity']}, {len(cycle)}")
        out = tool.output("trace", message_id(content).strip("<>"))
        for text in (ANN, PROFILE, "delivered", answer["path"], answer["activity"]):
            check(text in out, f"{text!r} is not told: {out}")


@case("A message that a program has taken from the Maildir is told as such, and one in cur is found")
def _():
    with Scene([ANN]) as scene:
        contents = [message("one"), message("two")]
        for content in contents:
            scene.exchange.add(ANN, content)
        tool = started(scene)
        scene.until_delivered(ANN, 2)
        scene.until_polled(ANN)
        paths = [only(traced(tool, message_id(content), kind="incoming"))["path"]
                 for content in contents]
        os.unlink(paths[0])
        moved = paths[1].replace("/new/", "/cur/") + ":2,S"
        os.rename(paths[1], moved)
        gone = only(traced(tool, message_id(contents[0]), kind="incoming"))
        check_equal((gone["state"], gone["path"]), ("delivered", None), "the one that was taken")
        check_equal((gone["message_id"], gone["subject"]), (message_id(contents[0]), None),
                    "what was asked for is told")
        check("not in" in tool.output("trace", message_id(contents[0])), "it is not told")
        seen = only(traced(tool, message_id(contents[1]), kind="incoming"))
        check_equal(seen["path"], moved, "the one that was read")


@case("A message is found by a part of its subject and by its file, in the mailboxes that have it")
def _():
    with Scene([ANN, BEN, CARLA]) as scene:
        content = (b"From: a@b.c\nTo: d@e.f\nSubject: =?utf-8?q?Bestellung_f=C3=BCr?= 4711\n"
                   b"Message-ID: <order.4711@example.com>\n\nhello\n")
        for address in (ANN, BEN):
            scene.exchange.add(address, content)
            scene.exchange.add(address, message("something else"))
        tool = started(scene)
        scene.until_delivered(ANN, 2)
        scene.until_delivered(BEN, 2)
        scene.until_polled(ANN, BEN)
        found = traced(tool, "für 4711", kind="incoming")
        check_equal(sorted(answer["address"] for answer in found), [ANN, BEN], "who has it")
        for answer in found:
            check_equal((answer["subject"], answer["message_id"], answer["state"]),
                        ("Bestellung für 4711", "<order.4711@example.com>", "delivered"), "it")
            check(answer["activity"] and answer["received"], f"the ledger was not asked: {answer}")
        one = only(traced(tool, "BESTELLUNG", "--mailbox", BEN, kind="incoming"))
        check_equal(one["address"], BEN, "the mailbox that was named")
        by_file = traced(tool, one["path"], kind="incoming")
        check_equal(sorted(answer["address"] for answer in by_file), [ANN, BEN], "by its file")
        both = tool.answers("trace", "order.4711@example.com", "--mailbox", ANN)
        check_equal([answer.get("address") for answer in both], [ANN, None], "by id and mailbox")
        check_equal(tool.answers("trace", "--subject", "a@b", wanted=NOT_FOUND)[-1]["mailboxes"], 3,
                    "mailboxes that were looked through for a subject")


@case("A message that the ledger knows nothing of any more is found by its file")
def _():
    with Scene([ANN]) as scene:
        content = message("old")
        scene.exchange.add(ANN, content)
        tool = started(scene)
        scene.until_delivered(ANN, 1)
        scene.until_polled(ANN)
        path = scene.maildir(ANN).files()[0]
        other = os.path.join(os.path.dirname(path), "1500000000" + os.path.basename(path)[10:-20])
        name = re.sub(r"r[0-9a-f]{16}\.", "r00000000000000ff.", os.path.basename(path))
        other = os.path.join(os.path.dirname(path), name)
        with open(other, "wb") as file:
            file.write(message("older than the ledger"))
        answer = only(traced(tool, "older than the ledger", kind="incoming"))
        check_equal((answer["path"], answer["address"], answer["activity"], answer["received"]),
                    (other, ANN, None, None), "what is told")
        check_times(answer, "taken")
        os.unlink(other)


@case("A message that fails is told with its reason, and when it is tried again")
def _():
    with Scene([ANN], profile={"retry_min": "1h", "retry_max": "1h"}) as scene:
        content = message("spoilt")
        scene.exchange.add(ANN, content)
        item = scene.exchange.items(ANN, "Inbox")[0]
        scene.exchange.control("spoil", item=item["id"], no_mime=1)
        tool = started(scene)
        until(lambda: scene.ledger.unresolved(ANN), "it has failed")
        answer = only(traced(tool, message_id(content), kind="incoming"))
        check_equal((answer["state"], answer["attempts"], answer["path"]), ("failed", 1, None), "it")
        failure = answer["failure"]
        check_equal((failure["step"], failure["count"]), ("GetItem", 1), "the failure")
        check(failure["sentence"] and failure["code"] and UUID.fullmatch(failure["activity"]),
              f"the failure says {failure}")
        check(answer["next"], "it is not told what happens next")
        out = tool.output("trace", message_id(content))
        for text in ("failed", failure["sentence"], failure["code"], answer["next"]):
            check(text in out, f"{text!r} is not told: {out}")
        tool.answers("pause", PROFILE)
        answer = only(traced(tool, message_id(content), kind="incoming"))
        check(answer["next"].startswith(f"It waits: the profile {PROFILE} is paused since 20") and
              f'exsyncctl resume "{PROFILE}"' in answer["next"], f"what comes next: {answer}")
        check_equal(answer["next_try"], None, "when")
        scene.may_be_unfinished = True


@case("A message that was never seen: the mailbox that is named is told with its next cycle")
def _():
    with Scene([ANN, BEN], profile={"poll_interval": "1h"}) as scene:
        tool = started(scene)
        scene.exchange.add(ANN, message())
        until(lambda: "success" in str(scene.exchange.counters()) or
              scene.exchange.counters().get(f"mailbox_requests.{ANN}", 0) > 0, "Ann is looked at")
        tool.output("sync", "now", ANN, "--wait")
        answers = tool.answers("trace", "nobody@knows", "--mailbox", ANN, wanted=NOT_FOUND)
        check_equal([answer["kind"] for answer in answers], ["unseen", "searched"], "kinds")
        check_equal((answers[0]["address"], answers[0]["incoming"], answers[0]["trouble"]),
                    (ANN, True, None), "the mailbox")
        check_times(answers[0], "last_succeeded", "next_due")
        status, out, err = tool.run("trace", "nobody@knows", "--mailbox", ANN)
        check_equal(status, NOT_FOUND, "the status")
        check(ANN in out and "not seen" in out and "knows of no such message" in err,
              f"it says {out} {err}")
        tool.fails(NOT_FOUND, "trace", "nobody@knows", saying=["knows of no such message", "With --mailbox ADDRESS"])
        tool.fails(EX_NOUSER, "trace", "x@y", "--mailbox", "no@body", saying="no@body")


# --- outgoing ------------------------------------------------------------------------------------

@case("A message that was sent is found by Message-ID, subject, id and file")
def _():
    with SendingScene() as scene:
        scene.start()
        tool = Exsyncctl(scene)
        content = mail("to be sent", headers="Message-ID: <out.1@example.com>\n")
        scene.submit(content)
        scene.until_received(BEN, 1)
        scene.until_settled()
        answer = only(traced(tool, "out.1@example.com", kind="outgoing"))
        check_equal((answer["address"], answer["state"], answer["subject"], answer["recipients"],
                     answer["path"], answer["next"]),
                    (ANN, "sent", "to be sent", [{"kind": "to", "address": BEN, "name": None}], None, None), "it")
        check_times(answer, "submitted", "finished")
        file = scene.folder / "message.eml"
        file.write_bytes(content)
        for what in ("<out.1@example.com>", "TO BE", answer["message"], str(file)):
            check_equal(only(traced(tool, what, kind="outgoing"))["message"], answer["message"], what)
        out = tool.output("trace", answer["message"])
        for text in (ANN, "sent", f"to {BEN}", answer["message"]):
            check(text in out, f"{text!r} is not told: {out}")


@case("A message that waits is told with its state, its failure and its next try")
def _():
    with SendingScene(profile={"retry_min": "1h", "retry_max": "1h"}) as scene:
        scene.exchange.fault(operation="CreateItem", soap="ErrorServerBusy", count=0)
        scene.start()
        tool = Exsyncctl(scene)
        scene.submit(mail("waits", headers="Message-ID: <out.2@example.com>\n"))
        until(lambda: scene.ledger.unresolved(), "it has failed")
        answer = only(traced(tool, "out.2@example.com", kind="outgoing"))
        check(answer["state"] in ("queued", "creating"), f"its state is {answer['state']}")
        check_equal(os.path.exists(answer["path"]), True, f"there is a file {answer['path']}")
        check(answer["next"], "it is not told what happens next")
        check_times(answer, "next_try")
        scene.exchange.clear_faults()
        scene.daemon.try_now()
        scene.until_settled()


@case("A message that was refused is told with its reason: by the daemon, and by Exchange")
def _():
    with SendingScene() as scene:
        scene.start()
        tool = Exsyncctl(scene)
        scene.submit(mail("not by us", sender="stranger@example.com",
                          headers="Message-ID: <out.3@example.com>\n"))
        until(scene.outbox.failed, "it is refused")
        (name, reason), = scene.outbox.failed().items()
        for what in ("out.3@example.com", "not by us", name.removesuffix(".eml"),
                     scene.folder / "state/outbox/failed" / name):
            answer = only(traced(tool, what, kind="outgoing"))
            check_equal((answer["state"], answer["message"], answer["reason"]),
                        ("refused", name.removesuffix(".eml"), reason.splitlines()[0]), f"by {what}")
            check(answer["path"].endswith("/failed/" + name), f"path is {answer['path']}")
        check(reason.splitlines()[0] in tool.output("trace", "not by us"), "the reason is not told")
        scene.exchange.fault(operation="SendItem", code="ErrorInvalidRecipients", count=0)
        scene.submit(mail("not by Exchange", headers="Message-ID: <out.4@example.com>\n"))
        until(lambda: len(scene.outbox.failed()) == 2, "Exchange has refused it")
        scene.until_settled()
        scene.exchange.clear_faults()
        answer = only(traced(tool, "out.4@example.com", kind="outgoing"))
        reason = scene.outbox.failed()[answer["message"] + ".eml"]
        check_equal((answer["state"], answer["address"], answer["reason"]),
                    ("failed", ANN, reason.splitlines()[0]), "what Exchange has refused")
        check_equal(answer["failure"]["code"], "ErrorInvalidRecipients", "the failure's code")
        check(os.path.exists(answer["path"]), f"there is no {answer['path']}")


# --- what is in the way ---------------------------------------------------------------------------

@contextlib.contextmanager
def hung(folder):
    """A file system at this folder whose server never answers, as that of a dead NFS mount; whoever
    touches it waits until the end."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        server = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        raise Skipped("there is no /dev/fuse") from None
    options = f"fd={server},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    if libc.mount(b"hung", os.fsencode(folder), b"fuse.hung", 0, options) != 0:
        os.close(server)
        raise Skipped("nothing can be mounted here")
    try:
        yield
    finally:
        os.close(server)  # who waits gets an error
        libc.umount2(os.fsencode(folder), 2)


@case("A folder that does not answer is named within a time limit, with what is known without it")
def _():
    with Scene({ANN: {}, BEN: {"incoming": "no", "outgoing": "yes"}}) as scene:
        content = message("an order")
        scene.exchange.add(ANN, content)
        tool = started(scene)
        scene.until_delivered(ANN, 1)
        scene.until_polled(ANN)
        folder = scene.folder / "mail" / BEN
        folder.mkdir()
        with hung(folder):
            begin = time.monotonic()
            answers = tool.answers("trace", "an order")
            check_equal([answer["kind"] for answer in answers], ["incoming", "searched"], "kinds")
            check_equal((answers[1]["unanswered"], answers[1]["complete"]), (f"{folder}/new", False),
                        "what does not answer")
            # The next one waits behind it, and says the same.
            status, out, err = tool.run("trace", "nowhere", "--mailbox", BEN)
            check_equal(status, EX_TEMPFAIL, f"status, with {err}")
            check(f"{folder}/new has not answered within 10 s" in err, err)
            check(time.monotonic() - begin < 60, "it took too long")
            scene.until_polled(ANN)
        until(lambda: tool.run("trace", "nowhere", "--mailbox", BEN)[0] == NOT_FOUND, "it goes on")


@case("A link in the place of a folder of the Maildir is not followed")
def _():
    with Scene([ANN]) as scene:
        content = message("an order")
        scene.exchange.add(ANN, content)
        tool = started(scene)
        scene.until_delivered(ANN, 1)
        scene.until_polled(ANN)
        tool.answers("pause", PROFILE)
        new = scene.folder / "mail" / ANN / "new"
        new.rename(scene.folder / "elsewhere")
        new.symlink_to(scene.folder / "elsewhere")
        check_equal(only(traced(tool, message_id(content), kind="incoming"))["path"], None, "its path")
        tool.answers("trace", "an order", wanted=NOT_FOUND)
        new.unlink()
        (scene.folder / "elsewhere").rename(new)
        check(only(traced(tool, message_id(content), kind="incoming"))["path"], "there is no path")


# --- whatever is asked ---------------------------------------------------------------------------

@case("What makes no sense is refused, and the daemon goes on")
def _():
    with Scene([ANN]) as scene:
        tool = started(scene)
        with tool.connect() as line:
            for number, request in enumerate([{}, {"message": 5}, {"subject": ""}, {"subject": 7},
                                              {"subject": "a", "message_id": "b"}]):
                answers, end = line.call(**{**request, "id": number, "command": "trace"})
                check_equal((answers, end["error"]["code"]), ([], "BadRequest"), f"to {request}")
        empty = scene.folder / "no-message"
        empty.write_text("hello\n")
        tool.fails(65, "trace", str(empty), saying="no Message-ID")
        tool.fails(64, "trace")
        check_equal(tool.answers("version")[0]["kind"], "version", "it answers")


@case("Many messages to many recipients are told whole, though they are more than may wait")
def _():
    count = 201
    recipients = "\n".join(f"to {number:03}{'x' * 40}@example.com" for number in range(500))
    with SendingScene([ANN]) as scene:
        started(scene)
        scene.daemon.stop()
        now = int(time.time() * 1000)
        with contextlib.closing(sqlite3.connect(scene.ledger.path)) as database:
            number, = database.execute("SELECT number FROM mailbox").fetchone()
            database.executemany(
                "INSERT INTO submission (id, mailbox, state, queued_at, size, submitter,"
                " null_sender, next_try, finished_at, subject, recipients)"
                " VALUES (?, ?, 4, ?, 1, 0, 0, 0, ?, 'newsletter', ?)",
                [(f"10000000-0000-4000-8000-{row:012}", number, now, now, recipients)
                 for row in range(count)])
            database.commit()
        *found, searched = started(scene).answers("trace", "newsletter")
        check_equal({len(answer["recipients"]) for answer in found}, {500}, "recipients")
        check_equal({answer["recipient_count"] for answer in found}, {500}, "how many they are")
        check_equal(len({answer["message"] for answer in found}), 200, "messages that are told")
        check_equal(searched["complete"], False, "whether these are all")
        shown = Exsyncctl(scene).output("trace", "10000000-0000-4000-8000-000000000007")
        check("and 480 more" in shown and shown.count("@example.com") < 30, shown)


@case("A client that goes away while it is looked for leaves nothing behind")
def _():
    with Scene([ANN], defaults={}) as scene:
        for number in range(20):
            scene.exchange.add(ANN, message(f"many {number}"))
        tool = started(scene)
        scene.until_delivered(ANN, 20)
        for _ in range(20):
            line = tool.connect()
            line.send({"id": 1, "command": "trace", "subject": "many"})
            line.close()
        check_equal(len(traced(tool, "many", kind="incoming")), 20, "those that are found")


main()
