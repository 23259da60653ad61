#!/usr/bin/python3
"""Sending as a user would do it with python3-exchangelib: the files of a folder, each a message.

    peer_send.py PLAN    (peer_common.py; behind the address: the folder, how many of its files)

What makes it fast is used: connections are kept and shared, messages go in batches, and in one
step: no draft is made first, so that a lost answer leaves it open whether a message was sent.
"""

import itertools
import pathlib

from exchangelib import Message
from exchangelib.items import SEND_AND_SAVE_COPY

import peer_common


def send_mailbox(account, batch_size, folder, count):
    sent = 0
    paths = itertools.islice(sorted(pathlib.Path(folder).iterdir()), count)
    for batch in peer_common.batches(paths, batch_size):
        messages = [Message(account=account, folder=account.sent, mime_content=path.read_bytes())
                    for path in batch]
        sent += account.bulk_create(account.sent, messages,
                                    message_disposition=SEND_AND_SAVE_COPY).count(True)
    return sent


if __name__ == "__main__":
    peer_common.run(send_mailbox)
