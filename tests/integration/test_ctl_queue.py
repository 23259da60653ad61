#!/usr/bin/python3
"""exsyncctl queue: what an administrator does to outgoing messages. Whatever is held, removed and
killed: no message is lost, none is sent twice, none is both sent and left to a person unsaid."""

import contextlib
import os
import sqlite3
import time

from exsyncctl import EX_NOUSER, EX_TEMPFAIL, EX_USAGE, Exsyncctl
from harness import LONG, Skipped, case, chance, check, check_equal, main, until
from scene import ANN, BEN, CARLA, PROFILE
from sending import SendingScene, mail

EX_DATAERR, EX_NOINPUT = 65, 66
ROUNDS = 40 if LONG else 6
SLOW = {"retry_min": "1h", "retry_max": "1h", "probe_intervals": "1h"}
NO_ID = "0198f1c2-6c6e-7b3a-9c51-a4f8e2d90b13"


class Queue:
    def __init__(self, scene):
        self.scene, self.tool = scene, Exsyncctl(scene)

    def list(self, *words):
        return self.tool.answers("queue", "list", *words)

    def id(self, subject):
        return next(message["message"] for message in self.list() if message["subject"] == subject)

    def submit(self, *subjects, **arguments):
        """Waits until they are known."""
        known = len(self.list())
        self.scene.submit(*[mail(subject, **arguments) for subject in subjects])
        until(lambda: len(self.list()) >= known + len(subjects), "the messages are in the queue")

    def pause(self):
        self.tool.answers("pause", PROFILE)

    def resume(self):
        self.tool.answers("resume", PROFILE)

    def change(self, action, message):
        return self.tool.answers("queue", action, message)[0]


def paused_queue(scene, *subjects):
    """Messages that wait, for their profile is paused."""
    queue = Queue(scene)
    scene.start()
    scene.daemon.until_started()
    queue.pause()
    queue.submit(*subjects)
    return queue


def restart(scene):
    scene.daemon.kill()
    scene.daemon.start()
    scene.daemon.until_started()


# --- looking --------------------------------------------------------------------------------------

@case("a message with so many and so long recipients that no answer can hold them is shown in part")
def _():
    with SendingScene([ANN]) as scene:
        queue = paused_queue(scene, "one")
        scene.daemon.stop()
        name = '\\"' * 200
        with contextlib.closing(sqlite3.connect(scene.ledger.path)) as database:
            database.execute("UPDATE submission SET recipients = ?", (
                "\n".join(f"to {number}@example.com {name}" for number in range(1500)),))
            database.commit()
        scene.start()
        scene.daemon.until_started()
        shown = queue.tool.answers("queue", "show", queue.id("one"))[0]
        check_equal(shown["recipient_count"], 1500, "how many there are")
        told = shown["recipients"]
        check(100 < len(told) < 1000 and told[99] == {"kind": "to", "address": "99@example.com",
                                                      "name": name}, f"{len(told)} are told")
        check(f"and {1500 - len(told)} more" in queue.tool.output("queue", "show", queue.id("one")),
              "it is not said how many are left out")


@case("the queue is listed, for all mailboxes and for one, and each message is shown")
def _():
    with SendingScene([ANN, BEN, CARLA]) as scene:
        queue = paused_queue(scene, "one", "two")
        check_equal(queue.tool.output("queue", "list", CARLA), "The queue is empty.\n", "said")
        queue.submit("three", sender=CARLA, to=f"Ben <{BEN}>, {ANN}", headers=f"Bcc: {CARLA}\n")
        check_equal([(message["address"], message["subject"], message["state"], message["held"])
                     for message in queue.list()],
                    [(ANN, "one", "queued", False), (ANN, "two", "queued", False),
                     (CARLA, "three", "queued", False)], "the queue")
        check_equal([message["subject"] for message in queue.list(CARLA)], ["three"], "of one")
        check_equal(queue.list("--failed"), [], "failed ones")
        shown = queue.tool.answers("queue", "show", queue.id("three"))[0]
        check_equal([(one["kind"], one["address"], one["name"]) for one in shown["recipients"]],
                    [("to", BEN, "Ben"), ("to", ANN, None), ("bcc", CARLA, None)], "recipients")
        check_equal((shown["submitter"], shown["attempts"], shown["error"], shown["recipient_count"]),
                    (os.getuid(), 0, None, 3), "what is shown")
        text = queue.tool.output("queue", "show", queue.id("three"))
        for word in ("three", CARLA, "queued", f"{BEN} (Ben)"):
            check(word in text, text)
        text = queue.tool.output("queue", "list")
        check(text.startswith("3 messages\n") and "MESSAGE" in text, text)
        queue.tool.fails(EX_NOUSER, "queue", "list", "nobody@example.com", saying="nobody@")
        queue.tool.fails(EX_NOINPUT, "queue", "show", NO_ID, saying="queue list")
        queue.tool.fails(EX_USAGE, "queue", "show", "17", saying="17")
        queue.resume()
        scene.until_settled()


