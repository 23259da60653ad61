#!/usr/bin/python3
"""Backups: made while mail flows, put back later. In the end each message was sent once, and each is
in the Maildir once."""

import collections
import json
import os
import re
import shutil
import stat
import tempfile
import time

from exsyncctl import EX_NOPERM, EX_USAGE, Exsyncctl
from harness import LONG, Skipped, case, chance, check, check_equal, main, say, until
from ledger import DELIVERED, Ledger
from mail import message
from scene import ANN, BEN, CARLA, PROFILE, Scene
from sending import SendingScene, mail

EX_NOINPUT, EX_CANTCREAT = 66, 73
EVERYBODY = (ANN, BEN, CARLA)
COMPARED = ("files", "maildir_not_compared", "exchange_searched", "exchange_requests",
            "exchange_not_asked")
BUSY = {"operation": "CreateItem", "soap": "ErrorServerBusy", "count": 0}
KILLS = 40 if LONG else 8


def scene_of(mailboxes=EVERYBODY, options=("--latency", "5"), defaults=None, **arguments):
    return SendingScene(mailboxes, options, defaults={"incoming": "yes", **(defaults or {})},
                        profile={"retry_max": "200ms", "doubt_window": "3s"}, **arguments)


def database(scene):
    return scene.folder / "state/exsyncd.db"


def back_up(scene, name="backup.db"):
    target = scene.folder / name
    Exsyncctl(scene).output("backup", target)
    return target


def put_back(scene, copy):
    """As the manual page says."""
    shutil.copy(copy, database(scene))
    os.chmod(database(scene), 0o600)
    for suffix in ("-wal", "-shm"):
        (scene.folder / f"state/exsyncd.db{suffix}").unlink(missing_ok=True)


def snapshot(scene, name="snapshot"):
    """As a snapshot of the file system: nobody can know that it was put back."""
    ledger = scene.ledger.copy(scene.folder / name)
    ledger.rows("SELECT 1")  # recovers it
    Ledger(ledger.path, mode="rw").rows("PRAGMA wal_checkpoint(TRUNCATE)")
    return ledger.path


def until_taken_in(scene, *subjects):
    until(lambda: {row["subject"] for row in scene.ledger.rows("SELECT subject FROM submission")}
          >= set(subjects), f"{subjects} are taken in")


def until_sent(scene, *subjects):
    def sent():
        scene.daemon.check_running()
        return {row["subject"] for row in scene.ledger.rows(
            "SELECT subject FROM submission WHERE state = 4")} >= set(subjects)
    until(sent, lambda: f"{subjects} are sent "
          f"{scene.ledger.rows('SELECT subject, state FROM submission')}")


def until_all_delivered(scene, addresses=EVERYBODY):
    for address in addresses:
        def all_there(address=address):
            scene.daemon.check_running()
            return (scene.maildir(address).count() >= len(scene.inbox(address))
                    and not scene.ledger.value("SELECT count(*) FROM mailbox"
                                               " WHERE check_from IS NOT NULL"))
        until(all_there, lambda address=address: f"{address} has all ({scene.maildir(address).count()}"
              f" of {len(scene.inbox(address))})")


def add(scene, count, address=ANN, subject="incoming"):
    for number in range(count):
        scene.exchange.add(address, message(f"{subject} {number}"))


def check_all_once(scene, sender, subjects):
    scene.check_each_once(sender, subjects, "Sent Items")
    scene.check_no_drafts()
    for address in EVERYBODY:
        scene.check_delivered(address)


def go_on(scene, sender=ANN):
    """What happens after the backup; the subjects of all mail that `sender` wants sent. Killed in the
    end with some in the queue, and one in doubt."""
    sent = ["queued at the backup", "sent at the backup", "sent after the backup"]
    scene.submit(mail(sent[1], sender))
    until_sent(scene, sent[1])
    fault = scene.exchange.fault(mailbox=sender, **BUSY)
    scene.submit(mail(sent[0], sender, headers=f"Bcc: {CARLA}\n"))
    until_taken_in(scene, sent[0])
    until(lambda: not scene.outbox.intake(), "it is settled")
    yield
    scene.exchange.clear_faults()
    scene.submit(mail(sent[2], sender))
    until_sent(scene, sent[0], sent[2])
    add(scene, 7, subject="after the backup")
    until_all_delivered(scene)
    # One is sent and nobody knows, one waits, one was not looked at.
    scene.exchange.fault(operation="SendItem", mailbox=sender, close="after", count=0)
    scene.exchange.fault(operation="GetItem", mailbox=sender, http=503, body="no", count=0)
    scene.submit(mail("in doubt at the end", sender, headers=f"Bcc: {CARLA}\n"))
    until(lambda: scene.ledger.rows("SELECT * FROM submission WHERE state = 7"), "one is in doubt")
    scene.exchange.fault(mailbox=sender, **BUSY)
    scene.submit(mail("queued at the end", sender, headers=f"Bcc: {CARLA}\n"))
    until_taken_in(scene, "queued at the end")
    until(lambda: not scene.outbox.intake(), "that is settled, too")
    scene.daemon.kill()
    scene.submit(mail("submitted while it was down", sender))
    scene.exchange.clear_faults()
    yield sent + ["in doubt at the end", "queued at the end", "submitted while it was down"]


