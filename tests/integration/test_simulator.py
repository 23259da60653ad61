#!/usr/bin/python3
"""What the Exchange simulator answers: every operation, success and error, valid every time.

The simulator itself is told to check its answers; this test checks them once more by itself.
"""

import base64
import re
import sys

from exchange_simulator import (CORPUS, MESSAGES, REQUESTS, SCHEMA, TYPES, Checks, Client, Simulator,
                                envelope)

try:
    from lxml import etree
except ImportError:
    print("ok - the simulator's answers are valid # SKIP python3-lxml is missing")
    sys.exit(0)

checks = Checks()
ANN, BOB, CAROL = "ann@example.com", "bob@example.com", "carol@example.com"
NAMES = {"t": TYPES, "m": MESSAGES}
schema = etree.XMLSchema(etree.parse(str(SCHEMA / "soap.xsd")))
INBOX = '<t:DistinguishedFolderId Id="inbox"/>'


class Ews:
    """Operations for one mailbox; every answer is checked against the schema."""

    def __init__(self, simulator, mailbox=ANN):
        self.simulator, self.mailbox = simulator, mailbox
        self.client = Client(simulator.url)
        self.invalid = []

    def send(self, body, mailbox=None, kind="PrimarySmtpAddress"):
        request = envelope(body, mailbox or self.mailbox, kind)
        status, _, answer = self.client.post(request)
        return status, self.parse(answer)

    def parse(self, answer):
        document = etree.fromstring(answer, etree.XMLParser(huge_tree=True))
        if not schema.validate(document):
            self.invalid.append(str(schema.error_log))
        return document

    def __call__(self, body):
        """The response codes of the answer, and the answer."""
        _, document = self.send(body)
        return codes(document), document


def codes(document):
    return document.xpath("//m:ResponseCode/text()", namespaces=NAMES)


def fault(document):
    return "".join(document.xpath("//faultcode/text()"))


def find(document, path):
    return document.xpath(path, namespaces=NAMES)


def ids(*items):
    return "<m:ItemIds>" + "".join(f'<t:ItemId Id="{item}"/>' for item in items) + "</m:ItemIds>"


def get_item(*items, shape="IdOnly", mime=True, more=""):
    return (f"<m:GetItem><m:ItemShape><t:BaseShape>{shape}</t:BaseShape>"
            f"<t:IncludeMimeContent>{str(mime).lower()}</t:IncludeMimeContent>{more}</m:ItemShape>"
            f"{ids(*items)}</m:GetItem>")


def find_item(view="", rest="", shape="IdOnly", folder=INBOX):
    return (f'<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>{shape}</t:BaseShape>'
            f"</m:ItemShape>{view}{rest}<m:ParentFolderIds>{folder}</m:ParentFolderIds></m:FindItem>")


def page(offset, most, base="Beginning"):
    return (f'<m:IndexedPageItemView MaxEntriesReturned="{most}" Offset="{offset}" '
            f'BasePoint="{base}"/>')


def mark_read(item, suppress=None, resolution="AlwaysOverwrite", change_key=None):
    attribute = "" if suppress is None else f' SuppressReadReceipts="{suppress}"'
    key = "" if change_key is None else f' ChangeKey="{change_key}"'
    return (f'<m:UpdateItem MessageDisposition="SaveOnly" ConflictResolution="{resolution}"'
            f'{attribute}><m:ItemChanges><t:ItemChange><t:ItemId Id="{item}"{key}/><t:Updates>'
            '<t:SetItemField><t:FieldURI FieldURI="message:IsRead"/><t:Message>'
            "<t:IsRead>true</t:IsRead></t:Message></t:SetItemField></t:Updates></t:ItemChange>"
            "</m:ItemChanges></m:UpdateItem>")


def create(disposition, message, folder=""):
    return (f'<m:CreateItem MessageDisposition="{disposition}">{folder}<m:Items><t:Message>{message}'
            "</t:Message></m:Items></m:CreateItem>")


def mime_of(text):
    return f"<t:MimeContent>{base64.b64encode(text.encode()).decode()}</t:MimeContent>"


def send_item(simulator, *drafts, folder='<t:DistinguishedFolderId Id="sentitems"/>'):
    """SendItem with each draft's present ChangeKey, and a copy."""
    keys = [simulator.items(ANN, item=draft)[0]["change_key"] for draft in drafts]
    return send_item_as(*zip(drafts, keys), folder=folder)


