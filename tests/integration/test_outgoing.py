#!/usr/bin/python3
"""Outgoing mail end to end: taken in, sent as the mailbox, or left to a person with the reason."""

import email
import email.policy
import os
import subprocess

from harness import CORPUS, case, check, check_equal, main, program, until
from mail import readdressed
from scene import ANN, BEN, CARLA
from sending import ME, SendingScene, mail, subject_of


def plain(content):
    """Lines that end in LF, whatever they ended in before: a lone CR is a line end on the way out."""
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").rstrip(b"\n")


def parts(mime):
    """What a message holds after MIME decoding."""
    parsed = email.message_from_bytes(mime)
    return [(part.get_content_type(), part.get_filename(),
             plain(part.get_payload(decode=True) or b""))
            for part in parsed.walk() if not part.is_multipart()]


def body_of(content):
    """Behind the header, whatever the line ends."""
    return plain(content).partition(b"\n\n")[2]


@case("the whole corpus arrives in order, each once, equal after decoding, with a copy in Sent Items")
def _():
    paths = sorted(CORPUS.glob("*.eml"))
    with SendingScene() as scene:
        scene.start()
        contents = [readdressed(path, ANN, BEN, f"corpus {number:02d}")
                    for number, path in enumerate(paths)]
        scene.submit(*contents)
        scene.until_received(BEN, len(paths))
        scene.until_settled()
        subjects = [f"corpus {number:02d}" for number in range(len(paths))]
        check_equal([item["subject"] for item in scene.inbox(BEN)], subjects, "order of arrival")
        scene.check_each_once(ANN, subjects, "Sent Items")
        scene.check_no_drafts()
        for item, content in zip(scene.inbox(BEN), contents):
            mime = scene.exchange.mime(item)
            check_equal(parts(mime), parts(content), f"parts of {item['subject']}")
            check_equal(body_of(mime), body_of(content), f"body of {item['subject']}")
        check_equal(scene.outbox.failed(), {}, "refused messages")


@case("Bcc recipients get the message and stand in nobody's header; a Message-ID is added")
def _():
    with SendingScene((ANN, BEN, CARLA)) as scene:
        scene.start()
        scene.submit(mail("secretly", headers=f"Bcc: {CARLA}\n"))
        for address in (BEN, CARLA):
            scene.until_received(address, 1)
            mime = scene.exchange.mime(scene.inbox(address)[0])
            parsed = email.message_from_bytes(mime)
            check_equal(parsed["Bcc"], None, f"Bcc as {address} sees it")
            check(CARLA.encode() not in mime, "the Bcc recipient stands in the message")
            check(parsed["Message-ID"], "no Message-ID")
        scene.until_settled()


@case("a recipient in To, Cc and Bcc gets one copy")
def _():
    with SendingScene() as scene:
        scene.start()
        scene.submit(mail("once", headers=f"Cc: Ben <{BEN}>\nBcc: {BEN.upper()}\n"))
        scene.until_received(BEN, 1)
        scene.until_settled()
        scene.check_each_once(BEN, ["once"])


@case("a resent message goes to those whom the Resent fields name, and to nobody again")
def _():
    with SendingScene((ANN, BEN, CARLA)) as scene:
        scene.start()
        scene.submit(mail("resent", to=CARLA, headers=f"Cc: {CARLA}\nResent-From: {ANN}\n"
                          f"Resent-Bcc: {BEN}\n"))
        scene.until_received(BEN, 1)
        scene.until_settled()
        check_equal(scene.inbox(CARLA), [], "messages for those who had it already")


@case("a From that could be read in two ways is refused, a Sender that differs is kept")
def _():
    with SendingScene({ANN: {}, BEN: {}, CARLA: {"submitters": "daemon"}}) as scene:
        scene.start()
        for sender in (f"{CARLA} x, {ANN}", f"{ANN}, {CARLA}"):
            scene.submit(f"From: {sender}\nTo: {BEN}\nSubject: forged\n\nhello\n".encode())
        # An obsolete route: only the address that was checked goes out.
        scene.submit(f"From: <{CARLA}:{ANN}>\nTo: {BEN}\nSubject: route\n\nhello\n".encode())
        scene.submit(mail("from ann", headers="Sender: secretary@example.com\n"))
        scene.until_received(BEN, 2)
        scene.until_settled()
        route, plain_one = (email.message_from_bytes(mime)
                            for mime in map(scene.exchange.mime, scene.inbox(BEN)))
        check_equal(route["From"], f"<{ANN}>", "From of a route")
        check_equal((plain_one["Subject"], plain_one["Sender"]),
                    ("from ann", "secretary@example.com"), "what was sent")
        check_equal(len(scene.outbox.failed()), 2, "refused messages")