@case("a backup that is put back sends nothing twice, delivers nothing twice, and loses nothing")
def _():
    with scene_of() as scene:
        add(scene, 5)
        scene.start()
        until_all_delivered(scene)
        story = go_on(scene)
        next(story)
        copy = back_up(scene)
        subjects = next(story)
        put_back(scene, copy)
        scene.daemon.start()
        scene.daemon.until_logged("that was put back", "3 messages are looked for")
        scene.until_settled()
        until_all_delivered(scene)
        check_all_once(scene, ANN, subjects)
        bcc = {"queued at the backup", "in doubt at the end", "queued at the end"}
        scene.check_each_once(CARLA, bcc)
        check(scene.daemon.log_lines(f"{ANN}: ", " sent"), "what was found sent is logged")
        check_equal(scene.daemon.log_lines(" sent (0 bytes)"), [], "sizes that nobody knows")
        scene.daemon.until_logged(f"{ANN}: the ledger", "7 that it did not know")
        check_equal(scene.outbox.kept(), [], "files that are kept")
        scene.daemon.stop()
        scene.daemon.start()
        scene.daemon.until_started()
        add(scene, 1, subject="after all")
        until_all_delivered(scene)
        check_equal(len(scene.daemon.log_lines("is a backup of")), 1, "restorations")
        scene.daemon.until_logged("the database that was put back is checked")
        scene.check_delivered(ANN)


@case("a backup that is put back beside the log of the other database is refused, and not damaged")
def _():
    with scene_of((ANN,)) as scene:
        add(scene, 3)
        scene.start()
        scene.until_delivered(ANN, 3)
        copy = back_up(scene)
        add(scene, 3, subject="after")
        scene.until_delivered(ANN, 6)
        scene.daemon.kill()
        check((scene.folder / "state/exsyncd.db-wal").stat().st_size > 0, "there is no log")
        shutil.copy(copy, database(scene))
        said = Exsyncctl(scene).run("verify", "--all", "--repair")
        check(said[0] == 65 and "BACKUP AND RESTORE" in said[2], said)
        scene.daemon.start()
        scene.daemon.until_logged("ForeignLog")
        check_equal(scene.daemon.ended(), 65, "status")
        check_equal(database(scene).read_bytes(), copy.read_bytes(), "the copy")
        put_back(scene, copy)
        scene.daemon.start()
        scene.daemon.until_logged("that was put back")
        until_all_delivered(scene, (ANN,))
        scene.check_delivered(ANN)


def state_of_checking(scene):
    ledger = scene.ledger.copy(scene.folder / "copy")
    if ledger.value("SELECT copied_at FROM instance"):
        return "not begun"
    unchecked = ledger.value("SELECT count(*) FROM mailbox WHERE check_from IS NOT NULL")
    doubtful = ledger.value("SELECT count(*) FROM submission WHERE state = 2")
    return f"{unchecked} unchecked, {doubtful} in doubt"


@case("kills at any moment of the checking change nothing in what comes out")
def _():
    numbers = chance("restored")
    with scene_of() as scene:
        scene.answers_linger = True
        add(scene, 5)
        scene.start()
        until_all_delivered(scene)
        story = go_on(scene)
        next(story)
        copy = back_up(scene)
        add(scene, 30, BEN, "much after the backup")
        until_all_delivered(scene)
        subjects = next(story)
        put_back(scene, copy)
        met = collections.Counter()
        for kill in range(KILLS):
            scene.daemon.start()
            if kill % 2 == 0:  # while it checks, however fast the machine is
                scene.daemon.until_started()
                time.sleep(numbers.choice((0, 0.01, 0.03)))
            else:
                time.sleep(numbers.choice((0.02, 0.03, 0.04, 0.1)) * numbers.uniform(0.5, 1.5))
            scene.daemon.check_running()
            scene.daemon.kill()
            met[state_of_checking(scene)] += 1
            if numbers.random() < 0.5:  # an administrator who wants to be sure
                put_back(scene, copy)
        scene.daemon.start()
        scene.daemon.until_started()
        scene.until_settled()
        until_all_delivered(scene)
        check_all_once(scene, ANN, subjects)
        say(f"# the kills have met: {dict(met)}")


