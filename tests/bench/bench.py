#!/usr/bin/env python3
"""Measures exsyncd, the floor (floor.c) and the peer (peer.py) at the same job, taking mail from the
simulated Exchange into Maildirs, and prints one table.

    bench.py [--rounds N] [--messages N] [--plain | --tls] [--check]

The three take turns, so that a machine that is busy with other things is so for all of them; the
figures are medians of the rounds. The goals are stated below; --check makes the end status tell
whether they are reached. Temporary files are in $TMPDIR; where that is decides the messages per
second, for each message is synced to the disk.
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

from measure import (ACCOUNT, CONNECTIONS, CORPUS, PASSWORD, Exsyncd, Wrong, addresses,
                     exchange_with_corpus, file_system, make_certificate, program,
                     temporary_folder, wait)

MAILBOXES = CONNECTIONS
MESSAGES = 450       # a mailbox; ten times the corpus, so that the mix is that of the corpus
PEER_MESSAGES = 90   # the peer needs longer
PEER_BATCH = 50      # measured: fastest together with 20 and 100, and memory as with 20
PEER_PYTHON = "/usr/bin/python3"
SAME_WORK = 0.05     # so much may the floor's requests differ from exsyncd's

# (what, ratio of which figures, of whom to whom, bound)
CPU_TO_FLOOR, CPU_TO_PEER, MEMORY_TO_PEER, RATE_TO_PEER = 2.0, 8.0, 3.0, 5.0
SIMULATOR_SHARE = 0.40


class Run:
    """What one run of one program came to."""

    def __init__(self, messages, seconds, cpu, peak_kb):
        self.rate = messages / seconds
        self.cpu = cpu / messages * 1000
        self.peak = peak_kb / 1024
        self.total_cpu = cpu
        self.simulator_cpu = 0.0
        self.requests = {}


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

ENVELOPE = ('<?xml version="1.0" encoding="UTF-8"?>\n'
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types" '
            'xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"><s:Header>'
            '<t:RequestServerVersion Version="Exchange2013_SP1"/><t:ExchangeImpersonation>'
            '<t:ConnectingSID><t:PrimarySmtpAddress>{address}</t:PrimarySmtpAddress>'
            '</t:ConnectingSID></t:ExchangeImpersonation></s:Header>'
            '<s:Body>{body}</s:Body></s:Envelope>\n')
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
        yield ENVELOPE.format(address=address, body=body).encode(), []
    for batch in batches(items):
        ids = "".join(f'<t:ItemId Id="{item["id"]}"/>' for item in batch)
        yield (ENVELOPE.format(address=address, body=GET_ITEM.format(ids=ids)).encode(),
               [sizes[item["source"]] for item in batch])


def write_floor_plan(path, folder, exchange, sizes):
    with open(path, "wb") as file:
        file.write(f"url {exchange.url}\naccount {ACCOUNT} {PASSWORD}\n"
                   f"authority {exchange.authority or '-'}\nconnections {CONNECTIONS}\n".encode())
        for address in addresses(MAILBOXES):
            file.write(f"mailbox {address} {folder}/mail/{address}\n".encode())
            items = exchange.items(address, "Inbox")
            for request, files in requests_for(address, items, sizes):
                file.write(b"request %d\n%s\nfiles" % (len(request), request))
                file.write("".join(f" {size}" for size in files).encode() + b"\n")


def run_floor(folder, exchange, messages):
    make_maildirs(folder, MAILBOXES, ("spool", "new"))
    plan = folder / "plan"
    write_floor_plan(plan, folder, exchange, lf_sizes())
    exchange.counters(reset=True)
    begin = time.monotonic()
    process = subprocess.Popen([program("bench-floor"), plan], stdout=subprocess.PIPE, text=True)
    said = process.stdout.read()
    status, cpu = wait(process)
    seconds = time.monotonic() - begin
    if status != 0:
        raise Wrong(f"the floor ended with status {status}")
    result = json.loads(said)
    return Run(MAILBOXES * messages, seconds, cpu, result["peak_kb"])


# --- the peer ------------------------------------------------------------------------------------


def run_peer(folder, exchange, messages):
    make_maildirs(folder, MAILBOXES, ("tmp", "new", "cur"))
    plan = folder / "plan.json"
    mailboxes = [[address, f"{folder}/mail/{address}"] for address in addresses(MAILBOXES)]
    plan.write_text(json.dumps({"url": exchange.url, "account": ACCOUNT, "password": PASSWORD,
                                "connections": CONNECTIONS, "batch_size": PEER_BATCH,
                                "mailboxes": mailboxes}), encoding="utf-8")
    environment = dict(os.environ)
    if exchange.authority:
        environment["REQUESTS_CA_BUNDLE"] = str(exchange.authority)
    program_file = pathlib.Path(__file__).with_name("peer.py")
    process = subprocess.Popen([PEER_PYTHON, program_file, plan], stdout=subprocess.PIPE, text=True,
                               env=environment)
    said = process.stdout.read()
    status, cpu = wait(process)
    if status != 0:
        raise Wrong(f"the peer ended with status {status}")
    result = json.loads(said)
    # Starting Python and loading the library is not held against it.
    return Run(MAILBOXES * messages, result["seconds"], cpu - result["cpu_before"],
               result["peak_kb"])


# --- rounds --------------------------------------------------------------------------------------


def measure(run, folder, exchange, messages):
    """One run in a folder that is fresh and then removed."""
    os.sync()
    exchange.counters(reset=True)
    before = exchange.cpu_seconds()
    result = run(folder, exchange, messages)
    result.simulator_cpu = exchange.cpu_seconds() - before
    counters = exchange.counters()
    result.requests = {name: counters.get(f"requests.{name}", 0) for name in ("FindItem", "GetItem")}
    sizes = lf_sizes()
    names = sorted(sizes)
    total = sum(sizes[names[index % len(names)]] for index in range(messages))
    check_maildirs(folder, MAILBOXES, messages, MAILBOXES * total)
    if counters.get("items_served") != MAILBOXES * messages:
        raise Wrong(f"{counters.get('items_served')} messages were fetched, not each once")
    shutil.rmtree(folder)
    return result


def check_same_work(exsyncd, floor):
    for name, count in exsyncd.requests.items():
        if abs(count - floor.requests[name]) > SAME_WORK * count:
            raise Wrong(f"exsyncd sends {count} {name} requests and the floor "
                        f"{floor.requests[name]}: it no longer asks as exsyncd does")


def run_rounds(base, rounds, messages, certificate):
    exchange = exchange_with_corpus(MAILBOXES, messages, certificate)
    peer_messages = min(messages, PEER_MESSAGES)
    peer_exchange = exchange_with_corpus(MAILBOXES, peer_messages, certificate)
    runs = {"exsyncd": [], "floor": [], "peer": []}
    for number in range(rounds):
        print(f"  round {number + 1} of {rounds}, {'TLS' if certificate else 'plain HTTP'} ...",
              file=sys.stderr, flush=True)
        runs["exsyncd"].append(measure(run_exsyncd, base / "exsyncd", exchange, messages))
        runs["floor"].append(measure(run_floor, base / "floor", exchange, messages))
        runs["peer"].append(measure(run_peer, base / "peer", peer_exchange, peer_messages))
        check_same_work(runs["exsyncd"][-1], runs["floor"][-1])
    for one in (exchange, peer_exchange):
        one.kill()
    return runs


# --- the table -----------------------------------------------------------------------------------


def median(runs, figure):
    return statistics.median(getattr(run, figure) for run in runs)


def share(runs):
    """The simulator's share of all CPU that was used."""
    simulator = sum(run.simulator_cpu for run in runs)
    return simulator / (simulator + sum(run.total_cpu for run in runs))