@case("recipients that cannot be read are not dropped in silence")
def _():
    with SendingScene() as scene:
        scene.start()
        scene.submit(mail("a comma is missing", to=f"anna@example.com b@example.com, {BEN}"))
        until(scene.outbox.failed, "the message is refused")
        scene.until_settled()
        check_equal(scene.inbox(BEN), [], "messages sent to some of them")


@case("what cannot be taken goes to failed/ with its reason and a failure row, and holds up nobody")
def _():
    with SendingScene(daemon={"max_submission_size": "200K"}) as scene:
        scene.start()
        wrong = {
            "From is stranger@elsewhere.example": mail("stranger", sender="stranger@elsewhere.example"),
            "no From": b"To: ben@example.com\nSubject: no sender\n\nhello\n",
            "no recipient": b"From: ann@example.com\nSubject: nobody\n\nhello\n",
            "max_submission_size": mail("large", body="x" * 70 + "\n") + b"y" * 300_000,
            "": b"this is no message at all\x00",
        }
        scene.submit(*wrong.values(), mail("right"))
        scene.until_received(BEN, 1)
        scene.until_settled()
        reasons = list(scene.outbox.failed().values())
        check_equal(len(reasons), len(wrong), "refused messages")
        for words in wrong:
            check(any(words in reason for reason in reasons), lambda: f"no reason has {words!r}: {reasons}")
        check_equal(len(scene.ledger.rows("SELECT * FROM failure WHERE code = 'NotTaken'")),
                    len(wrong), "failure rows")
        scene.check_each_once(BEN, ["right"])


@case("a submitter who may not send as a mailbox is refused, by name")
def _():
    with SendingScene({ANN: {"submitters": "daemon"}, BEN: {}}) as scene:
        scene.start()
        scene.submit(mail("not mine"), mail("mine", sender=BEN, to=ANN))
        scene.until_received(ANN, 1)
        scene.until_settled()
        reason, = scene.outbox.failed().values()
        check(ME in reason and ANN in reason and "submitters" in reason, lambda: reason)
        check_equal(scene.inbox(BEN), [], "messages that were sent")


@case("local senders are given the mailbox of sender_map or default_sender, which From then names")
def _():
    with SendingScene((ANN, BEN, CARLA), daemon={"default_sender": CARLA,
                                                 "sender_map": f"backup: {ANN}"}) as scene:
        scene.start()
        scene.submit(mail("from cron", sender="root@localhost"),
                     mail("from backup", sender="backup@localhost"))
        scene.until_received(BEN, 2)
        scene.until_settled()
        senders = {subject_of(mime): email.message_from_bytes(mime)["From"]
                   for mime in map(scene.exchange.mime, scene.inbox(BEN))}
        check(CARLA in senders["from cron"] and ANN in senders["from backup"], lambda: str(senders))


@case("cron's mail from root to root goes to whom recipient_map names, or is refused with that key")
def _():
    cron = b"From: root (Cron Daemon)\nTo: root\nSubject: %s\n\nno room\n"
    with SendingScene(daemon={"default_sender": ANN}) as scene:
        scene.start()
        scene.submit(cron % b"too early")
        until(scene.outbox.failed, "the message is refused")
        reason, = scene.outbox.failed().values()
        check("root" in reason and "recipient_map" in reason, reason)
        scene.daemon_keys["recipient_map"] = f"root: {BEN}"
        scene.reload()
        scene.submit(cron % b"Cron <root@vm> backup")
        scene.until_received(BEN, 1)
        scene.until_settled()
        scene.check_each_once(BEN, ["Cron <root@vm> backup"])