@case("what consumers have taken away since comes again, and what was moved away does not")
def _():
    with scene_of({ANN: {}, BEN: {"after_processing": "move:Inbox/Done"}, CARLA: {}}) as scene:
        scene.start()
        scene.daemon.until_started()
        copy = back_up(scene)
        for address in (ANN, BEN):
            add(scene, 4, address)
        scene.until_delivered(ANN, 4)
        scene.until_delivered(BEN, 4)
        until(lambda: not scene.exchange.items(BEN, "Inbox"), "they are moved")
        for address in (ANN, BEN):
            for path in scene.maildir(address).files()[:2]:
                os.unlink(path)
        for path in scene.maildir(ANN).files():  # read by somebody
            os.rename(path, path.replace("/new/", "/cur/") + ":2,S")
        scene.daemon.kill()
        put_back(scene, copy)
        scene.daemon.start()
        scene.until_delivered(ANN, 4)
        until(lambda: not scene.ledger.value(
            "SELECT count(*) FROM mailbox WHERE check_from IS NOT NULL"), "all are compared")
        scene.until_polled(ANN, BEN)
        check_equal(scene.maildir(BEN).count(), 2, "messages of BEN")
        scene.check_delivered(ANN)


def until_it_waits(scene, subject):
    until_taken_in(scene, subject)
    until(lambda: not scene.outbox.intake(), "it is settled")


@case("what has no file and is not in Exchange is not sent again, and a person is told")
def _():
    with scene_of() as scene:
        scene.exchange.fault(mailbox=ANN, **BUSY)
        scene.start()
        scene.submit(mail("sent since"), mail("removed from Sent Items since"))
        until_it_waits(scene, "removed from Sent Items since")
        copy = back_up(scene)
        scene.exchange.clear_faults()
        until_sent(scene, "sent since", "removed from Sent Items since")
        gone, = [item for item in scene.exchange.items(ANN, "Sent Items")
                 if item["subject"] != "sent since"]
        scene.exchange.control("delete", item=gone["id"])
        until(lambda: not scene.outbox.leftover() and not scene.outbox.kept(), "the files are removed")
        scene.daemon.kill()
        for _ in range(2):  # the second time the reason is there already
            put_back(scene, copy)
            scene.daemon.start()
            scene.daemon.until_logged("2 of them without a file")
            scene.until_settled()
            check_equal({row["subject"]: row["state"] for row in scene.ledger.rows(
                "SELECT subject, state FROM submission")},
                {"sent since": 4, "removed from Sent Items since": 5}, "states")
            scene.daemon.until_logged('"removed from Sent Items since" was not sent and is lost',
                                      "NoFile")
            scene.daemon.kill()
        scene.check_each_once(BEN, ["sent since", "removed from Sent Items since"])


@case("an outbox that is lost together with the database counts as sent by nobody")
def _():
    with scene_of() as scene:
        scene.exchange.fault(mailbox=ANN, **BUSY)
        scene.start()
        scene.submit(mail("never sent"))
        until_it_waits(scene, "never sent")
        copy = back_up(scene)
        scene.daemon.kill()
        scene.exchange.clear_faults()
        shutil.rmtree(scene.folder / "state/outbox")
        put_back(scene, copy)
        scene.daemon.start()
        scene.daemon.until_logged('"never sent" was not sent and is lost', "not known whether")
        scene.until_settled()
        check_equal(scene.ledger.value("SELECT state FROM submission"), 5, "state")
        until(lambda: scene.maildir(ANN).count() == 1, "the sender is told")


@case("what was delivered and not yet marked read is marked read after all")
def _():
    with scene_of({ANN: {"after_processing": "mark_read"}, BEN: {}, CARLA: {}}) as scene:
        scene.start()
        scene.daemon.until_started()
        scene.until_polled(ANN)
        copy = back_up(scene)
        scene.exchange.fault(operation="UpdateItem", mailbox=ANN, http=503, body="no", count=0)
        add(scene, 3)
        scene.until_delivered(ANN, 3)
        scene.daemon.kill()
        scene.exchange.clear_faults()
        put_back(scene, copy)
        scene.daemon.start()
        until(lambda: all(item["read"] for item in scene.inbox(ANN)),
              lambda: f"all are read: {scene.inbox(ANN)[:1]}")
        scene.check_delivered(ANN)


@case("a mailbox that was added after the backup misses nothing and gets nothing twice")
def _():
    with scene_of({ANN: {}}, options=("--latency", "5", "--mailbox", BEN)) as scene:
        del scene.profile_keys["process_email_from"]
        scene.write_configuration()
        scene.start()
        scene.daemon.until_started()
        copy = back_up(scene)
        scene.mailboxes[CARLA] = {}  # so that numbers are given anew, in another order
        scene.exchange.control("add-mailbox", address=CARLA)
        scene.reload()
        scene.mailboxes[BEN] = {}
        scene.reload()
        scene.until_polled(BEN)
        add(scene, 3, BEN)
        scene.until_delivered(BEN, 3)
        scene.daemon.kill()
        add(scene, 2, BEN, "while it was down")
        time.sleep(1.1)  # received times are whole seconds: these lie before the start
        del scene.mailboxes[CARLA]
        scene.write_configuration()
        put_back(scene, copy)
        scene.daemon.start()
        scene.until_delivered(BEN, 5)
        scene.until_polled(BEN)
        scene.check_delivered(BEN)