def send_item_as(*pairs, folder='<t:DistinguishedFolderId Id="sentitems"/>'):
    items = "".join(f'<t:ItemId Id="{item}" ChangeKey="{key}"/>' for item, key in pairs)
    return (f'<m:SendItem SaveItemToFolder="true"><m:ItemIds>{items}</m:ItemIds>'
            f"<m:SavedItemFolderId>{folder}</m:SavedItemFolderId></m:SendItem>")


def recipients(kind, *addresses):
    boxes = "".join(f"<t:Mailbox><t:EmailAddress>{address}</t:EmailAddress></t:Mailbox>"
                    for address in addresses)
    return f"<t:{kind}Recipients>{boxes}</t:{kind}Recipients>"


def documented_requests(simulator, ews):
    for path in sorted(REQUESTS.glob("*.xml")):
        status, _, answer = Client(simulator.url, ANN, "anns").post(path.read_bytes())
        document = ews.parse(answer)
        checks.ok(status in (200, 500) and fault(document) != "a:ErrorSchemaValidation",
                  f"the documented request {path.stem} is understood", answer)


def listings(ews):
    _, whole = ews(find_item(shape="AllProperties"))
    everything = find(whole, "//t:ItemId/@Id")
    checks.equal(len(everything), 45, "FindItem lists all that is there")
    _, first = ews(find_item(page(0, 10)))
    _, second = ews(find_item(page(10, 10)))
    checks.equal(find(first, "//t:ItemId/@Id") + find(second, "//t:ItemId/@Id"), everything[:20],
                 "pages follow each other")
    root = find(first, "//m:RootFolder")[0]
    checks.equal(dict(root.attrib), {"IndexedPagingOffset": "10", "TotalItemsInView": "45",
                                     "IncludesLastItemInRange": "false"},
                 "a page says where the next one starts")
    _, last = ews(find_item(page(0, 10, "End")))
    checks.equal(find(last, "//t:ItemId/@Id"), everything[-10:], "BasePoint End pages from the end")
    ews.simulator.control("limits", page_size=7)
    _, limited = ews(find_item(page(0, 100)))
    checks.equal((len(find(limited, "//t:ItemId")), find(limited, "//m:RootFolder")[0]
                  .get("IncludesLastItemInRange")), (7, "false"), "the server limits a page")
    ews.simulator.control("limits", page_size=1000)
    received = find(whole, "//t:DateTimeReceived/text()")
    checks.ok(all(len(time) == 20 and time.endswith("Z") for time in received) and
              len(set(received)) < len(received), "received times have whole seconds, some shared")
    seek = ('<m:SeekToConditionPageItemView BasePoint="Beginning" MaxEntriesReturned="3">'
            '<t:Condition><t:IsEqualTo><t:FieldURI FieldURI="item:DateTimeReceived"/>'
            f'<t:FieldURIOrConstant><t:Constant Value="{received[20]}"/></t:FieldURIOrConstant>'
            "</t:IsEqualTo></t:Condition></m:SeekToConditionPageItemView>")
    _, sought = ews(find_item(seek))
    first_of_time = received.index(received[20])
    checks.equal(find(sought, "//t:ItemId/@Id"), everything[first_of_time:first_of_time + 3],
                 "SeekToCondition starts at the first item that fits")
    checks.equal(ews(find_item(folder='<t:FolderId Id="AAMk"/>'))[0], ["ErrorInvalidIdMalformed"],
                 "a malformed FolderId is refused")
    checks.equal(ews(find_item(folder='<t:DistinguishedFolderId Id="calendar"/>'))[0],
                 ["ErrorFolderNotFound"], "a folder that is not there is refused")
    return everything


def reading(ews, everything):
    got, document = ews(get_item(*everything, shape="AllProperties"))
    checks.equal(got, ["NoError"] * 45, "GetItem answers a batch, all properties and MIME")
    contents = sorted(base64.b64decode(text) for text in find(document, "//t:MimeContent/text()"))
    checks.equal(contents, sorted(path.read_bytes() for path in CORPUS.glob("*.eml")),
                 "MimeContent is what was loaded")
    checks.equal(ews(get_item("AAMk", everything[0].swapcase(), everything[0]))[0],
                 ["ErrorInvalidIdMalformed", "ErrorItemNotFound", "NoError"],
                 "each item of a batch has its own response")
    others = Ews(ews.simulator, BOB)
    checks.equal(others(get_item(everything[0]))[0], ["ErrorItemNotFound"],
                 "another mailbox's item is not found")


