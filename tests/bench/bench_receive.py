"""Receiving: mail of the simulated Exchange into Maildirs, by exsyncd, the floor (floor.c) and the
peer (peer_receive.py)."""

import os
import shutil
import sys
import time

from measure import (CONNECTIONS, CORPUS, Exsyncd, Run, Wrong, addresses, check_same_work, envelope,
                     exchange_with_corpus, floor_plan_head, run_floor, run_peer)

MAILBOXES = CONNECTIONS
MESSAGES = 450       # a mailbox; ten times the corpus, so that the mix is that of the corpus
PEER_MESSAGES = 90   # the peer needs longer
PEER_BATCH = 50      # measured: fastest together with 20 and 100, and memory as with 20
TITLE = "receiving"
FLOOR = "floor"  # it writes, syncs and renames as exsyncd does
SIMULATOR_IS_LIGHT = True  # it answers with what it has prepared

# --- the job -------------------------------------------------------------------------------------


def lf_sizes():
    """How many bytes of each message of the corpus are delivered, by its file's name."""
    return {path.name: len(path.read_bytes().replace(b"\r\n", b"\n"))
            for path in CORPUS.glob("*.eml")}


def check_maildirs(folder, mailboxes, messages, size):
    """That the messages are all there, in full."""
    count = total = 0
    for address in addresses(mailboxes):
        for entry in os.scandir(folder / "mail" / address / "new"):
            count += 1
            total += entry.stat().st_size
    if (count, total) != (mailboxes * messages, size):
        raise Wrong(f"there are {count} messages of {total} bytes, not "
                    f"{mailboxes * messages} of {size}")


def make_maildirs(folder, mailboxes, names):
    for address in addresses(mailboxes):
        for name in names:
            (folder / "mail" / address / name).mkdir(parents=True)


# --- exsyncd -------------------------------------------------------------------------------------


def run_exsyncd(folder, exchange, messages):
    daemon = Exsyncd(folder, exchange, addresses(MAILBOXES), process_email_from="2000-01-01",
                     poll_interval="1h")
    begin = time.monotonic()
    daemon.start()
    daemon.until_delivered(MAILBOXES * messages)
    seconds = time.monotonic() - begin
    peak = daemon.memory_kb()
    return Run(MAILBOXES * messages, seconds, daemon.stop(), peak)


# --- the floor -----------------------------------------------------------------------------------

FIND_ITEM = ('<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>'
             '<t:AdditionalProperties><t:FieldURI FieldURI="item:DateTimeReceived"/>'
             '<t:FieldURI FieldURI="item:Size"/><t:FieldURI FieldURI="message:InternetMessageId"/>'
             '<t:FieldURI FieldURI="message:IsRead"/>'
             '<t:ExtendedFieldURI PropertyTag="0x300B" PropertyType="Binary"/>'
             '</t:AdditionalProperties></m:ItemShape>'
             '<m:IndexedPageItemView MaxEntriesReturned="{limit}" Offset="{offset}" '
             'BasePoint="Beginning"/><m:SortOrder><t:FieldOrder Order="Descending">'
             '<t:FieldURI FieldURI="item:DateTimeReceived"/></t:FieldOrder></m:SortOrder>'
             '<m:ParentFolderIds><t:DistinguishedFolderId Id="inbox"/></m:ParentFolderIds>'
             '</m:FindItem>')
GET_ITEM = ('<m:GetItem><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>'
            '<t:IncludeMimeContent>true</t:IncludeMimeContent></m:ItemShape>'
            '<m:ItemIds>{ids}</m:ItemIds></m:GetItem>')

# As exsyncd asks: daemon/find.h and find.c, daemon/take.h and take.c, the keys' initial values.
FIRST_PAGE, PAGE, PAGE_OVERLAP = 25, 250, 5
BATCH, BATCH_BYTES, BUFFERED_MAX, BUFFERED_MESSAGE = 20, 16000000, 512 * 1024, 131072


