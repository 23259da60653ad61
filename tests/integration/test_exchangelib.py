#!/usr/bin/python3
"""python3-exchangelib, a client that nobody here wrote, works with the Exchange simulator."""

import base64
import datetime
import logging
import sys

try:
    import exchangelib
except ImportError:
    print("ok - python3-exchangelib talks to the simulator # SKIP python3-exchangelib is missing")
    sys.exit(0)

from exchangelib import (DELEGATE, IMPERSONATION, Account, Configuration, Credentials, FaultTolerance,
                         HTMLBody, Mailbox, Message, Q)
from exchangelib.errors import (ErrorImpersonateUserDenied, ErrorItemNotFound,
                                ErrorNonExistentMailbox, ErrorServerBusy, UnauthorizedError)
from exchangelib.extended_properties import ExtendedProperty
from exchangelib.folders import Messages

from exchange_simulator import CORPUS, Checks, Simulator

logging.getLogger("exchangelib").addHandler(logging.NullHandler())
checks = Checks()
ANN, BOB, CAROL = "ann@example.com", "bob@example.com", "carol@example.com"


class SearchKey(ExtendedProperty):
    property_tag = 0x300B
    property_type = "Binary"


class SubmissionId(ExtendedProperty):
    property_set_id = "2b6f3d5c-8f6e-4b19-9a57-0d7d3c1f5a11"
    property_name = "SubmissionId"
    property_type = "String"


Message.register("search_key", SearchKey)
Message.register("submission_id", SubmissionId)


def account(simulator, address, user="svc", password="secret", access=IMPERSONATION):
    configuration = Configuration(service_endpoint=simulator.url,
                                  credentials=Credentials(user, password), auth_type="basic",
                                  retry_policy=None)
    return Account(primary_smtp_address=address, config=configuration, autodiscover=False,
                   access_type=access, default_timezone=exchangelib.EWSTimeZone("UTC"))


def corpus(name):
    return (CORPUS / name).read_bytes()


def lists_and_reads(ann):
    messages = list(ann.inbox.all().only("subject", "datetime_received", "message_id",
                                         "is_read", "search_key"))
    checks.equal(len(messages), 45, "the inbox lists all 45 messages")
    checks.equal(len({m.id for m in messages}), 45, "every item has an id of its own")
    checks.equal(len({m.id.lower() for m in messages}) < 45, True,
                 "some ids differ in case only")
    checks.equal(len({m.search_key for m in messages}), 45, "every item has a search key")
    times = [m.datetime_received for m in ann.inbox.all().order_by("-datetime_received")
             .only("datetime_received")]
    checks.equal(times, sorted(times, reverse=True), "a listing sorted by received time is sorted")
    names = sorted(path.name for path in CORPUS.glob("*.eml"))
    contents = {m.mime_content for m in ann.inbox.all().only("mime_content")}
    checks.equal(contents, {corpus(name) for name in names},
                 "MimeContent is what was loaded, byte for byte")
    japanese = [m for m in ann.inbox.all() if m.mime_content == corpus("japanese.eml")]
    checks.ok(japanese and japanese[0].body is not None and japanese[0].sender is not None,
              "whole messages can be read, with body and sender")


def searches(ann):
    every = {m.id: m.subject for m in ann.inbox.all().only("subject")}
    wanted = {i for i, subject in every.items() if subject and "test" in subject.lower()}
    found = {m.id for m in ann.inbox.filter(subject__icontains="test").only("subject")}
    checks.equal(found, wanted, "Contains finds what holds a word in its subject")
    times = sorted(m.datetime_received for m in ann.inbox.all().only("datetime_received"))
    middle = times[20]
    late = ann.inbox.filter(datetime_received__gte=middle).count()
    early = ann.inbox.filter(datetime_received__lt=middle).count()
    checks.equal((late, early), (sum(t >= middle for t in times), sum(t < middle for t in times)),
                 "IsGreaterThanOrEqualTo and IsLessThan part a folder by time")
    either = ann.inbox.filter(Q(datetime_received__gt=times[-2]) |
                              Q(datetime_received__lte=times[0])).count()
    checks.equal(either, sum(t > times[-2] or t <= times[0] for t in times), "Or joins")
    neither = ann.inbox.filter(~Q(subject__icontains="test")).count()
    checks.equal(neither, 45 - len(wanted), "Not turns a search round")
    checks.equal(ann.inbox.filter(is_read=False).count(), 45, "IsEqualTo finds what is unread")
    with_id = ann.inbox.filter(message_id__exists=True).count()
    checks.ok(0 < with_id <= 45, "Exists finds what has a Message-ID")
    page = list(ann.inbox.all().order_by("datetime_received").only("datetime_received")[10:15])
    checks.equal([m.datetime_received for m in page], times[10:15], "a page starts at its offset")


