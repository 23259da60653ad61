#!/usr/bin/python3
"""exsyncd's job as a user would do it with python3-exchangelib: every mailbox's inbox into a
Maildir, by one account that impersonates each, several mailboxes at a time.

    peer.py PLAN    (JSON, see bench.py)

What makes it fast is used: connections are kept and shared, only what is needed is asked for, items
come in batches, the folder is synced once a batch. REQUESTS_CA_BUNDLE names the certificates.
Prints one line of JSON: what was done, and what this process had used when the work began.
"""

import concurrent.futures
import itertools
import json
import os
import resource
import sys
import time

from exchangelib import IMPERSONATION, UTC, Account, Configuration, Credentials
from exchangelib.version import EXCHANGE_2013_SP1, Version


def batches(items, size):
    """The items, `size` at a time."""
    items = iter(items)
    while batch := list(itertools.islice(items, size)):
        yield batch


def write_synced(path, content):
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb", buffering=0) as file:
        file.write(content)
        os.fsync(file.fileno())


def sync_folder(path):
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(descriptor)
    os.close(descriptor)


def deliver(maildir, number, messages):
    """Puts messages into a Maildir, safely. Returns how many."""
    names = []
    for message in messages:
        content = message.mime_content.replace(b"\r\n", b"\n")
        names.append(f"{int(time.time())}.P{os.getpid()}Q{number + len(names)}.peer,S={len(content)}")
        write_synced(f"{maildir}/tmp/{names[-1]}", content)
    for name in names:
        os.rename(f"{maildir}/tmp/{name}", f"{maildir}/new/{name}")
    sync_folder(f"{maildir}/new")
    return len(names)


def take_mailbox(configuration, address, maildir, batch_size):
    account = Account(primary_smtp_address=address, config=configuration, autodiscover=False,
                      access_type=IMPERSONATION, default_timezone=UTC)
    found = account.inbox.all().only("mime_content")
    found.chunk_size = batch_size
    count = 0
    for messages in batches(found, batch_size):
        count += deliver(maildir, count, messages)
    return count


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    configuration = Configuration(
        service_endpoint=plan["url"], credentials=Credentials(plan["account"], plan["password"]),
        auth_type="basic", version=Version(build=EXCHANGE_2013_SP1),
        max_connections=plan["connections"])
    used = resource.getrusage(resource.RUSAGE_SELF)
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(plan["connections"]) as pool:
        counts = list(pool.map(lambda mailbox: take_mailbox(configuration, *mailbox,
                                                            plan["batch_size"]),
                               plan["mailboxes"]))
    seconds = time.monotonic() - begin
    with open("/proc/self/status", encoding="ascii") as file:
        peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))
    print(json.dumps({"messages": sum(counts), "seconds": seconds, "peak_kb": peak,
                      "cpu_before": used.ru_utime + used.ru_stime}))


if __name__ == "__main__":
    main()