def odd_messages(ews):
    simulator = ews.simulator
    for subject, wanted in ((b"=?utf-8?Q?a_b?=\r\n =?iso-8859-1?B?6Q==?= c", "a b\u00e9 c"),
                            (b"caf\xe9 <&>", "caf\u00e9 <&>"), (b"bell \x07", "bell \ufffd"),
                            (b"=?broken?= =?x-none?Q?y?=", "=?broken?= y")):
        item = simulator.control("add-mail", b"Subject: " + subject + b"\n\nx", mailbox=ANN)["ids"][0]
        _, document = ews(get_item(item, shape="Default"))
        checks.equal(find(document, "//t:Subject/text()"), [wanted], f"a subject reads {wanted!r}")
        simulator.control("delete", item=item)
    for kind, element in (("IPM.Schedule.Meeting.Request", "MeetingRequest"),
                          ("IPM.Schedule.Meeting.Resp.Pos", "MeetingResponse"),
                          ("IPM.Schedule.Meeting.Canceled", "MeetingCancellation"),
                          ("REPORT.IPM.Note.NDR", "Message"), ("IPM.Note.SMIME", "Message")):
        item = simulator.control("add-mail", b"Subject: s\n\nx", mailbox=ANN, **{"class": kind})
        got, document = ews(get_item(item["ids"][0], shape="AllProperties"))
        checks.ok(got == ["NoError"] and find(document, f"//t:{element}/t:MimeContent") and
                  find(document, "//t:ItemClass/text()") == [kind], f"{kind} is a {element} with MIME")
        simulator.control("delete", item=item["ids"][0])


def changing(ews):
    simulator = ews.simulator
    item = simulator.items(ANN, "Inbox")[0]
    got, document = ews(mark_read(item["id"], "true"))
    again = simulator.items(ANN, item=item["id"])[0]
    checks.ok(got == ["NoError"] and again["read"] and again["change_key"] != item["change_key"] and
              find(document, "//t:ItemId/@ChangeKey") == [again["change_key"]],
              "UpdateItem marks read and answers the new ChangeKey")
    checks.equal(ews(mark_read(item["id"], resolution="NeverOverwrite",
                               change_key=item["change_key"]))[0], ["ErrorIrresolvableConflict"],
                 "NeverOverwrite refuses an old ChangeKey")
    for operation in "MoveItem", "CopyItem":
        got, document = ews(f"<m:{operation}><m:ToFolderId>"
                            f'<t:DistinguishedFolderId Id="junkemail"/></m:ToFolderId>'
                            f"{ids(item['id'], item['id'])}</m:{operation}>")
        wanted = ["NoError", "ErrorItemNotFound"] if operation == "MoveItem" else ["NoError"] * 2
        checks.equal(got, wanted, f"{operation} answers for each item")
        item = simulator.items(ANN, "junkemail")[0]
    checks.equal(ews(f"<m:MoveItem><m:ToFolderId>{INBOX.replace('inbox', 'tasks')}</m:ToFolderId>"
                     f"{ids(item['id'])}</m:MoveItem>")[0], ["ErrorToFolderNotFound"],
                 "a move to a folder that is not there is refused")
    for kind, left in ("MoveToDeletedItems", "deleteditems"), \
            ("SoftDelete", "recoverableitemsdeletions"):
        item = simulator.items(ANN, "junkemail")[0]
        ews(f'<m:DeleteItem DeleteType="{kind}">{ids(item["id"])}</m:DeleteItem>')
        found = [i["search_key"] for i in simulator.items(ANN, left)]
        checks.ok(item["search_key"] in found, f"{kind} leaves the item, with its search key")
    item = simulator.items(ANN, "junkemail")[0]
    got = ews(f'<m:DeleteItem DeleteType="HardDelete">{ids(item["id"], item["id"])}</m:DeleteItem>')
    checks.equal(got[0], ["NoError", "ErrorItemNotFound"], "HardDelete deletes once")
    name = "<m:Folders><t:Folder><t:DisplayName>New</t:DisplayName></t:Folder></m:Folders>"
    make = f"<m:CreateFolder><m:ParentFolderId>{INBOX}</m:ParentFolderId>{name}</m:CreateFolder>"
    checks.equal((ews(make)[0], ews(make)[0]), (["NoError"], ["ErrorFolderExists"]),
                 "CreateFolder makes a folder once")
    before = {i["id"] for i in simulator.items(ANN)}
    keys = {i["search_key"] for i in simulator.items(ANN)}
    simulator.control("renew-ids", mailbox=ANN)
    after = {i["id"] for i in simulator.items(ANN)}
    checks.ok(len(after) == len(before) and not before & after and
              keys == {i["search_key"] for i in simulator.items(ANN)},
              "all ItemIds of a mailbox can change at once, and nothing else")
    checks.equal(ews(get_item(before.pop()))[0], ["ErrorItemNotFound"],
                 "an id from before is not found")