def changes(simulator, ann):
    item = ann.inbox.all().order_by("-datetime_received")[0]
    key = item.changekey
    item.is_read = True
    item.subject = "another subject"
    item.save(update_fields=["is_read", "subject"])
    again = ann.inbox.get(id=item.id)
    checks.ok(again.is_read and again.subject == "another subject" and again.changekey != key,
              "an update changes the item and its ChangeKey")
    old = item.id
    item.move(ann.junk)
    checks.ok(item.id != old and ann.junk.total_count is not None, "a move changes the ItemId")
    checks.equal(ann.inbox.all().count(), 44, "a moved item is gone from its folder")
    gone = list(ann.fetch([(old, None)]))
    checks.ok(isinstance(gone[0], ErrorItemNotFound), "the old ItemId is not found any more", gone)
    copied = item.copy(ann.inbox)
    checks.ok(copied is not None and ann.inbox.all().count() == 45, "a copy is another item")
    item.move_to_trash()
    checks.equal(ann.trash.all().count(), 1, "a deleted item is in Deleted Items")
    ann.trash.all().delete()
    checks.equal(ann.trash.all().count(), 0, "a hard delete is for good")
    ann.inbox.all().order_by("-datetime_received")[0].soft_delete()
    checks.equal(len(simulator.items(ANN, "recoverableitemsdeletions")), 1,
                 "a soft delete keeps the item recoverable")


def sends(simulator, ann, bob):
    Message(account=ann, folder=ann.sent, subject="to you", body="text",
            to_recipients=[Mailbox(email_address=BOB)]).send_and_save()
    received = bob.inbox.get(subject="to you")
    checks.ok(received.sender.email_address == ANN and received.body.strip() == "text",
              "a message arrives in the other mailbox")
    checks.equal(ann.sent.filter(subject="to you").count(), 1, "its copy is in Sent Items")
    Message(account=ann, subject="no copy", body=HTMLBody("<p>hé</p>"),
            to_recipients=[Mailbox(email_address=BOB)], cc_recipients=[ANN]).send(save_copy=False)
    checks.ok(bob.inbox.get(subject="no copy").body == "<p>hé</p>" and
              ann.sent.filter(subject="no copy").count() == 0, "SendOnly leaves no copy")
    draft = Message(account=ann, folder=ann.drafts, subject="later", body="x",
                    submission_id="a-1", to_recipients=[BOB])
    draft.save()
    found = list(ann.drafts.filter(submission_id="a-1").only("subject", "submission_id"))
    checks.equal([(m.subject, m.submission_id) for m in found], [("later", "a-1")],
                 "a draft is found by its extended property")
    draft.send(save_copy=True)
    checks.equal(ann.drafts.all().count(), 0, "a sent draft is gone from Drafts")
    checks.equal(ann.sent.filter(submission_id="a-1").count(), 1,
                 "the copy of a sent draft keeps its extended property")
    mime = Message(account=ann, folder=ann.drafts, mime_content=corpus("simple-multipart.eml"))
    mime.save()
    checks.equal(ann.drafts.get(id=mime.id).mime_content, corpus("simple-multipart.eml"),
                 "a draft made of MimeContent keeps it")


def folders(ann):
    project = Messages(parent=ann.inbox, name="Project")
    project.save()
    names = {f.name for f in ann.root.walk()}
    checks.ok({"Inbox", "Project", "Sent Items"} <= names, "all folders are found", names)
    ann.inbox.all()[0].move(project)
    project.refresh()
    checks.equal((project.total_count, project.unread_count), (1, 1), "a folder counts its items")
    project.delete()
    checks.ok("Project" not in {f.name for f in ann.inbox.children}, "a folder can be deleted")
    checks.ok(list(ann.root.tois.sync_hierarchy()), "the folder hierarchy can be synchronised")


def refusals(simulator):
    checks.raises(ErrorImpersonateUserDenied, lambda: account(simulator, CAROL).inbox.total_count,
                  "a mailbox that may not be impersonated raises ErrorImpersonateUserDenied")
    checks.raises(ErrorNonExistentMailbox,
                  lambda: account(simulator, "nobody@example.com").inbox.total_count,
                  "a mailbox that is not there raises ErrorNonExistentMailbox")
    checks.raises(UnauthorizedError,
                  lambda: account(simulator, ANN, password="wrong").inbox.total_count,
                  "a wrong password raises UnauthorizedError")
    simulator.control("impersonation", account="svc", grant=CAROL)
    checks.equal(account(simulator, CAROL).inbox.total_count, 0,
                 "a grant counts from the next request on")
    simulator.control("fault", soap="ErrorServerBusy", back_off=1500)
    checks.raises(ErrorServerBusy, lambda: account(simulator, ANN).inbox.total_count,
                  "a busy server raises ErrorServerBusy")


def main():
    simulator = Simulator("--account", "svc:secret", "--impersonation", f"svc:all,-{CAROL}",
                          "--account", f"{BOB}:bobs", "--mailbox", ANN, "--mailbox", BOB,
                          "--mailbox", CAROL, "--load", f"{ANN}:Inbox:{CORPUS}",
                          "--load", f"{BOB}:Inbox:{CORPUS / 'rfc2060.eml'}")
    ann = account(simulator, ANN)
    bob = account(simulator, BOB, user=BOB, password="bobs", access=DELEGATE)
    checks.equal(bob.inbox.all().count(), 1, "an account reaches its own mailbox directly")
    lists_and_reads(ann)
    searches(ann)
    changes(simulator, ann)
    sends(simulator, ann, bob)
    folders(ann)
    refusals(simulator)
    names = ann.protocol.resolve_names(["bob"])
    checks.ok(names and names[0].email_address == BOB, "names are resolved", names)
    status, said = simulator.stop()
    checks.equal((status, said), (0, ""), "every request and answer was valid, and the end is clean")
    checks.end()


main()