@case("a message that the server refuses waits in failed/, its sender is told, the others go on")
def _():
    with SendingScene(["ann@example.com", "ben@example.com"], defaults={"incoming": "yes"}) as scene:
        scene.start()
        scene.exchange.fault(operation="CreateItem", mailbox=ANN, code="ErrorMessageSizeExceeded")
        scene.submit(mail("too large for Exchange"))
        until(scene.outbox.failed, "the refused message is in failed/")
        scene.submit(mail("small"))
        scene.until_received(BEN, 1)
        scene.until_settled()
        reason, = scene.outbox.failed().values()
        check("ErrorMessageSizeExceeded" in reason, lambda: reason)
        row, = scene.ledger.rows("SELECT * FROM failure WHERE direction = 'outgoing'")
        check_equal(row["code"], "ErrorMessageSizeExceeded", "code of the failure")
        scene.until_delivered(ANN, 1)
        notice = email.message_from_bytes(next(iter(scene.maildir(ANN).contents())))
        check_equal(notice.get_content_type(), "multipart/report", "type of the notification")
        check_equal(notice["Return-Path"], "<>", "sender of the notification")
        kinds = [part.get_content_type() for part in notice.get_payload()]
        check_equal(kinds, ["text/plain", "message/delivery-status", "text/rfc822-headers"], "parts")
        status = notice.get_payload()[1].get_payload()
        check_equal(status[1]["Final-Recipient"], f"rfc822; {BEN}", "recipient")
        check_equal(status[1]["Action"], "failed", "action")


@case("what is refused is kept as it was submitted, though the queue's file was removed")
def _():
    with SendingScene() as scene:
        scene.start()
        scene.exchange.fault(operation="CreateItem", mailbox=ANN, http=503, body="no", count=0)
        text = mail("removed by hand", headers=f"Bcc: {CARLA}\n")
        scene.submit(text)
        until(lambda: scene.outbox.kept(), "the message waits")
        scene.daemon.stop()
        (scene.outbox.folder / "queue" / scene.outbox.queue()[0]).unlink()
        scene.exchange.clear_faults()
        scene.start()
        scene.daemon.until_logged("removed by hand",
                                  f"waits for a person in {scene.outbox.folder}/failed/")
        scene.until_settled()
        name, = scene.outbox.failed()
        check_equal((scene.outbox.folder / "failed" / name).read_bytes(), text, "what is kept")


@case("a message with Bcc that was refused can be sent again as it is")
def _():
    dora = "dora@example.com"
    with SendingScene((ANN, BEN, CARLA, dora)) as scene:
        scene.start()
        scene.exchange.fault(operation="CreateItem", mailbox=ANN, code="ErrorMessageSizeExceeded")
        scene.submit(mail("secretly", headers=f"Bcc: {CARLA}, Dora <{dora}>\n"))
        until(scene.outbox.failed, "the message is refused")
        (name, reason), = scene.outbox.failed().items()
        first, _, hidden = reason.rstrip("\n").partition("\n")
        check("ErrorMessageSizeExceeded" in first and CARLA not in first, reason)
        check_equal(hidden, f"Its Bcc recipients: {CARLA} {dora}", "the reason")
        subprocess.run([program("exsync-submit"), "-t", "-i", "--state-directory",
                        scene.folder / "state"], check=True,
                       input=(scene.outbox.folder / "failed" / name).read_bytes())
        for address in (BEN, CARLA, dora):
            scene.until_received(address, 1)
        scene.until_settled()


@case("a message whose file was removed from the queue is told as lost, not as kept")
def _():
    with SendingScene(defaults={"incoming": "yes"}) as scene:
        scene.start()
        scene.exchange.fault(operation="CreateItem", mailbox=ANN, http=503, body="no", count=0)
        scene.submit(mail("removed by hand"))
        until(lambda: scene.outbox.kept(), "the message waits")
        scene.daemon.stop()
        for folder, name in (("queue", scene.outbox.queue()[0]), ("kept", scene.outbox.kept()[0])):
            (scene.outbox.folder / folder / name).unlink()
        scene.exchange.clear_faults()
        scene.start()
        scene.daemon.until_logged("removed by hand", "is lost: there is no file")
        scene.until_settled()
        scene.until_delivered(ANN, 1)
        notice, = scene.maildir(ANN).contents()
        check(b"The message itself is not there any more" in notice, notice)
        check(b"is kept on" not in notice, notice)


@case("nobody is told of a notification that was not sent, nor when the profile says so")
def _():
    for profile, headers in (({}, "Return-Path: <>\n"), ({}, "Auto-Submitted: auto-replied\n"),
                             ({"delivery_notifications": "no"}, "")):
        with SendingScene(defaults={"incoming": "yes"}, profile=profile) as scene:
            scene.start()
            scene.exchange.fault(operation="CreateItem", mailbox=ANN, code="ErrorMessageSizeExceeded")
            scene.submit(mail("refused", headers=headers))
            until(scene.outbox.failed, "the refused message is in failed/")
            scene.until_settled()
            scene.until_polled(ANN)
            check_equal(scene.maildir(ANN).count(), 0, "notifications")