def sending(ews):
    simulator = ews.simulator
    text = f"From: {ANN}\nTo: Bob <{BOB}>\nBcc: {CAROL}\nSubject: s\n\nline\n"
    got, document = ews(create("SaveOnly", mime_of(text)))
    draft = find(document, "//t:ItemId/@Id")[0]
    checks.ok(got == ["NoError"] and simulator.items(ANN, item=draft)[0]["draft"],
              "CreateItem SaveOnly makes a draft")
    simulator.control("transport", state="stopped")
    checks.ok(ews(send_item(simulator, draft))[0] == ["NoError"] and simulator.items(ANN, item=draft)[0]["submitted"],
              "with Transport stopped, a submitted message waits in Drafts")
    simulator.control("transport", state="running", sent_items="held")
    checks.ok(simulator.items(BOB, "Inbox", subject="s") and
              not simulator.items(ANN, "Sent Items", subject="s") and
              not simulator.items(ANN, item=draft),
              "a held copy appears later than the message arrives")
    simulator.control("transport", sent_items="immediate")
    checks.equal(len(simulator.items(ANN, "Sent Items", subject="s")), 1, "and then it is there")
    delivered = simulator.control_raw("mime", mailbox=CAROL, subject="s")[1]
    checks.equal(delivered, text.replace(f"Bcc: {CAROL}\n", "").replace("\n", "\r\n").encode(),
                 "a delivered message has no Bcc, and CRLF")
    checks.equal(ews(create("SendOnly", "<t:Subject>to nobody</t:Subject>"))[0],
                 ["ErrorInvalidRecipients"], "a message without recipients is refused")
    checks.equal(ews(create("SaveOnly", "<t:MimeContent>%%%</t:MimeContent>"))[0],
                 ["ErrorMimeContentInvalidBase64String"], "MimeContent that is no base64 is refused")
    checks.equal(ews(create("SendOnly", mime_of(f"To: x@elsewhere.example\n\n")))[0], ["NoError"],
                 "a message to elsewhere is taken")
    checks.equal(simulator.counter("messages_relayed"), 1, "and counted")


def make_draft(ews, message):
    _, document = ews(create("SaveOnly", message))
    return find(document, "//t:ItemId/@Id")[0], find(document, "//t:ItemId/@ChangeKey")[0]