@case("verify tells what a snapshot that was put back does not know, and --repair mends it")
def _():
    with scene_of() as scene:
        add(scene, 5)
        scene.start()
        until_all_delivered(scene)
        tool = Exsyncctl(scene)
        story = go_on(scene)
        next(story)
        tool.output("pause", PROFILE)
        until(lambda: tool.answers("status")[0]["cycles"]["running"] == 0, "no cycle runs any more")
        copy = snapshot(scene)
        tool.output("resume", PROFILE)
        subjects = next(story)
        put_back(scene, copy)
        scene.daemon.start()
        scene.daemon.until_started()
        answers = tool.answers("verify", "--all", wanted=65)
        ann = next(row for row in answers if row.get("address") == ANN)
        check_equal({name: ann[name] for name in ("differs", "delivered_unknown", "sent_queued",
                                                  "no_file", "repaired")},
                    {"differs": True, "delivered_unknown": 7, "sent_queued": 1, "no_file": 1,
                     "repaired": False}, "what differs of ANN")
        check_equal(answers[0], {"kind": "outbox", "unknown": 2, "copies": 0, "repaired": False},
                    "what differs of the outbox")
        status, out, err = tool.run("verify", "--all")
        check_equal(status, 65, "status")
        check("differs" in out and "The outbox has 2 messages" in out, out)
        check("the same command with --repair" in err, err)
        tool.output("verify", "--all", "--repair")
        again = tool.answers("verify", "--all")
        check(not any(row.get("differs") or row.get("unknown") for row in again), again)
        tool.output("resume", PROFILE)
        scene.until_settled()
        until_all_delivered(scene)
        check_all_once(scene, ANN, subjects)
        out = tool.output("verify", "--all")
        check(out.count(" right") == 3, out)


@case("verify --repair before the start makes the daemon look, whatever was put back")
def _():
    with scene_of() as scene:
        add(scene, 5)
        scene.start()
        until_all_delivered(scene)
        story = go_on(scene)
        next(story)
        copy = snapshot(scene)
        subjects = next(story)
        put_back(scene, copy)
        said = Exsyncctl(scene).output("verify", "--all", "--repair")
        check("At its next start" in said, said)
        scene.daemon.start()
        scene.daemon.until_logged("unknown time that was put back")
        scene.until_settled()
        until_all_delivered(scene)
        check_all_once(scene, ANN, subjects)


@case("in a sound database nothing differs, also while messages wait")
def _():
    with scene_of() as scene:
        add(scene, 40)
        scene.start()
        until_all_delivered(scene)
        scene.exchange.fault(mailbox=ANN, **BUSY)
        scene.submit(*[mail(f"waits {number}") for number in range(3)])
        until(lambda: len(scene.outbox.queue()) == 3 and not scene.outbox.intake(), "three wait")
        tool = Exsyncctl(scene)
        begin = time.monotonic()
        ann = tool.answers("verify", ANN)[0]
        check_equal({name: ann[name] for name in COMPARED},
                    {"files": 40, "maildir_not_compared": None, "exchange_searched": 3,
                     "exchange_requests": 1, "exchange_not_asked": None}, "what was compared")
        ben = tool.answers("verify", BEN)[0]
        check_equal({name: ben[name] for name in COMPARED},
                    {"files": 0, "maildir_not_compared": None, "exchange_searched": 0,
                     "exchange_requests": 0, "exchange_not_asked": "nothing waits to be sent"},
                    "what was not compared")
        said = tool.output("verify", "--all")
        check("right; Exchange not asked: nothing waits to be sent" in said, said)
        check("Compared with the ledger: 40 files in 3 Maildirs. Exchange was asked for 3 "
              "messages of 1 mailbox, in 1 request." in said, said)
        check("Exchange was not asked." in tool.output("verify", BEN), "of BEN nothing was asked")
        for words in (("--all",), (ANN,), ("--profile", PROFILE), ("--all", "--repair")):
            for answer in tool.answers("verify", *words):
                check(not answer.get("differs") and not answer.get("repaired"), answer)
        say(f"# four verifications took {time.monotonic() - begin:.2f} s")
        scene.exchange.fault(operation="FindItem", mailbox=ANN, http=500, body="no", count=0)
        answer, = tool.answers("verify", ANN, wanted=75)
        check_equal((answer["exchange_searched"], answer["exchange_not_asked"]),
                    (0, "the request failed"), "what is told when Exchange refuses")
        check(answer["error"], "it does not say why")
        check("VerifyFailed" in tool.run("verify", ANN)[2] or
              "could not be looked at" in tool.run("verify", ANN)[2], "a person is not told")
        scene.exchange.clear_faults()
        scene.until_received(BEN, 3)
        scene.until_settled()
        check_equal(scene.daemon.log_lines("looked for"), [], "repairs")
        tool.fails(67, "verify", "nobody@example.com", saying="there is no mailbox")
        tool.fails(EX_USAGE, "verify", saying="say which mailbox")