LABELS = {"exsyncd": "exsyncd", "floor": "floor (libcurl, files)", "peer": "python3-exchangelib"}


def print_figures(title, runs):
    print(f"{title:<26}{'messages/s':>12}{'CPU s/1000':>12}{'peak RSS MB':>13}"
          f"{'simulator CPU':>15}")
    for name, label in LABELS.items():
        one = runs[name]
        print(f"  {label:<24}{median(one, 'rate'):>12.0f}{median(one, 'cpu'):>12.3f}"
              f"{median(one, 'peak'):>13.1f}{share(one):>15.0%}")


def goals(runs):
    """(sentence, value as text, whether it holds)"""
    def ratio(figure, who, to_whom):
        return median(runs[who], figure) / median(runs[to_whom], figure)
    cpu_floor = ratio("cpu", "exsyncd", "floor")
    cpu_peer = ratio("cpu", "peer", "exsyncd")
    memory = ratio("peak", "peer", "exsyncd")
    rate = ratio("rate", "exsyncd", "peer")
    simulator = share([run for one in runs.values() for run in one])
    return [
        (f"CPU at most {CPU_TO_FLOOR:.0f} times the floor's", f"{cpu_floor:.2f} times",
         cpu_floor <= CPU_TO_FLOOR),
        (f"CPU at least {CPU_TO_PEER:.0f} times less than the peer's", f"{cpu_peer:.1f} times",
         cpu_peer >= CPU_TO_PEER),
        (f"memory at least {MEMORY_TO_PEER:.0f} times less than the peer's", f"{memory:.1f} times",
         memory >= MEMORY_TO_PEER),
        (f"messages/s at least {RATE_TO_PEER:.0f} times the peer's", f"{rate:.1f} times",
         rate >= RATE_TO_PEER),
        (f"simulator at most {SIMULATOR_SHARE:.0%} of all CPU", f"{simulator:.0%}",
         simulator <= SIMULATOR_SHARE),
    ]


def print_table(results):
    for title, runs in results.items():
        print_figures(title, runs)
    judged = {title: goals(runs) for title, runs in results.items()}
    print(f"\n{'goal':<46}" + "".join(f"{title:>22}" for title in judged))
    for index, (sentence, _, _) in enumerate(next(iter(judged.values()))):
        cells = [f"{one[index][1]} {'holds' if one[index][2] else 'MISSED'}"
                 for one in judged.values()]
        print(f"  {sentence:<44}" + "".join(f"{cell:>22}" for cell in cells))
    return all(holds for one in judged.values() for _, _, holds in one)


def main():
    parser = argparse.ArgumentParser(description="Measures exsyncd, the floor and a peer.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, default=MESSAGES, help="in each mailbox")
    parser.add_argument("--plain", action="store_true", help="plain HTTP only")
    parser.add_argument("--tls", action="store_true", help="TLS only")
    parser.add_argument("--check", action="store_true", help="status 1 when a goal is missed")
    options = parser.parse_args()
    base = temporary_folder()
    results = {}
    if not options.tls:
        results["plain HTTP"] = run_rounds(base, options.rounds, options.messages, None)
    if not options.plain:
        results["TLS"] = run_rounds(base, options.rounds, options.messages, make_certificate(base))
    print(f"{MAILBOXES} mailboxes of {options.messages} messages "
          f"({min(options.messages, PEER_MESSAGES)} for the peer), {CONNECTIONS} connections, "
          f"medians of {options.rounds} rounds, {os.cpu_count()} cores, files on "
          f"{file_system(base)}\n")
    reached = print_table(results)
    return 1 if options.check and not reached else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Wrong as wrong:
        print(f"bench.py: {wrong}", file=sys.stderr)
        sys.exit(1)