def sending_drafts_again(ews):
    simulator = ews.simulator
    drafts = [make_draft(ews, mime_of(f"To: {BOB}\nSubject: again {i}\n\n")) for i in range(3)]
    without_key = f'<m:SendItem SaveItemToFolder="true">{ids(drafts[0][0])}</m:SendItem>'
    checks.equal(ews(without_key)[0], ["ErrorChangeKeyRequired"], "SendItem needs a ChangeKey")
    checks.equal(ews(send_item_as(*drafts, drafts[0]))[0], ["NoError"] * 3 + ["ErrorItemNotFound"],
                 "a batch is sent, and what has gone out is not found")
    checks.equal(sorted(i["subject"] for i in simulator.items(BOB) if "again" in i["subject"]),
                 ["again 0", "again 1", "again 2"], "each has gone out once")
    simulator.control("transport", state="stopped")
    draft, key = make_draft(ews, mime_of(f"To: {BOB}\nSubject: twice\n\n"))
    checks.equal(ews(send_item_as((draft, key)))[0], ["NoError"], "a draft is submitted")
    shape = ("<t:AdditionalProperties><t:FieldURI FieldURI='item:IsSubmitted'/>"
             "<t:FieldURI FieldURI='item:IsDraft'/></t:AdditionalProperties>")
    _, document = ews(get_item(draft, mime=False, more=shape))
    checks.equal(find(document, "//t:IsSubmitted/text()"), ["true"], "GetItem shows that it is")
    checks.ok(find(document, "//t:ItemId/@ChangeKey")[0] != key, "under another ChangeKey")
    checks.equal((ews(send_item_as((draft, key)))[0], ews(send_item(simulator, draft))[0]),
                 (["ErrorIrresolvableConflict"], ["ErrorItemNotFound"]),
                 "and it cannot be submitted once more")
    gone, key = make_draft(ews, mime_of(f"To: {BOB}\nSubject: removed\n\n"))
    ews(send_item_as((gone, key)))
    simulator.control("delete", item=gone)
    simulator.control("transport", state="running")
    checks.equal([len(simulator.items(box, subject=subject)) for box, subject in
                  ((BOB, "twice"), (ANN, "twice"), (BOB, "removed"))], [1, 1, 0],
                 "running again, Transport takes what is still there, once")


def recipients_as_properties(ews):
    simulator = ews.simulator
    simulator.control("counters", reset=1)
    text = (f"From: {ANN}\nTo: {CAROL}\nCc: nobody@example.com\nBcc: x@elsewhere.example\n"
            "Subject: properties\n\nbody\n")
    to, cc, bcc = recipients("To", BOB, BOB.upper()), recipients("Cc", BOB), recipients("Bcc", CAROL)
    draft, key = make_draft(ews, mime_of(text) + to + cc + bcc)
    _, document = ews(get_item(draft, shape="AllProperties", mime=False))
    found = {kind: find(document, f"//t:{kind}Recipients//t:EmailAddress/text()")
             for kind in ("To", "Cc", "Bcc")}
    checks.equal(found, {"To": [BOB, BOB.upper()], "Cc": [BOB], "Bcc": [CAROL]},
                 "recipients as properties hold instead of the header's")
    checks.equal(ews(send_item_as((draft, key)))[0], ["NoError"], "such a draft is sent")
    checks.equal([len(simulator.items(box, "Inbox", subject="properties")) for box in (BOB, CAROL)],
                 [1, 1], "each recipient gets it once, however often it is named")
    for box in BOB, CAROL:
        mime = simulator.control_raw("mime", mailbox=box, subject="properties")[1]
        checks.ok(b"bcc" not in mime.lower() and CAROL.encode() not in mime and
                  mime.endswith(b"\r\n\r\nbody\r\n"), f"no Bcc is in what {box} gets", mime)
    copy = simulator.items(ANN, "Sent Items", subject="properties")[0]["id"]
    _, document = ews(get_item(copy, shape="AllProperties", mime=False))
    checks.equal(find(document, "//t:BccRecipients//t:EmailAddress/text()"), [CAROL],
                 "the sender's copy tells of it")
    kept = f"From: {ANN}\r\nTo: \"Bob, B.\" <{BOB}>\r\nSubject: kept\r\n\r\n"
    draft, key = make_draft(ews, mime_of(kept) + recipients("To", BOB) +
                            recipients("Bcc", "y@elsewhere.example", "Y@elsewhere.example"))
    ews(send_item_as((draft, key)))
    checks.equal(simulator.control_raw("mime", mailbox=BOB, subject="kept")[1], kept.encode(),
                 "a header that names the same recipients stays as it is")
    checks.equal([simulator.counter(f"messages_{what}")
                  for what in ("submitted", "delivered", "relayed")], [2, 3, 1],
                 "submissions, deliveries and relayed recipients are counted")


