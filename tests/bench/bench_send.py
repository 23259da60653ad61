"""Sending: messages of the corpus from an outbox through the simulated Exchange into other
mailboxes, by exsyncd, the two floors (floor_send.c) and the peer (peer_send.py). The bare floor posts
requests and does nothing else; the other one keeps the promises that exsyncd makes of mail in its
outbox (floor_outbox.h).

Each mailbox sends to the next. What they all send is written once, before the first run: as it
goes out (CRLF), and for the floor once more in base64.
"""

import base64
import os
import shutil
import sys
import time

from measure import (CONNECTIONS, CORPUS, PATTERN, SENDING, Exchange, Exsyncd, Run, Wrong,
                     addresses, check_same_work, envelope, floor_plan_head, run_floor, run_peer)
from mail import readdressed

TITLE = "sending"
MAILBOXES = CONNECTIONS
MESSAGES = 450       # a mailbox; ten times the corpus, so that the mix is that of the corpus
PEER_MESSAGES = 90   # the peer needs longer
PEER_BATCH = 20      # measured: CPU as with 10 and 50, the least memory
FLOOR = "keeping"    # the one that exsyncd is judged by
SIMULATOR_IS_LIGHT = False  # it has to read and keep what it is sent


# --- the job -------------------------------------------------------------------------------------


class Mail:
    """The messages of all mailboxes, in files."""

    def __init__(self, base, count):
        self.count = count
        self.plain, self.encoded = base / "plain", base / "encoded"
        corpus = sorted(CORPUS.glob("*.eml"))
        for sender, recipient in self.ways():
            for folder in (self.plain, self.encoded):
                (folder / sender).mkdir(parents=True)
            for number in range(count):
                content = readdressed(corpus[number % len(corpus)], sender, recipient,
                                      self.subject(number))
                content = content.removesuffix(b"\n").replace(b"\n", b"\r\n") + b"\r\n"
                self.path(sender, number).write_bytes(content)
                self.encoded_path(sender, number).write_bytes(base64.b64encode(content))

    @staticmethod
    def ways():
        """Who sends to whom."""
        senders = addresses(MAILBOXES)
        return zip(senders, senders[1:] + senders[:1])

    @staticmethod
    def subject(number):
        return f"bench {number:05d}"

    def path(self, sender, number):
        return self.plain / sender / f"{number:05d}.eml"

    def encoded_path(self, sender, number):
        return self.encoded / sender / f"{number:05d}.eml"


def received(exchange):
    return exchange.counters().get("messages_delivered", 0)


def check_received(exchange, messages):
    """That each message has come, once, where it was to go."""
    wanted = [Mail.subject(number) for number in range(messages)]
    for address in addresses(MAILBOXES):
        found = sorted(item["subject"] for item in exchange.items(address, "Inbox"))
        if found != wanted:
            raise Wrong(f"{address} has {len(found)} messages, not each of {messages} once")


# --- exsyncd -------------------------------------------------------------------------------------


def submit(outbox, mail, messages):
    """Puts all messages into the outbox of a daemon that is not running, the mailboxes by turns."""
    for name in ("tmp", "new"):
        (outbox.folder / name).mkdir(parents=True)
    for number in range(messages):
        for address in addresses(MAILBOXES):
            outbox.submit(mail.path(address, number).read_bytes())
    os.sync()


def run_exsyncd(folder, exchange, mail, messages):
    total = MAILBOXES * messages
    daemon = Exsyncd(folder, exchange, addresses(MAILBOXES), SENDING)
    submit(daemon.outbox, mail, messages)
    begin = time.monotonic()
    daemon.start()
    daemon.until(lambda: received(exchange) >= total, f"{total} messages are sent", 300)
    seconds = time.monotonic() - begin
    daemon.until(lambda: not daemon.outbox.leftover(), "the outbox is empty", 60)
    left = [address for address in addresses(MAILBOXES) if exchange.items(address, "Drafts")]
    if daemon.outbox.failed() or left:
        raise Wrong(f"refused: {daemon.outbox.failed()}; drafts are left in {left}")
    peak = daemon.memory_kb()
    return Run(total, seconds, daemon.stop(), peak)


# --- the floor -----------------------------------------------------------------------------------

# As exsyncd asks: ews/ews_request_send.c.
CREATE_ITEM = ('<m:CreateItem MessageDisposition="SaveOnly"><m:SavedItemFolderId>'
               '<t:DistinguishedFolderId Id="drafts"/></m:SavedItemFolderId><m:Items>',
               '</m:Items></m:CreateItem>')
MESSAGE = ('<t:Message><t:MimeContent CharacterSet="UTF-8">',
           '</t:MimeContent><t:ExtendedProperty><t:ExtendedFieldURI '
           'DistinguishedPropertySetId="PublicStrings" PropertyName="exsyncd-submission-id" '
           'PropertyType="String"/><t:Value>0190a7c4-5d1e-7000-8000-0123456789ab</t:Value>'
           '</t:ExtendedProperty><t:ToRecipients><t:Mailbox><t:EmailAddress>{recipient}'
           '</t:EmailAddress></t:Mailbox></t:ToRecipients></t:Message>')
SEND_ITEM = ('<m:SendItem SaveItemToFolder="true"><m:ItemIds>{ids}</m:ItemIds>'
             '<m:SavedItemFolderId><t:DistinguishedFolderId Id="sentitems"/>'
             '</m:SavedItemFolderId></m:SendItem>')


def text_part(text):
    return b"text %d\n%s\n" % (len(text), text)


def outbox_name(sender, number):
    return f"{sender}.{number:05d}"