@case("a queue of many pages is listed whole, each message once")
def _():
    with SendingScene([ANN, BEN]) as scene:
        queue = paused_queue(scene)
        subjects = [f"number {number:03d}" for number in range(230)]
        queue.submit(*subjects[::2])
        queue.submit(*subjects[1::2], sender=BEN, to=ANN)
        found = [message["subject"] for message in queue.list()]
        check_equal(found, subjects[::2] + subjects[1::2], "the queue")


# --- holding --------------------------------------------------------------------------------------

@case("a message that is held waits, over kills and reloads, and holds up no other; released it goes")
def _():
    with SendingScene() as scene:
        queue = paused_queue(scene, "one", "two", "three")
        held = queue.id("two")
        check_equal(queue.change("hold", held),
                    {"kind": "changed", "message": held, "address": ANN, "subject": "two",
                     "action": "hold", "hindrance": None}, "answer")
        scene.daemon.until_logged(ANN, "uid", "holds", held)  # a kill may take what is not written
        restart(scene)
        queue.resume()
        scene.until_received(BEN, 2)
        restart(scene)
        scene.reload()
        scene.submit(mail("four"))
        scene.until_received(BEN, 3)
        check_equal([(message["subject"], message["held"], message["next_try"])
                     for message in queue.list()], [("two", True, None)], "the queue")
        check("1 held" in queue.tool.output("queue", "list"), "it is not counted")
        queue.tool.fails(EX_DATAERR, "queue", "hold", held, saying="held already")
        queue.tool.fails(EX_DATAERR, "queue", "retry", held, saying="release")
        queue.tool.answers("queue", "flush")
        time.sleep(0.5)
        check_equal(len(scene.inbox(BEN)), 3, "received while it is held")
        queue.change("release", held)
        scene.until_received(BEN, 4)
        scene.until_settled()
        scene.check_each_once(BEN, ["one", "two", "three", "four"])
        queue.tool.fails(EX_DATAERR, "queue", "hold", held, saying="was sent")
        queue.tool.fails(EX_DATAERR, "queue", "release", held, saying="was sent")


@case("while a cycle sends, messages are held: each is sent, or held and not sent")
def _():
    random = chance("hold while it sends")
    with SendingScene(profile={"batch_size": 1, "retry_min": "100ms", "retry_max": "100ms"}) as scene:
        queue = paused_queue(scene, *[f"number {number:02d}" for number in range(24)])
        ids = {message["subject"]: message["message"] for message in queue.list()}
        scene.exchange.control("limits", latency=20)
        queue.resume()
        held = set()
        for subject in random.sample(sorted(ids), 10):
            status, _, said = queue.tool.run("queue", "hold", ids[subject])
            check(status in (0, EX_DATAERR), said)
            if status == 0:
                held.add(subject)
            else:
                check("was sent" in said, said)
        scene.exchange.control("limits", latency=0)
        scene.until_received(BEN, 24 - len(held))
        until(lambda: {message["subject"] for message in queue.list()} == held, "the rest is sent")
        scene.check_each_once(BEN, set(ids) - held)
        for subject in held:
            queue.change("release", ids[subject])
        scene.until_received(BEN, 24)
        scene.until_settled()
        scene.check_each_once(BEN, list(ids))