@case("verify tells of files whose message was delivered in another file, and changes nothing")
def _():
    with scene_of((ANN,)) as scene:
        add(scene, 2)
        scene.start()
        scene.until_delivered(ANN, 2)
        maildir = scene.maildir(ANN).path
        file = next((maildir / "new").iterdir())
        begin, number, rest = re.fullmatch(r"(\d+\.[0-9a-f]{12}b\d+r)([0-9a-f]{16})(.*)", file.name).groups()
        other = f"{begin}{'0' * 15}1"
        (maildir / "cur" / f"{other}{rest}:2,S").write_bytes(file.read_bytes())
        tool = Exsyncctl(scene)
        answer = tool.answers("verify", ANN)[0]
        check_equal((answer["doubled"], answer["doubled_files"], answer["differs"]), (1, [other], False),
                    "what is told")
        said = tool.output("verify", ANN)
        check("1 file of messages that were delivered in another file" in said and other in said
              and number not in said, said)
        check(f"    {other}" in said.splitlines(), f"the name has no line of its own: {said}")
        check((maildir / "cur" / f"{other}{rest}:2,S").exists() and file.exists(), "a file is gone")
        (maildir / "cur" / f"{other}{rest}:2,S").unlink()


@case("verify counts no files where it compares no Maildir, and says how many it has left out")
def _():
    with scene_of() as scene:
        scene.mailboxes[BEN] = {"incoming": "no"}
        scene.write_configuration()
        add(scene, 2)
        scene.start()
        until_all_delivered(scene, (ANN, CARLA))
        scene.until_polled(ANN, CARLA)
        said = Exsyncctl(scene).output("verify", "--all")
        rows = {line.split()[0]: line.split()[1:4] for line in said.splitlines() if "@" in line}
        check_equal((rows[ANN], rows[BEN]), (["2", "0", "0"], ["-", "-", "-"]), "what was counted")
        check("2 files in 2 Maildirs; 1 of 3 mailboxes left out. " in said, said)


@case("who goes away while mailboxes are verified leaves nothing behind")
def _():
    with scene_of(options=("--latency", "30")) as scene:
        scene.answers_linger = True  # what was asked for those who went away
        add(scene, 5)
        scene.start()
        until_all_delivered(scene)
        scene.exchange.fault(mailbox=ANN, **BUSY)
        scene.submit(*[mail(f"waits {number}") for number in range(3)])
        until(lambda: len(scene.outbox.queue()) == 3 and not scene.outbox.intake(), "three wait")
        tool = Exsyncctl(scene)
        for number in range(12):
            with tool.connect() as line:
                line.send({"id": 1, "command": "verify", "repair": number % 2 == 0})
                time.sleep(0.005 * number)
        with tool.connect() as line:
            answers, end = line.call(id=1, command="verify")
            check_equal((len(answers), "error" in end), (4, False), "answers of the last")
            line.send({"id": 2, "command": "verify"})
            scene.exchange.clear_faults()
            scene.until_received(BEN, 3)
            line.send({"id": 3, "command": "verify"})
            scene.daemon.stop()


@case("a stop ends a verification that waits for Exchange and leaves nothing behind")
def _():
    with scene_of() as scene:
        scene.answers_linger = True  # nobody waits for what Exchange was asked for
        scene.start()
        scene.daemon.until_started()
        tool = Exsyncctl(scene)
        tool.output("pause", PROFILE)  # no cycle keeps the daemon from stopping at once
        scene.submit(mail("waits"))
        until(lambda: scene.outbox.queue() and not scene.outbox.intake(), "it waits")
        before = scene.exchange.counter(f"mailbox_requests.{ANN}")
        scene.exchange.fault(operation="FindItem", mailbox=ANN, count=1, delay=600000)
        with tool.connect() as line:
            line.send({"id": 1, "command": "verify", "address": ANN})
            until(lambda: scene.exchange.counter(f"mailbox_requests.{ANN}") > before,
                  "Exchange is searched")
            scene.daemon.stop()