def content_part(mail, sender, number, keeps):
    path = mail.encoded_path(sender, number)
    what = f"encode {{}} {outbox_name(sender, number)}" if keeps else f"file {{}} {path}"
    return what.format(path.stat().st_size).encode() + b"\n"


def create_request(mail, sender, recipient, numbers, keeps):
    """The plan's lines for a CreateItem request of these messages."""
    head, tail = envelope(sender, "".join(CREATE_ITEM)).split(CREATE_ITEM[1].encode())
    opening, closing = MESSAGE[0].encode(), MESSAGE[1].format(recipient=recipient).encode()
    parts = [b"request 0\n"]
    between = head + opening
    for number in numbers:
        parts += [text_part(between), content_part(mail, sender, number, keeps)]
        between = closing + opening
    parts.append(text_part(closing + CREATE_ITEM[1].encode() + tail))
    return b"".join(parts)


def send_request(sender, items):
    ids = "".join(f'<t:ItemId Id="{item["id"]}" ChangeKey="{item["change_key"]}"/>'
                  for item in items)
    return b"request %d\n" % len(items) + text_part(envelope(sender, SEND_ITEM.format(ids=ids)))


def fill_floor_outbox(outbox, mail, messages):
    (outbox / "new").mkdir(parents=True)
    for sender, _ in mail.ways():
        for number in range(messages):
            shutil.copyfile(mail.path(sender, number), outbox / "new" / outbox_name(sender, number))


def write_floor_plan(path, exchange, mail, messages, requests, outbox):
    """As many requests of each kind, over all mailboxes. What a SendItem request names are drafts
    that were there before: those that the floor makes stay, for it does not read the answers."""
    with open(path, "wb") as file:
        file.write(floor_plan_head(exchange))
        if outbox:
            file.write(f"outbox {outbox}\n".encode())
        for place, (sender, recipient) in enumerate(mail.ways()):
            batches = max(1, requests // MAILBOXES + (place < requests % MAILBOXES))
            file.write(f"mailbox {sender}\n".encode())
            drafts = sorted(exchange.items(sender, "Drafts"), key=lambda item: item["source"])
            if len(drafts) != messages:
                raise Wrong(f"{sender} has {len(drafts)} drafts, not {messages}")
            for batch in range(batches):
                numbers = range(batch * messages // batches, (batch + 1) * messages // batches)
                file.write(create_request(mail, sender, recipient, numbers, outbox is not None))
                file.write(send_request(sender, [drafts[number] for number in numbers]))


def run_the_floor(folder, exchange, mail, messages, requests, outbox=None):
    folder.mkdir(exist_ok=True)
    plan = folder / "plan"
    write_floor_plan(plan, exchange, mail, messages, requests, outbox)
    os.sync()
    return run_floor("bench-floor-send", plan, MAILBOXES * messages)


def run_the_keeping_floor(folder, exchange, mail, messages, requests):
    outbox = folder / "outbox"
    fill_floor_outbox(outbox, mail, messages)
    result = run_the_floor(folder, exchange, mail, messages, requests, outbox)
    left = [name for part in ("new", "intake", "queue", "kept")
            for name in os.listdir(outbox / part)]
    if left:
        raise Wrong(f"the floor has left {len(left)} files")
    return result


# --- the peer ------------------------------------------------------------------------------------


def run_the_peer(folder, exchange, mail, messages):
    folder.mkdir()
    return run_peer("peer_send.py", folder, exchange, MAILBOXES * messages, PEER_BATCH,
                    [[address, str(mail.plain / address), messages]
                     for address in addresses(MAILBOXES)])


# --- rounds --------------------------------------------------------------------------------------


def measure(run, folder, certificate, mail, messages, *rest, drafts=False):
    """One run in a folder and with an Exchange that are fresh and then go."""
    loads = [word for address in addresses(MAILBOXES)
             for word in ("--load", f"{address}:Drafts:{mail.plain / address}")] if drafts else []
    exchange = Exchange("--mailboxes", MAILBOXES, "--mailbox-pattern", PATTERN, *loads,
                        certificate=certificate)
    before = exchange.cpu_seconds()
    result = run(folder, exchange, mail, messages, *rest)
    result.add_exchange(exchange, before, ("CreateItem", "SendItem"))
    check_received(exchange, messages)
    exchange.kill()
    shutil.rmtree(folder)
    return result


def run_rounds(base, rounds, messages, certificate):
    base = base / ("tls" if certificate else "plain")
    mail = Mail(base, messages)
    runs = {"exsyncd": [], "keeping": [], "floor": [], "peer": []}
    for number in range(rounds):
        print(f"  round {number + 1} of {rounds}, sending, "
              f"{'TLS' if certificate else 'plain HTTP'} ...", file=sys.stderr, flush=True)
        exsyncd = measure(run_exsyncd, base / "exsyncd", certificate, mail, messages)
        floor = measure(run_the_floor, base / "floor", certificate, mail, messages,
                        exsyncd.requests["CreateItem"], drafts=True)
        keeping = measure(run_the_keeping_floor, base / "keeping", certificate, mail, messages,
                          exsyncd.requests["CreateItem"], drafts=True)
        check_same_work(exsyncd, floor)
        check_same_work(exsyncd, keeping)
        peer = measure(run_the_peer, base / "peer", certificate, mail,
                       min(messages, PEER_MESSAGES))
        for name, run in (("exsyncd", exsyncd), ("keeping", keeping), ("floor", floor),
                          ("peer", peer)):
            runs[name].append(run)
    shutil.rmtree(base)
    return runs