@case("a mailbox whose cycle fails while a message is being held waits for its next try all the same")
def _():
    with SendingScene(profile=SLOW) as scene:
        queue = paused_queue(scene, "one", "two")
        scene.exchange.fault(operation="CreateItem", mailbox=ANN, soap="ErrorServerBusy", delay=1500,
                             count=0)
        queue.resume()
        until(lambda: scene.exchange.counter("requests.CreateItem") > 0, "a cycle sends")
        queue.change("hold", queue.id("two"))  # when that cycle has ended
        scene.daemon.until_logged(ANN, "outgoing failed")
        told = queue.tool.answers("mailbox", "show", ANN)[0]["outgoing"]
        check_equal((told["state"], told["trouble"]["failures"]), ("waiting", 1), f"of {told}")
        check_equal(scene.exchange.counter("requests.CreateItem"), 1, "requests")


# --- trying now -----------------------------------------------------------------------------------

def stuck_queue(scene, *subjects):
    """Messages that wait for an hour, for Exchange was busy."""
    queue = Queue(scene)
    scene.exchange.fault(operation="CreateItem", mailbox=ANN, soap="ErrorServerBusy", count=0)
    scene.start()
    scene.daemon.until_started()
    queue.submit(*subjects)
    scene.daemon.until_logged(ANN, "outgoing failed")
    scene.exchange.clear_faults()
    return queue


@case("what waits because of trouble is tried at once when it is retried, or when all is flushed")
def _():
    for words in (["retry"], ["flush"], ["flush", ANN]):
        with SendingScene(profile=SLOW) as scene:
            queue = stuck_queue(scene, "one", "two")
            time.sleep(0.3)
            check_equal(scene.inbox(BEN), [], "received")
            if words == ["retry"]:
                words = ["retry", queue.id("one")]  # the mailbox is tried, and with it the other
            else:
                check_equal(queue.tool.answers("queue", "flush", BEN)[0]["messages"], 0, "of another")
            queue.tool.answers("queue", *words)
            scene.until_received(BEN, 2)
            scene.until_settled()
            scene.check_each_once(BEN, ["one", "two"])


@case("a message that waits by itself is due at once when it is retried")
def _():
    with SendingScene(profile=SLOW) as scene:
        queue = Queue(scene)
        scene.exchange.fault(operation="CreateItem", mailbox=ANN, code="ErrorTimeoutExpired", count=1)
        scene.start()
        scene.daemon.until_started()
        scene.submit(mail("one"))
        until(lambda: any(message["attempts"] == 1 for message in queue.list()), "it waits")
        message = queue.list()[0]
        check(message["next_try"] is not None and message["error"]["code"] == "ErrorTimeoutExpired",
              f"what is told: {message}")
        check_equal(queue.change("retry", message["message"])["action"], "retry", "answer")
        scene.until_received(BEN, 1)
        until(lambda: not queue.list() and not scene.outbox.leftover(), "the queue is empty")
        scene.check_each_once(BEN, ["one"])


# --- removing -------------------------------------------------------------------------------------

@case("a message that is removed is kept in failed/ with a reason, and is not sent")
def _():
    with SendingScene() as scene:
        queue = paused_queue(scene, "one")
        queue.tool.fails(EX_DATAERR, "queue", "discard", queue.id("one"), saying="waits to be sent")
        queue.submit("two", headers=f"Bcc: {CARLA}\n")
        removed = queue.id("two")
        answer = queue.change("remove", removed)
        check_equal((answer["may_have_been_sent"], answer["lost"], answer["file"]),
                    (False, False, f"failed/{removed}.eml"), "answer")
        reason = scene.outbox.failed()[f"{removed}.eml"]
        for words in (f"exsyncctl queue remove {removed}", f"uid {os.getuid()}", "It was not sent",
                      CARLA):
            check(words in reason, reason)
        scene.daemon.until_logged(ANN, "two", f"{scene.outbox.folder}/failed/", "uid")
        restart(scene)
        queue.resume()
        scene.until_received(BEN, 1)
        scene.until_settled()
        scene.check_each_once(BEN, ["one"])
        check_equal([message["subject"] for message in queue.list("--failed")], ["two"], "failed")
        for action, words in (("hold", "has failed"), ("retry", "sent again"),
                              ("remove", "queue discard throws it away")):
            queue.tool.fails(EX_DATAERR, "queue", action, removed, saying=words)
        check_equal(len(scene.outbox.failed()), 1, "what a second removal leaves")
        queue.tool.fails(EX_NOINPUT, "queue", "remove", NO_ID, saying=NO_ID)