@case("a mailbox whose configuration changes while it is verified is verified with the one before")
def _():
    with scene_of() as scene:
        scene.start()
        scene.daemon.until_started()
        tool = Exsyncctl(scene)
        tool.output("pause", PROFILE)
        waiting = 25  # more than one search tells of
        scene.submit(*[mail(f"waits {number}") for number in range(waiting)])
        until(lambda: len(scene.outbox.queue()) == waiting and not scene.outbox.intake(), "all wait")

        def asked():
            return scene.exchange.counter(f"mailbox_requests.{ANN}")
        before = asked()
        scene.exchange.fault(operation="FindItem", mailbox=ANN, count=1, delay=3000)
        with tool.connect() as line:
            line.send({"id": 1, "command": "verify", "address": ANN})
            until(lambda: asked() > before, "Exchange is searched")
            scene.default_keys["line_endings"] = "crlf"
            scene.reload()
            answer = line.next()
        check_equal((answer["waiting"], answer["error"]), (waiting, None), "what is told")
        scene.exchange.clear_faults()
        tool.output("resume", PROFILE)
        scene.until_received(BEN, waiting)


def lose_database(scene, subject):
    """The daemon has taken a message in, is stopped, and its database removed."""
    scene.start()
    tool = Exsyncctl(scene)
    scene.daemon.until_started()
    tool.output("pause", PROFILE)
    scene.submit(mail(subject, ANN))
    until_taken_in(scene, subject)
    until(scene.outbox.kept, "it is settled")
    scene.daemon.stop()
    for path in (scene.folder / "state").glob("exsyncd.db*"):
        path.unlink()
    return tool


def check_traced_unknown(tool, scene, subject, folder):
    """It is found in the outbox, once, with the command that takes it in."""
    found = [answer for answer in tool.answers("trace", subject) if answer["kind"] == "outgoing"]
    check_equal([answer["state"] for answer in found], ["unknown"], "states")
    check(found[0]["path"].startswith(f"{scene.folder}/state/outbox/{folder}/"), found[0]["path"])
    check("verify --all --repair" in found[0]["next"], found[0]["next"])


@case("a start without the database warns of what lies in the outbox, until it was taken in anew")
def _():
    with scene_of((ANN,), defaults={"incoming": "no"}) as scene:
        tool = lose_database(scene, "of the lost database")
        scene.daemon.start()
        scene.daemon.until_logged("does not know 1 message in",
                                  f"{scene.folder}/state/outbox/kept",
                                  "exsyncctl verify --all --repair")
        status, out, _ = tool.run("check")
        check(status == 1 and "does not know 1 message of the outbox" in out, f"{status}, {out}")
        check("1 message is not known to the database" in tool.output("status"), "status")
        check_traced_unknown(tool, scene, "of the lost database", "kept")
        tool.output("verify", "--all", "--repair")
        check("does not know" not in tool.run("check")[1], "it is said after the repair")
        until_sent(scene, "of the lost database")
        scene.until_settled()
        scene.daemon.stop()
        scene.daemon.start()
        scene.daemon.until_started()
        check_equal(scene.daemon.log().count("does not know 1 message in"), 1, "warnings")


@case("a database that is lost is told at the start, with what it knew and how its mail is fetched")
def _():
    with scene_of((ANN,)) as scene:
        del scene.profile_keys["process_email_from"]
        scene.write_configuration()
        for _ in range(2):
            scene.start()
            scene.daemon.until_started()
            scene.until_polled(ANN)
            scene.daemon.stop()
        check("was gone" not in scene.daemon.log(), "it is said of one that was not lost")
        database(scene).unlink()
        begin = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        add(scene, 1, subject="while there was none")
        time.sleep(1.1)  # the start is later by whole seconds
        scene.daemon.start()
        line = scene.daemon.until_logged("the database was gone", "process_email_from")
        check("disabled or paused" in line, line)
        scene.until_polled(ANN)
        check_equal(scene.maildir(ANN).count(), 0, "messages from before the start")
        scene.profile_keys["process_email_from"] = begin
        scene.reload()
        scene.until_delivered(ANN, 1)


@case("a start without the database warns of copies whose original is gone, and leaves them to a person")
def _():
    with scene_of((ANN,), defaults={"incoming": "no"}) as scene:
        tool = lose_database(scene, "only its copy is left")
        kept, = (scene.folder / "state/outbox/kept").iterdir()
        kept.unlink()
        scene.daemon.start()
        scene.daemon.until_logged("does not know 1 message in",
                                  f"{scene.folder}/state/outbox/queue",
                                  "exsyncctl verify --all --repair")
        status, out, _ = tool.run("check")
        check(status == 1 and "does not know 1 message of the outbox" in out, f"{status}, {out}")
        check_traced_unknown(tool, scene, "only its copy is left", "queue")
        said = tool.output("status")
        check("puts into failed/ what it has no original of" in said, said)
        answers = tool.answers("verify", "--all", wanted=65)
        check_equal(answers[0], {"kind": "outbox", "unknown": 1, "copies": 1, "repaired": False},
                    "what is told of the outbox")
        said = tool.output("verify", "--all", "--repair")
        check("exsyncctl queue list --failed" in said, said)
        check("does not know" not in tool.run("check")[1], "it is said after the repair")
        check_equal((scene.outbox.queue(), len(scene.outbox.failed())), ([], 1), "queue and failed")
        row = tool.output("queue", "list", "--failed")
        check(kept.name in row and "no Bcc recipients" in row, row)
        reason = list(scene.outbox.failed().values())[0]
        check("send it again only if it is not there" in reason, reason)
        shown, = tool.answers("queue", "show", kept.name)
        traced = [answer for answer in tool.answers("trace", kept.name)
                  if answer["kind"] == "outgoing"]
        for answer in (shown, *traced):
            check("BCC-RECIPIENT" in answer["next"] and "Sent Items" in answer["next"], answer["next"])
            check_equal(answer["submitter"], None, "who submitted it")
        check_equal(len(traced), 1, "what is traced")
        tool.output("resume", PROFILE)
        tool.output("queue", "discard", kept.name)
        check("was refused" not in tool.run("check")[1], "it is refused after it was discarded")
        check_equal(scene.exchange.counter("sent"), 0, "messages that were sent")