def copies_that_a_person_deletes(ews):
    simulator = ews.simulator
    simulator.control("transport", sent_items="deleted")
    draft = make_draft(ews, mime_of(f"To: {BOB}\nSubject: no copy\n\n"))
    checks.equal((ews(send_item_as(draft))[0], len(simulator.items(BOB, subject="no copy")),
                  len(simulator.items(ANN, subject="no copy"))), (["NoError"], 1, 0),
                 "a copy can be deleted at once")
    simulator.control("transport", sent_items="held")
    ews(create("SendAndSaveCopy", mime_of(f"To: {BOB}\nSubject: late\n\n")))
    simulator.control("transport", sent_items="deleted")
    simulator.control("transport", sent_items="immediate")
    checks.equal(len(simulator.items(ANN, "Sent Items", subject="late")), 0, "or after it was held")
    ews(create("SendAndSaveCopy", mime_of(f"To: {BOB}\nSubject: swept\n\n")))
    simulator.control("delete", mailbox=ANN, folder="Sent Items", subject="swept")
    checks.equal((len(simulator.items(ANN, subject="swept")),
                  len(simulator.items(BOB, subject="swept"))), (0, 1), "or by hand")
    checks.equal(simulator.control_raw("transport", sent_items="lost")[0], 400,
                 "what cannot become of a copy is refused")


def servers_that_send_no_drafts(ews):
    simulator = ews.simulator
    draft = make_draft(ews, mime_of(f"To: {BOB}\nSubject: direct\n\n"))
    simulator.control("transport", send_item="no")
    status, document = ews.send(send_item_as(draft))
    checks.equal((status, fault(document)), (500, "a:ErrorInvalidRequest"),
                 "a server that cannot send drafts refuses SendItem")
    checks.ok(simulator.items(ANN, item=draft[0])[0]["draft"], "and leaves the draft")
    checks.equal(ews(create("SendAndSaveCopy", mime_of(f"To: {BOB}\nSubject: at once\n\n")))[0],
                 ["NoError"], "but sends in one step")
    simulator.control("transport", send_item="yes")
    checks.equal(ews(send_item_as(draft))[0], ["NoError"], "and can be another server again")


SUBMISSION = ('<t:ExtendedFieldURI DistinguishedPropertySetId="PublicStrings" '
              'PropertyName="exsyncd-submission-id" PropertyType="String"/>')
ON_THE_WAY = "".join(f'<t:DistinguishedFolderId Id="{name}"/>'
                     for name in ("drafts", "outbox", "sentitems"))


def submission(text, number, recipients):
    """A message with a submission id; its recipients are properties of their own."""
    return (mime_of(text) + f"<t:ExtendedProperty>{SUBMISSION}<t:Value>id-{number}</t:Value>"
            "</t:ExtendedProperty>" + recipients)


def search(*numbers):
    """How many items with one of the submission ids are in Drafts, Outbox and Sent Items."""
    tests = "".join(f"<t:IsEqualTo>{SUBMISSION}<t:FieldURIOrConstant>"
                    f'<t:Constant Value="id-{number}"/></t:FieldURIOrConstant></t:IsEqualTo>'
                    for number in numbers)
    if len(numbers) > 1:
        tests = f"<t:Or>{tests}</t:Or>"
    return ('<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>'
            '<t:AdditionalProperties><t:FieldURI FieldURI="item:IsSubmitted"/>'
            f"{SUBMISSION}</t:AdditionalProperties></m:ItemShape>{page(0, 500)}"
            f"<m:Restriction>{tests}</m:Restriction>"
            f"<m:ParentFolderIds>{ON_THE_WAY}</m:ParentFolderIds></m:FindItem>")


def counts(ews, *numbers):
    got, document = ews(search(*numbers))
    return got, [int(total) for total in find(document, "//m:RootFolder/@TotalItemsInView")]