def failed_messages(scene, *subjects):
    queue = Queue(scene)
    scene.exchange.fault(operation="CreateItem", mailbox=ANN, code="ErrorMessageSizeExceeded",
                         count=len(subjects))
    scene.start()
    scene.daemon.until_started()
    scene.submit(*[mail(subject) for subject in subjects])
    until(lambda: len(queue.list("--failed")) == len(subjects), "they have failed")
    until(lambda: len(queue.tool.answers("alerts")) == len(subjects), "there are alerts")
    return queue


def check_thrown_away_once(scene, queue, message, state):
    """It says so the second time, and logs nothing; what is shown says it, too, and when."""
    said = queue.tool.output("queue", "discard", message)
    check("thrown away already" in said and '""' not in said, said)
    check_equal(len(scene.daemon.log_lines("throws away", message)), 1, "how often it is logged")
    shown, = queue.tool.answers("queue", "show", message)
    check_equal((shown["state"], shown["discarded"], shown["next"]), (state, True, None), "state")
    check(shown["discarded_at"] and shown["reason"], f"when, and why it had failed: {shown}")
    said = queue.tool.output("queue", "show", message)
    check(f"{state}, and thrown away" in said and "thrown away   " in said, said)


@case("a message that has failed and is thrown away goes out of failed/, and its alert is over")
def _():
    with SendingScene() as scene:
        queue = failed_messages(scene, "one", "two")
        first = next(message["message"] for message in queue.list("--failed")
                     if message["subject"] == "one")
        alert, = (alert for alert in queue.tool.answers("alerts") if alert["message"] == first)
        said = queue.tool.output("alerts", str(alert["alert"]))
        for command in ("show", "discard"):
            check(f"  exsyncctl queue {command} {first}\n" in said, said)
        queue.change("discard", first)
        check_equal(len(queue.tool.answers("alerts")), 1, "alerts")
        check_equal([message["subject"] for message in queue.list("--failed")], ["two"], "failed")
        names = [path.name for path in (scene.outbox.folder / "failed").iterdir()]
        check(len(names) == 2 and not any(first in name for name in names), names)
        scene.daemon.until_logged(ANN, "throws away", first)
        check_thrown_away_once(scene, queue, first, "failed")


@case("of messages that fail together each alert names its own")
def _():
    with SendingScene() as scene:
        queue = Queue(scene)
        scene.exchange.fault(operation="CreateItem", mailbox=ANN, code="ErrorMessageSizeExceeded",
                             count=3)
        scene.start()
        scene.daemon.until_started()
        queue.tool.answers("pause", PROFILE)
        scene.submit(*[mail(subject) for subject in ("one", "two", "three")])
        until(lambda: len(queue.list()) == 3, "they are queued")
        queue.tool.answers("resume", PROFILE)
        until(lambda: len(queue.list("--failed")) == 3, "they have failed")
        alerts = until(lambda: [alert for alert in [queue.tool.answers("alerts")] if len(alert) == 3],
                       "there are alerts")[0]
        check_equal({alert["subject"] for alert in alerts}, {"one", "two", "three"}, "subjects")
        for alert in alerts:
            check(f'"{alert["subject"]}"' in alert["sentence"], alert["sentence"])


@case("a failed message whose file is taken out of failed/ is over, its alert and list entry, too")
def _():
    with SendingScene() as scene:
        queue = failed_messages(scene, "one", "two")
        first = next(message["message"] for message in queue.list("--failed")
                     if message["subject"] == "one")
        (scene.outbox.folder / "failed" / f"{first}.eml").unlink()
        until(lambda: len(queue.tool.answers("alerts")) == 1, "its alert is over")
        check_equal([message["subject"] for message in queue.list("--failed")], ["two"], "failed")
        shown = queue.tool.answers("queue", "show", first)[0]
        check_equal((shown["error"], shown["next"]), (None, None), "its failure, and what to do")


@case("what was refused because the daemon may not read it is listed as refused, too")
def _():
    if os.getuid() != 0:
        raise Skipped("files of another user can only be made by root")
    with SendingScene(unprivileged=True) as scene:
        queue = Queue(scene)
        scene.start()
        scene.daemon.until_started()
        written = scene.outbox.folder / "tmp" / "private"
        written.write_bytes(mail("one"))
        written.chmod(0o600)
        size = written.stat().st_size
        written.rename(scene.outbox.folder / "new" / "private")
        until(lambda: queue.tool.answers("status")[0]["refused"] == 1, "it is refused")
        message, = queue.list("--failed")
        check_equal((message["state"], message["submitter"], message["size"], message["subject"]),
                    ("refused", 0, size, None), "what is listed")
        check("may not read" in message["reason"], message["reason"])