@case("a copy that the disk keeps from being put aside is told of, and put aside by the next repair")
def _():
    with scene_of((ANN,)) as scene:
        scene.start()
        scene.daemon.until_started()
        unknown = "01890a5d-ac96-774b-bcce-b302099a8057"
        outbox = scene.folder / "state/outbox"
        (outbox / "queue" / f"{unknown}.eml").write_bytes(mail("only its copy is left"))
        (outbox / "failed" / f"{unknown}.reason").mkdir()  # nothing can be written there
        tool = Exsyncctl(scene)
        status, _, said = tool.run("verify", "--all", "--repair")
        check(status == 75 and "EISDIR" in said, f"{status}, {said}")
        check((outbox / "queue" / f"{unknown}.eml").exists(), "it is gone")
        (outbox / "failed" / f"{unknown}.reason").rmdir()
        time.sleep(2)  # the change of the folder is looked at: what is in queue/ is not over
        tool.output("verify", "--all", "--repair")
        check_equal((scene.outbox.queue(), len(scene.outbox.failed())), ([], 1), "queue and failed")
        rows = scene.ledger.rows("SELECT code, submission, count FROM failure WHERE resolved_at IS NULL")
        check_equal([tuple(row[name] for name in ("code", "submission", "count")) for row in rows],
                    [("NotRecorded", unknown, 2)], "what is recorded")
        tool.output("queue", "discard", unknown)


@case("verify does not say of the outbox that it will be mended when the disk refuses")
def _():
    with scene_of((ANN,)) as scene:
        scene.start()
        scene.daemon.until_started()
        unknown = "01890a5d-ac96-774b-bcce-b302099a8057"
        outbox = scene.folder / "state/outbox"
        (outbox / "kept" / unknown).write_bytes(mail("kept"))
        (outbox / "intake" / unknown).mkdir()  # nothing can be moved there
        tool = Exsyncctl(scene)
        answers = tool.answers("verify", "--all", "--repair", wanted=75)
        check_equal(answers, [], "what is told")
        status, _, said = tool.run("verify", "--all", "--repair")
        check(status == 75 and "EISDIR" in said, f"{status}, {said}")
        check((outbox / "kept" / unknown).exists(), "it is gone")
        (outbox / "intake" / unknown).rmdir()
        (outbox / "kept" / unknown).unlink()


@case("a backup into a file whose name is no UTF-8 is told as JSON all the same")
def _():
    with scene_of((ANN,)) as scene:
        scene.start()
        scene.daemon.until_started()
        target = os.fsdecode(os.fsencode(scene.folder) + b"/backup-\xff.db")
        status, out, error = Exsyncctl(scene).run("--json", "backup", target)
        check_equal((status, error), (0, ""), "status, and what is said")
        check_equal(json.loads(out)["file"], f"{scene.folder}/backup-?.db", "the file that is told")
        check(os.path.exists(target), "there is no backup")


