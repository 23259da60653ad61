#!/usr/bin/python3
"""Messages in the queue of a mailbox that does not send any more: people are told, what is too old is
put aside, and all goes on when the mailbox is back."""

import contextlib
import sqlite3
import time

from harness import case, check, check_equal, main, until
from scene import ANN, BEN
from sending import SendingScene, mail, subject_of

DAY_MS = 24 * 60 * 60 * 1000
OFF = {"outgoing": "no"}
HOLD = {ANN: {}, BEN: {}}


@contextlib.contextmanager
def queue_of_ann(*subjects, busy="CreateItem", **arguments):
    """A scene in which messages of ANN wait in the queue, for Exchange is busy."""
    with SendingScene(dict(HOLD), **arguments) as scene:
        scene.exchange.fault(operation=busy, mailbox=ANN, soap="ErrorServerBusy", count=0)
        scene.start()
        scene.submit(*map(mail, subjects))
        until(lambda: len(scene.outbox.queue()) == len(subjects) and
              not scene.outbox.intake(), "the messages wait")
        yield scene


def age(scene, days, subject, state=None):
    """The message of that subject was queued so many days ago."""
    with contextlib.closing(sqlite3.connect(scene.folder / "state/exsyncd.db")) as database, database:
        changed = database.execute(
            "UPDATE submission SET queued_at = ?, state = coalesce(?, state) WHERE subject = ?",
            (int(time.time() * 1000 - days * DAY_MS), state, subject)).rowcount
    check_equal(changed, 1, f"rows of {subject}")


def configure(scene, mailboxes):
    scene.mailboxes = mailboxes
    scene.write_configuration()


def failures(scene, resolved):
    return sorted(row["code"] for row in scene.ledger.rows(
        "SELECT code FROM failure WHERE scope = 'mailbox' AND direction = 'outgoing'"
        " AND code IN ('NotConfigured', 'OutgoingOff')"
        f" AND resolved_at IS {'NOT ' if resolved else ''}NULL"))


def until_failures(scene, standing, resolved):
    until(lambda: (failures(scene, False), failures(scene, True)) == (standing, resolved),
          lambda: f"failures are {standing} and {resolved} (they are {failures(scene, False)} and "
          f"{failures(scene, True)})")


for mailboxes, code, words in (({BEN: {}}, "NotConfigured", "is not in the configuration"),
                               ({ANN: OFF, BEN: {}}, "OutgoingOff", "has outgoing = no")):
    @case(f"a reload after which the mailbox {words} tells of its queue, another lets it go on")
    def _(mailboxes=mailboxes, code=code, words=words):
        with queue_of_ann("one", "two") as scene:
            scene.mailboxes = mailboxes
            scene.reload()
            scene.daemon.until_logged(f"2 messages of {ANN} are queued so far and cannot be sent", words)
            until_failures(scene, [code], [])
            scene.exchange.clear_faults()
            scene.reload()
            until(lambda: len(scene.daemon.log_lines("cannot be sent", words)) == 2,
                  "it is told once more")
            check_equal(scene.outbox.failed(), {}, "what was put aside")
            scene.mailboxes = dict(HOLD)
            scene.reload()
            scene.until_received(BEN, 2)
            scene.until_settled()
            scene.daemon.until_logged(f"{ANN}: the queued messages go on")
            until_failures(scene, [], [code])
            scene.check_each_once(BEN, ["one", "two"])


@case("a start tells of a queue whose mailbox is gone, even when no other sends, and resolves it later")
def _():
    with queue_of_ann("one") as scene:
        scene.daemon.stop()
        configure(scene, {BEN: OFF})
        scene.daemon.start()
        scene.daemon.until_logged(f"1 message of {ANN} is queued so far and cannot be sent")
        until_failures(scene, ["NotConfigured"], [])
        scene.daemon.stop()
        scene.exchange.clear_faults()
        configure(scene, dict(HOLD))
        scene.daemon.start()
        scene.until_received(BEN, 1)
        scene.until_settled()
        until_failures(scene, [], ["NotConfigured"])