@case("a mailbox that may not be impersonated holds up nobody, and resumes by itself")
def _():
    with SendingScene() as scene:
        scene.exchange.revoke(ANN)
        scene.start()
        scene.submit(mail("from ann"), mail("from ben", sender=BEN, to=ANN))
        scene.until_received(ANN, 1)
        scene.daemon.until_logged(f"{ANN}: outgoing failed", "ErrorImpersonateUserDenied")
        until(lambda: len(scene.outbox.queue()) == 1, "one message waits")
        scene.exchange.grant("all")
        scene.until_received(BEN, 1)
        scene.until_settled()
        scene.daemon.until_logged(f"{ANN}: outgoing works again")
        check_equal(scene.outbox.failed(), {}, "refused messages")


@case("one message that spoils its batch is found out, the others are sent")
def _():
    with SendingScene() as scene:
        scene.exchange.fault(operation="CreateItem", mailbox=ANN, http=500, body="no", count=1)
        scene.start()
        subjects = [f"number {number:02d}" for number in range(12)]
        scene.submit(*[mail(subject) for subject in subjects])
        scene.until_received(BEN, len(subjects))
        scene.until_settled()
        scene.check_each_once(BEN, subjects)
        scene.check_no_drafts()


@case("a server that cannot send drafts is sent to in one step, found out by itself")
def _():
    with SendingScene() as scene:
        scene.exchange.fault(operation="SendItem", soap="ErrorInvalidOperation", count=0)
        scene.start()
        subjects = [f"direct {number}" for number in range(5)]
        scene.submit(*[mail(subject) for subject in subjects])
        scene.until_received(BEN, len(subjects))
        scene.until_settled()
        scene.check_each_once(BEN, subjects)
        scene.check_each_once(ANN, subjects, "Sent Items")
        scene.check_no_drafts()
        check_equal(len(scene.daemon.log_lines("are sent in one step")), 1, "times it was said")


@case("hostile files harm nobody: links, pipes, folders, odd names")
def _():
    with SendingScene() as scene:
        scene.start()
        new = scene.outbox.folder / "new"
        secret = scene.folder / "secret"
        secret.write_bytes(mail("secret"))
        os.symlink(secret, new / "link")
        os.link(secret, new / "hardlink")
        os.mkfifo(new / "pipe")
        os.mkdir(new / "folder")
        scene.submit(mail("right"))
        scene.outbox.submit(mail("odd"), name="a\nname with\x01 ö'\"; rm -rf")
        scene.until_received(BEN, 2)
        until(lambda: not scene.outbox.intake(), "all are looked at")
        scene.check_each_once(BEN, ["right", "odd"])
        check(secret.exists(), "another's file is gone")


@case("what was submitted while the daemon was down is sent after its start, in order")
def _():
    with SendingScene() as scene:
        scene.start()
        scene.daemon.stop()
        subjects = [f"number {number:03d}" for number in range(120)]
        scene.submit(*[mail(subject) for subject in subjects])
        scene.start()
        scene.until_received(BEN, len(subjects))
        scene.until_settled()
        check_equal([item["subject"] for item in scene.inbox(BEN)], subjects, "order of arrival")


@case("a reload in the middle of sending, with outgoing off and on again, loses and doubles nothing")
def _():
    with SendingScene((ANN, BEN), ["--latency", "5"], profile={"batch_size": 3}) as scene:
        scene.start()
        subjects = [f"number {number:03d}" for number in range(90)]
        for number, subject in enumerate(subjects):
            scene.submit(mail(subject))
            if number % 15 == 7:
                scene.mailboxes = {ANN: {"outgoing": "no"} if number % 2 else {}, BEN: {}}
                scene.profile_keys["max_connections"] = 2 + number % 3
                scene.reload()
                scene.mailboxes = {ANN: {}, BEN: {}}
                scene.reload()
        # Those that came while outgoing was off were refused: they are for a person.
        until(lambda: not scene.outbox.new() and not scene.outbox.intake(), "all are taken in")
        scene.until_settled()
        refused = {subject_of((scene.outbox.folder / "failed" / name).read_bytes())
                   for name in scene.outbox.failed()}
        scene.check_each_once(BEN, [subject for subject in subjects if subject not in refused])
        scene.check_no_drafts()


main()