@case("a backup is one private file that is whole, or none")
def _():
    with scene_of((ANN,)) as scene:
        add(scene, 3)
        scene.start()
        scene.until_delivered(ANN, 3)
        tool = Exsyncctl(scene)
        target = scene.folder / "backup.db"
        said = tool.output("backup", target)
        check(str(target) in said and "bytes" in said, said)
        check_equal(stat.S_IMODE(target.stat().st_mode), 0o600, "mode")
        copy = Ledger(target)
        check_equal(copy.integrity(), "ok", "the copy")
        check_equal(copy.count(ANN, DELIVERED), 3, "rows in the copy")
        check(copy.value("SELECT copied_at FROM instance") > 0, "it does not say what it is")
        tool.fails(EX_CANTCREAT, "backup", target, saying="--force")
        tool.output("backup", "--force", target)
        tool.fails(EX_CANTCREAT, "backup", scene.folder, saying="is no file")
        tool.fails(EX_CANTCREAT, "backup", scene.folder / "no where/backup.db",
                   saying=["there is no folder", f'install -d -m 700 "{scene.folder}/no where"'])
        tool.fails(EX_CANTCREAT, "backup", target / "backup.db", saying="is no folder")
        for word in ("-", f"{scene.folder}/nowhere/"):
            tool.fails(EX_USAGE, "backup", word, saying="a file")
        os.symlink(scene.folder / "state", scene.folder / "elsewhere")
        for suffix in ("", "-wal", "-shm"):  # the daemon has them open
            for folder in ("state", "elsewhere"):
                own = scene.folder / folder / f"exsyncd.db{suffix}"
                before = own.stat().st_ino
                tool.fails(EX_CANTCREAT, "backup", "--force", own, saying="the database itself")
                check_equal(own.stat().st_ino, before, f"the file {own}")
        scene.daemon.stop()
        for suffix in ("-wal", "-shm", "-journal", ".v5"):  # not there now, and looked for at a start
            tool.fails(EX_CANTCREAT, "backup", scene.folder / f"elsewhere/exsyncd.db{suffix}",
                       saying="the database itself")
        answer, = tool.answers("backup", "--force", target)
        check_equal(answer["bytes"], target.stat().st_size, "size")
        check_equal(sorted(path.name for path in scene.folder.glob("backup.db*")), ["backup.db"],
                    "files beside the copy")


@case("who may ask exsyncd, and not read its files, is told that a backup is read from them")
def _():
    if os.geteuid() != 0:
        raise Skipped("only root can be another user")
    with scene_of((ANN,)) as scene, tempfile.TemporaryDirectory() as folder:
        scene.start()
        os.chmod(folder, 0o777)
        scene.folder.chmod(0o755)
        member = Exsyncctl(scene, user=65534)
        for mode, what in ((0o600, member.configuration), (0o644, scene.folder / "state/exsyncd.db")):
            member.configuration.chmod(mode)
            said = member.fails(EX_NOPERM, "backup", f"{folder}/backup.db",
                                saying=[f"you may not read {what}", "sudo", "exsync-admin"])
            check("check-config" not in said, said)
        check_equal(os.listdir(folder), [], "files that were left")


@case("a backup is of the configured database, whatever else is wrong with the configuration")
def _():
    with scene_of((ANN,)) as scene:
        scene.start()
        tool = Exsyncctl(scene)
        with open(tool.configuration, "a", encoding="utf-8") as file:
            file.write("[nonsense]\n")
        scene.password_file.unlink()
        tool.output("backup", scene.folder / "backup.db")
        tool.configuration.write_text("[nonsense]\n")
        tool.fails(EX_NOINPUT, "backup", scene.folder / "other.db",
                   saying=["looking into /nowhere", "nonsense", "there is no database"],
                   environment={"STATE_DIRECTORY": "/nowhere"})


@case("what root does while the daemon is stopped leaves the daemon's files its own")
def _():
    with Scene([ANN], unprivileged=True) as scene:
        if not scene.daemon.user:
            raise Skipped("only root can be another user")
        add(scene, 2)
        scene.daemon.start()
        scene.until_delivered(ANN, 2)
        scene.daemon.kill()  # so that there is a log to be read
        tool = Exsyncctl(scene)
        tool.output("backup", scene.folder / "backup.db")
        tool.output("verify", "--all", "--repair")
        owners = {path.name: path.stat().st_uid for path in (scene.folder / "state").iterdir()}
        check_equal({name: owner for name, owner in owners.items() if owner != scene.daemon.user},
                    {}, "files of root")
        scene.daemon.start()
        scene.daemon.until_logged("compared with 2 files")
        scene.check_delivered(ANN)


@case("while exsyncd runs its database is not marked, and without it nothing can be verified")
def _():
    with scene_of((ANN,)) as scene:
        tool = Exsyncctl(scene)
        tool.fails(EX_NOINPUT, "backup", scene.folder / "backup.db", saying="exsyncd.db")
        scene.start()
        scene.daemon.until_started()
        tool.socket = scene.folder / "nowhere.sock"  # it seems not to run
        tool.fails(69, "verify", "--all", "--repair", saying="lock")
        scene.daemon.stop()
        tool.fails(69, "verify", "--all")
        tool.fails(69, "verify", ANN, "--repair")
        check_equal(scene.ledger.value("SELECT copied_at FROM instance"), None, "the mark")


@case("backups are made while mail flows, and hold up nobody")
def _():
    with scene_of() as scene:
        scene.start()
        for number in range(6):
            add(scene, 10, BEN, f"flow {number}")
            scene.submit(mail(f"out {number}"))
            copy = Ledger(back_up(scene, f"backup-{number}.db"))
            check_equal(copy.integrity(), "ok", "the copy")
        scene.until_settled()
        until_all_delivered(scene)
        scene.check_each_once(ANN, [f"out {number}" for number in range(6)], "Sent Items")


main(side_by_side=2)
