#!/usr/bin/python3
"""Receiving as a user would do it with python3-exchangelib: every mailbox's inbox into a Maildir.

    peer_receive.py PLAN    (peer_common.py; behind the address: the Maildir)

What makes it fast is used: connections are kept and shared, only what is needed is asked for, items
come in batches, the folder is synced once a batch.
"""

import os
import time

import peer_common


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


def take_mailbox(account, batch_size, maildir):
    found = account.inbox.all().only("mime_content")
    found.chunk_size = batch_size
    count = 0
    for messages in peer_common.batches(found, batch_size):
        count += deliver(maildir, count, messages)
    return count


if __name__ == "__main__":
    peer_common.run(take_mailbox)