@case("a refused submission can be removed")
def _():
    with SendingScene() as scene:
        queue = Queue(scene)
        scene.start()
        scene.daemon.until_started()
        scene.submit(mail("one", sender="nobody@fabrikam.com"))
        until(lambda: queue.list("--failed"), "it is refused")
        message = queue.list("--failed")[0]["message"]
        shown = queue.tool.answers("queue", "show", message)[0]
        traced = next(answer for answer in queue.tool.answers("trace", message)
                      if answer.get("message") == message)
        file = scene.outbox.folder / "failed" / f"{message}.eml"
        for told in (shown["next"], traced["next"], queue.tool.output("queue", "show", message)):
            check(f"exsync-submit -t -i < {file}), then throw that file away (exsyncctl queue "
                  f"discard {message})" in told, told)
        queue.tool.fails(EX_DATAERR, "queue", "remove", message, saying="queue discard throws it away")
        check_equal(len(scene.outbox.failed()), 1, "what a removal leaves in failed/")
        said = queue.tool.output("queue", "discard", message)
        check('thrown away, "one"' in said, said)
        line = scene.daemon.until_logged("outbox: an administrator", "throws away the message")
        check(line.endswith(f'throws away the message {message}, "one"'), line)
        check_equal((queue.list("--failed"), scene.outbox.failed()), ([], {}), "what is left")
        check_equal(queue.tool.answers("status")[0]["refused"], 0, "refused")
        check_thrown_away_once(scene, queue, message, "refused")
        unknown = "01890a5d-ac96-774b-bcce-b302099a8057"
        queue.tool.fails(EX_NOINPUT, "queue", "discard", unknown, saying="No message of that id")
        (scene.outbox.folder / "failed" / f"{unknown}.eml").write_bytes(mail("two"))
        said = queue.tool.output("queue", "discard", unknown)
        check('thrown away, "two"' in said and not scene.outbox.failed(), said)


@case("a message that is held can be removed, too, and one of a mailbox that has left")
def _():
    with SendingScene([ANN, BEN, CARLA]) as scene:
        queue = paused_queue(scene, "one")
        queue.submit("two", sender=CARLA)
        first, second = queue.id("one"), queue.id("two")
        queue.change("hold", first)
        queue.change("remove", first)
        scene.mailboxes = {ANN: {}, BEN: {}}
        scene.reload()
        check_equal([message["configured"] for message in queue.list()], [False], "configured")
        queue.change("remove", second)
        check_equal(len(scene.outbox.failed()), 2, "in failed/")
        check_equal(queue.list(), [], "the queue")
        queue.resume()
        scene.until_settled()
        check_equal(scene.inbox(BEN), [], "received")


@case("a removal of one that may have been sent says so")
def _():
    with SendingScene(profile=SLOW) as scene:
        queue = Queue(scene)
        scene.answers_linger = True
        scene.exchange.fault(operation="SendItem", mailbox=ANN, close="after", count=1)
        scene.exchange.fault(operation="GetItem", mailbox=ANN, http=503, body="no", count=0)
        scene.start()
        scene.daemon.until_started()
        scene.submit(mail("one"))
        until(lambda: any(message["may_have_been_sent"] for message in queue.list()), "it is in doubt")
        message = queue.id("one")
        check("in doubt" in queue.tool.output("queue", "list"), "the list does not say it")
        said = queue.tool.output("queue", "remove", message)
        check("It may have been sent" in said, said)
        reason = scene.outbox.failed()[f"{message}.eml"]
        check("It is not known whether the message was sent" in reason, reason)
        scene.exchange.clear_faults()
        queue.tool.answers("queue", "flush")
        scene.until_received(BEN, 1)
        until(lambda: not scene.open_submissions(), "nothing is open")
        scene.check_each_once(BEN, ["one"])
        scene.check_no_drafts()