def submissions(ews):
    simulator = ews.simulator
    mailbox = "<t:Mailbox><t:EmailAddress>{}</t:EmailAddress></t:Mailbox>"
    people = (f"<t:ToRecipients>{mailbox.format(BOB)}</t:ToRecipients>"
              f"<t:BccRecipients>{mailbox.format(CAROL)}</t:BccRecipients>")
    text = f"From: {ANN}\nTo: Bob <{BOB}>\nSubject: submission\n\nline\n"
    drafts = [find(ews(create("SaveOnly", submission(text, number, people)))[1], "//t:ItemId")[0]
              for number in (1, 2, 3)]
    checks.equal(counts(ews, 1, 3, 4), (["NoError"] * 3, [2, 0, 0]),
                 "drafts are found by their submission ids, each folder for itself")
    simulator.control("transport", state="stopped")
    checks.equal(ews(send_item_as((drafts[0].get("Id"), drafts[0].get("ChangeKey"))))[0], ["NoError"],
                 "a draft with a submission id is submitted")
    document = ews(search(1))[1]
    checks.equal(find(document, "//t:IsSubmitted/text()") + find(document, "//t:Value/text()"),
                 ["true", "id-1"], "its search says that it was submitted, and its id")
    ews(create("SendAndSaveCopy", submission(text, 4, people)))
    checks.equal(counts(ews, 1, 2, 4)[1], [2, 1, 0], "what is sent directly waits in the Outbox")
    simulator.control("transport", state="running")
    checks.equal(counts(ews, 1, 2, 3, 4)[1], [2, 0, 2], "the copies keep their submission ids")
    arrived = [simulator.control_raw("mime", mailbox=mailbox, subject="submission")[1]
               for mailbox in (BOB, CAROL)]
    checks.ok(arrived[0] == arrived[1] and CAROL.encode() not in arrived[0],
              "a recipient that is only a property gets the message too, and nobody sees it",
              arrived)


def sending_into_a_folder_that_goes(ews):
    simulator = ews.simulator
    simulator.control("create-folder", mailbox=ANN, folder="Archive")
    archive = next(f["id"] for f in simulator.control("folders", mailbox=ANN)["folders"]
                   if f["name"] == "Archive")
    simulator.control("transport", state="stopped")
    ews(create("SendAndSaveCopy", mime_of(f"To: {BOB}\nSubject: archived\n\n"),
               f'<m:SavedItemFolderId><t:FolderId Id="{archive}"/></m:SavedItemFolderId>'))
    got = ews('<m:DeleteFolder DeleteType="HardDelete"><m:FolderIds>'
              f'<t:FolderId Id="{archive}"/></m:FolderIds></m:DeleteFolder>')[0]
    checks.equal((got, len(simulator.items(ANN, "Outbox"))), (["NoError"], 1),
                 "a submitted message waits in the Outbox")
    simulator.control("transport", state="running")
    checks.equal(len(simulator.items(ANN, "Sent Items", subject="archived")), 1,
                 "its copy goes to Sent Items when its folder is gone")


def read_receipts(ews):
    simulator = ews.simulator
    text = f"From: {BOB}\r\nDisposition-Notification-To: {BOB}\r\nSubject: tell me\r\n\r\nx"
    before = simulator.counter("read_receipts")
    new = [simulator.control("add-mail", text, mailbox=ANN)["ids"][0] for _ in range(4)]
    ews(mark_read(new[0], "true"))
    ews(f'<m:DeleteItem DeleteType="HardDelete" SuppressReadReceipts="true">{ids(new[1])}'
        "</m:DeleteItem>")
    checks.equal(simulator.counter("read_receipts"), before, "suppressed receipts are not sent")
    ews(mark_read(new[2]))
    ews(f'<m:DeleteItem DeleteType="HardDelete">{ids(new[3])}</m:DeleteItem>')
    checks.equal(simulator.counter("read_receipts"), before + 2,
                 "reading and deleting cause a receipt when they are not suppressed")
    subjects = [i["subject"] for i in simulator.items(BOB, "Inbox")]
    checks.ok({"Read: tell me", "Not read: tell me"} <= set(subjects),
              "the author gets them as mail", subjects)