def find_items(count):
    """The pages in which a folder of so many items is listed."""
    offset, limit = 0, FIRST_PAGE
    while True:
        yield FIND_ITEM.format(offset=offset, limit=limit)
        listed = min(limit, count - offset)
        if offset + listed >= count:
            return
        offset += listed - min(PAGE_OVERLAP, listed // 2)
        limit = PAGE


def batches(items):
    """The items, as many at a time as exsyncd takes."""
    batch, total, buffered = [], 0, 0
    for item in items:
        total += item["size"]
        buffered += min(item["size"] + item["size"] // 2, BUFFERED_MESSAGE)
        if batch and (len(batch) == BATCH or total > BATCH_BYTES or buffered > BUFFERED_MAX):
            yield batch
            batch, total = [], item["size"]
            buffered = min(item["size"] + item["size"] // 2, BUFFERED_MESSAGE)
        batch.append(item)
    if batch:
        yield batch


def requests_for(address, items, sizes):
    """Pairs of a request's bytes and the sizes of the messages that it brings."""
    for body in find_items(len(items)):
        yield envelope(address, body), []
    for batch in batches(items):
        ids = "".join(f'<t:ItemId Id="{item["id"]}"/>' for item in batch)
        yield (envelope(address, GET_ITEM.format(ids=ids)),
               [sizes[item["source"]] for item in batch])


def write_floor_plan(path, folder, exchange, sizes):
    with open(path, "wb") as file:
        file.write(floor_plan_head(exchange))
        for address in addresses(MAILBOXES):
            file.write(f"mailbox {address} {folder}/mail/{address}\n".encode())
            items = exchange.items(address, "Inbox")
            for request, files in requests_for(address, items, sizes):
                file.write(b"request %d\n%s\nfiles" % (len(request), request))
                file.write("".join(f" {size}" for size in files).encode() + b"\n")


def run_the_floor(folder, exchange, messages):
    make_maildirs(folder, MAILBOXES, ("spool", "new"))
    plan = folder / "plan"
    write_floor_plan(plan, folder, exchange, lf_sizes())
    exchange.counters(reset=True)
    return run_floor("bench-floor", plan, MAILBOXES * messages)


# --- the peer ------------------------------------------------------------------------------------


def run_the_peer(folder, exchange, messages):
    make_maildirs(folder, MAILBOXES, ("tmp", "new", "cur"))
    return run_peer("peer_receive.py", folder, exchange, MAILBOXES * messages, PEER_BATCH,
                    [[address, f"{folder}/mail/{address}"] for address in addresses(MAILBOXES)])


# --- rounds --------------------------------------------------------------------------------------


def measure(run, folder, exchange, messages):
    """One run in a folder that is fresh and then removed."""
    os.sync()
    exchange.counters(reset=True)
    before = exchange.cpu_seconds()
    result = run(folder, exchange, messages)
    result.add_exchange(exchange, before, ("FindItem", "GetItem"))
    sizes = lf_sizes()
    names = sorted(sizes)
    total = sum(sizes[names[index % len(names)]] for index in range(messages))
    check_maildirs(folder, MAILBOXES, messages, MAILBOXES * total)
    served = exchange.counters().get("items_served")
    if served != MAILBOXES * messages:
        raise Wrong(f"{served} messages were fetched, not each once")
    shutil.rmtree(folder)
    return result


def run_rounds(base, rounds, messages, certificate):
    exchange = exchange_with_corpus(MAILBOXES, messages, certificate)
    peer_messages = min(messages, PEER_MESSAGES)
    peer_exchange = exchange_with_corpus(MAILBOXES, peer_messages, certificate)
    runs = {"exsyncd": [], "floor": [], "peer": []}
    for number in range(rounds):
        print(f"  round {number + 1} of {rounds}, receiving, "
              f"{'TLS' if certificate else 'plain HTTP'} ...",
              file=sys.stderr, flush=True)
        runs["exsyncd"].append(measure(run_exsyncd, base / "exsyncd", exchange, messages))
        runs["floor"].append(measure(run_the_floor, base / "floor", exchange, messages))
        runs["peer"].append(measure(run_the_peer, base / "peer", peer_exchange, peer_messages))
        check_same_work(runs["exsyncd"][-1], runs["floor"][-1])
    for one in (exchange, peer_exchange):
        one.kill()
    return runs