@case("what was queued for more than 5 days is put aside with the reason, the rest waits")
def _():
    with queue_of_ann("old", "in doubt", "young") as scene:
        scene.daemon.stop()
        scene.exchange.clear_faults()
        age(scene, 5.1, "old")
        age(scene, 6, "in doubt", state=6)
        age(scene, 4.9, "young")
        configure(scene, {BEN: {}})
        scene.daemon.start()
        until(lambda: len(scene.outbox.failed()) == 2, "two are put aside")
        reasons = sorted(scene.outbox.failed().values())
        check("not known whether the message was sent" in reasons[0] and
              "Sent Items" in reasons[0], reasons[0])
        check("more than 5 days" in reasons[1] and "not in the configuration" in reasons[1],
              reasons[1])
        scene.daemon.until_logged('"old" was not sent and waits for a person in '
                                  f"{scene.outbox.folder}/failed/")
        until(lambda: len(scene.ledger.rows(
            "SELECT * FROM failure WHERE code = 'QueuedTooLong' AND submission <> ''")) == 2,
            "they are recorded")
        until_failures(scene, ["NotConfigured"], [])
        check_equal(len(scene.daemon.log_lines("cannot be sent")), 1, "warnings")
        scene.mailboxes = dict(HOLD)
        scene.reload()
        scene.until_received(BEN, 1)
        scene.until_settled()
        scene.check_each_once(BEN, ["young"])
        until_failures(scene, [], ["NotConfigured"])


for state, what in ((None, "queued"), (2, "with perhaps a draft")):
    @case("when the last one is put aside the failure is over; hundreds are put aside in one go, "
          f"{what}")
    def _(state=state):
        subjects = [f"number {number:03d}" for number in range(230)]
        with queue_of_ann(*subjects) as scene:
            scene.daemon.stop()
            for subject in subjects:
                age(scene, 6, subject, state)
            configure(scene, {ANN: OFF, BEN: {}})
            scene.daemon.start()
            until(lambda: len(scene.outbox.failed()) == len(subjects), "all are put aside")
            until_failures(scene, [], ["OutgoingOff"])
            if state is None:
                scene.until_settled()


@case("a mailbox that is back while its messages are put aside sends the others, and each once")
def _():
    subjects = [f"number {number:02d}" for number in range(20)]
    for put_aside in (1, 6, 13):
        with queue_of_ann(*subjects, busy="SendItem") as scene:
            until(lambda: len(scene.exchange.items(ANN, "Drafts")) == len(subjects), "drafts")
            scene.daemon.stop()
            scene.exchange.clear_faults()
            for subject in subjects:
                age(scene, 6, subject)
            configure(scene, {ANN: OFF, BEN: {}})
            scene.daemon.start()
            until(lambda: len(scene.outbox.failed()) >= put_aside, "some are put aside")
            scene.mailboxes = dict(HOLD)
            scene.reload()
            scene.until_settled()
            failed = [subject_of((scene.outbox.folder / "failed" / name).read_bytes())
                      for name in scene.outbox.failed()]
            scene.check_each_once(BEN, set(subjects) - set(failed))
            scene.check_no_drafts(ANN)


for moved in (False, True):
    @case("a mailbox that is back after a kill sends nothing of what was being put aside, killed "
          + ("when the file was moved" if moved else "before the file was moved"))
    def _(moved=moved):
        with queue_of_ann("old", "young") as scene:
            scene.daemon.stop()
            scene.exchange.clear_faults()
            age(scene, 6, "old")
            configure(scene, {BEN: {}})
            failed = scene.outbox.folder / "failed"  # takes nothing for now
            failed.rename(scene.folder / "aside")
            failed.write_text("")
            scene.daemon.start()
            scene.daemon.until_logged(ANN, "stays for another hour")
            scene.daemon.kill()
            failed.unlink()
            (scene.folder / "aside").rename(failed)
            if moved:
                old = next(path for path in (scene.outbox.folder / "queue").iterdir()
                           if subject_of(path.read_bytes()) == "old")
                (failed / old.with_suffix(".reason").name).write_text("more than 5 days\n")
                old.rename(failed / old.name)
            configure(scene, dict(HOLD))
            scene.daemon.start()
            scene.until_received(BEN, 1)
            until(lambda: len(scene.outbox.failed()) == 1 and not scene.ledger.value(
                "SELECT count(*) FROM submission WHERE removal IS NOT NULL"), "it is put aside")
            scene.until_settled()
            scene.check_each_once(BEN, ["young"])
            check("more than 5 days" in list(scene.outbox.failed().values())[0], "the reason")


@case("a mailbox that was renamed takes its queue along, and nobody is told of it")
def _():
    with queue_of_ann("one") as scene:
        scene.mailboxes = {"anna@example.com": {"renamed_from": ANN}, BEN: {}}
        scene.reload()
        scene.reload()
        check_equal(scene.daemon.log_lines("cannot be sent"), [], "warnings")
        check_equal(failures(scene, False), [], "failures")


main()