def impersonation(ews):
    simulator = ews.simulator
    sid = next(m["sid"] for m in simulator.control("mailboxes")["mailboxes"] if m["address"] == ANN)
    folder = ("<m:GetFolder><m:FolderShape><t:BaseShape>Default</t:BaseShape></m:FolderShape>"
              f"<m:FolderIds>{INBOX}</m:FolderIds></m:GetFolder>")
    for kind, value in (("PrincipalName", ANN), ("SID", sid), ("PrimarySmtpAddress", ANN.upper()),
                        ("SmtpAddress", ANN)):
        status, document = ews.send(folder, value, kind)
        checks.ok(status == 200 and codes(document) == ["NoError"], f"a mailbox is known by {kind}")
    simulator.control("impersonation", account="svc", revoke=CAROL)
    for value, wanted in ((CAROL, "a:ErrorImpersonateUserDenied"),
                          ("nobody@example.com", "a:ErrorNonExistentMailbox")):
        status, document = ews.send(folder, value)
        checks.equal((status, fault(document)), (500, wanted), f"{value} gets {wanted[2:]}")
    status, document = ews.send(folder, "not-a-sid", "SID")
    checks.equal((status, fault(document)), (500, "a:ErrorInvalidSid"), "no SID gets ErrorInvalidSid")
    simulator.control("impersonation", account="svc", grant=CAROL)
    checks.equal(ews.send(folder, CAROL)[0], 200, "a grant counts at once")
    status, headers, _ = Client(simulator.url, "svc", "wrong").post(envelope(folder, ANN))
    checks.ok(status == 401 and headers["WWW-Authenticate"].startswith("Basic"),
              "a wrong password gets 401 and a challenge")
    status, _, answer = Client(simulator.url).post(envelope(folder))
    checks.equal(codes(ews.parse(answer)), ["ErrorMissingEmailAddress"],
                 "an account without a mailbox must impersonate")
    simulator.control("account", name="svc", password="new")
    checks.equal(Client(simulator.url).post(envelope(folder, ANN))[0], 401,
                 "a changed password counts at once")
    simulator.control("account", name="svc", password="secret")


def odd_operations(ews):
    for body in ("<m:ResolveNames ReturnFullContactData='false'><m:UnresolvedEntry>ann"
                 "</m:UnresolvedEntry></m:ResolveNames>",
                 "<m:GetServerTimeZones ReturnFullTimeZoneData='true'/>",
                 "<m:SyncFolderHierarchy><m:FolderShape><t:BaseShape>AllProperties</t:BaseShape>"
                 "</m:FolderShape></m:SyncFolderHierarchy>",
                 "<m:FindFolder Traversal='Deep'><m:FolderShape><t:BaseShape>AllProperties"
                 "</t:BaseShape></m:FolderShape><m:ParentFolderIds>"
                 "<t:DistinguishedFolderId Id='root'/></m:ParentFolderIds></m:FindFolder>"):
        checks.equal(ews(body)[0], ["NoError"], f"{re.match('<m:([A-Za-z]+)', body)[1]} answers")
    checks.equal(fault(ews.send("<m:GetRoomLists/>")[1]), "a:ErrorInvalidRequest",
                 "an operation that is not simulated is refused")


def main():
    simulator = Simulator("--account", "svc:secret", "--impersonation", "svc:all",
                          "--account", f"{ANN}:anns", "--mailbox", ANN, "--mailbox", BOB,
                          "--mailbox", CAROL, "--load", f"{ANN}:Inbox:{CORPUS}")
    ews = Ews(simulator)
    everything = listings(ews)
    reading(ews, everything)
    odd_messages(ews)
    changing(ews)
    sending(ews)
    sending_drafts_again(ews)
    recipients_as_properties(ews)
    copies_that_a_person_deletes(ews)
    servers_that_send_no_drafts(ews)
    submissions(ews)
    sending_into_a_folder_that_goes(ews)
    read_receipts(ews)
    impersonation(ews)
    odd_operations(ews)
    documented_requests(simulator, ews)
    checks.equal(ews.invalid, [], "every answer was valid against the schema")
    status, said = simulator.stop()
    checks.equal((status, said), (0, ""), "the simulator thinks so too, and ends cleanly")

    plain = Simulator("--account", "svc:secret", "--impersonation", "svc:all", "--mailbox", ANN,
                      "--no-send-item")
    checks.equal(fault(Ews(plain).send(send_item_as(("x", "y")))[1]), "a:ErrorInvalidRequest",
                 "a server can be without SendItem from the start")
    plain.stop()
    strict = Simulator("--account", "svc:secret", "--impersonation", "svc:all", "--mailbox", ANN)
    status, document = Ews(strict).send("<m:GetItem><m:Wrong/></m:GetItem>")
    checks.equal((status, fault(document)), (500, "a:ErrorSchemaValidation"),
                 "an invalid request gets ErrorSchemaValidation")
    status, said = strict.stop()
    checks.ok(status == 3 and "invalid request GetItem" in said,
              "and makes a strict simulator end with status 3", (status, said))
    checks.end()


main()