@case("a draft of one that is removed is taken out of Drafts, and is not sent")
def _():
    with SendingScene(profile=SLOW) as scene:
        queue = Queue(scene)
        scene.exchange.fault(operation="SendItem", mailbox=ANN, http=503, body="no", count=0)
        scene.start()
        scene.daemon.until_started()
        scene.submit(mail("one"))
        scene.daemon.until_logged(ANN, "outgoing failed")
        until(lambda: len(scene.exchange.items(ANN, "Drafts")) == 1, "there is a draft")
        queue.change("remove", queue.id("one"))
        scene.exchange.clear_faults()
        queue.tool.answers("sync", "now", ANN)
        until(lambda: not scene.exchange.items(ANN, "Drafts"), "the draft is gone")
        check_equal(queue.list(), [], "the queue")
        check_equal(scene.inbox(BEN), [], "received")


@case("a removal that the disk does not take holds the message, and ends at the next start")
def _():
    with SendingScene() as scene:
        queue = paused_queue(scene, "one", "two")
        removed = queue.id("one")
        failed = scene.outbox.folder / "failed"
        failed.rename(scene.folder / "aside")
        failed.write_text("")
        queue.tool.fails(EX_TEMPFAIL, "queue", "remove", removed, saying=["held", "will not be sent"])
        check("being removed" in queue.tool.output("queue", "list"), "the list does not say it")
        for action in ("release", "retry", "hold", "remove"):
            queue.tool.fails(EX_DATAERR, "queue", action, removed, saying="being removed")
        queue.resume()
        scene.until_received(BEN, 1)
        scene.daemon.kill()
        failed.unlink()
        (scene.folder / "aside").rename(failed)
        scene.daemon.start()
        until(lambda: list(scene.outbox.failed()) == [f"{removed}.eml"], "it is in failed/")
        scene.until_settled()
        scene.check_each_once(BEN, ["two"])
        check(f"exsyncctl queue remove {removed}" in scene.outbox.failed()[f"{removed}.eml"], "reason")


@case("messages are held and released while one reload follows the other")
def _():
    with SendingScene([ANN, BEN], profile={"batch_size": 1}) as scene:
        subjects = [f"number {number:02d}" for number in range(16)]
        queue = paused_queue(scene, *subjects)
        ids = [message["message"] for message in queue.list()]
        queue.resume()
        for number, message in enumerate(ids):
            scene.profile_keys["page_size"] = 10 + number  # another profile each time
            scene.write_configuration()
            scene.daemon.reload()
            status, _, said = queue.tool.run("queue", "hold", message)
            check(status in (0, EX_DATAERR), said)
            scene.daemon.reload()
            if status == 0:
                queue.change("release", message)
            queue.tool.answers("reload")  # the next one is written when none reads
        scene.until_received(BEN, len(subjects))
        scene.until_settled()
        scene.check_each_once(BEN, subjects)


@case("kills while messages are removed: each is sent or in failed/, and none is both or neither")
def _():
    random = chance("remove and kill")
    with SendingScene(profile={"retry_min": "100ms", "retry_max": "100ms"}) as scene:
        queue = Queue(scene)
        scene.exchange.control("limits", latency=10)
        scene.start()
        subjects = []
        for number in range(ROUNDS):
            scene.daemon.until_started()
            some = [f"round {number} number {i}" for i in range(4)]
            subjects += some
            scene.submit(*map(mail, some))
            wanted = [message["message"] for message in queue.list()]
            process = queue.tool.start("queue", "remove", *(wanted or [NO_ID]))
            time.sleep(random.uniform(0, 0.15))
            scene.daemon.kill()
            process.communicate()
            scene.daemon.start()
        scene.daemon.until_started()
        scene.until_settled()
        until(lambda: not scene.ledger.value(
            "SELECT count(*) FROM submission WHERE removal IS NOT NULL"), "removals have ended")
        failed = [(scene.outbox.folder / "failed" / name).read_text().split("Subject: ")[1]
                  .split("\n")[0].strip() for name, reason in scene.outbox.failed().items()]
        doubtful = [reason for reason in scene.outbox.failed().values() if "not known" in reason]
        sent = [item["subject"] for item in scene.inbox(BEN)]
        check_equal(len(sent), len(set(sent)), "one was sent twice")
        check_equal(set(sent) | set(failed), set(subjects), "what became of them")
        check(len(set(sent) & set(failed)) <= len(doubtful),
              f"{set(sent) & set(failed)} were sent and are in failed/, and nothing says so")
        scene.check_no_drafts()


main()
