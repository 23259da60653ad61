"""Messages made up for tests; each is different from all others."""

import itertools
import threading

_numbers = itertools.count(1)
_lock = threading.Lock()

RECEIPT = "Disposition-Notification-To: author@example.com\n"


def message(subject="a message", size=0, headers="", chance=None):
    """A message as bytes. `size`: about so many bytes more; `chance`: a random number of them."""
    with _lock:
        number = next(_numbers)
    if chance is not None:
        size = int(chance.paretovariate(1.1) * 600) % 200_000
    line = f"{number:08d} " + "the quick brown fox jumps over the lazy dog, twice\n"
    body = line * (size // len(line) + 1)
    return (f"From: author@example.com\nTo: reader@example.com\n{headers}"
            f"Subject: {subject} {number}\nMessage-ID: <{number}.test@example.com>\n"
            f"Date: Mon, 5 Jan 2026 10:00:00 +0000\n\n{body}").encode()


_REPLACED = (b"from", b"to", b"cc", b"bcc", b"sender", b"return-path", b"subject", b"message-id")


def _is_left_out(line):
    name, colon, _ = line.partition(b":")
    name = name.strip().lower()
    return not colon or name in _REPLACED or name.startswith(b"resent-")


def readdressed(path, sender, recipient, subject):
    """A message of the corpus for somebody else to send: its own addresses, subject and Message-ID
    go, and so do lines of the header that are no field, which are left out on the way; all else
    stays."""
    content = path.read_bytes().replace(b"\r\n", b"\n").removeprefix(b"\xef\xbb\xbf")
    if content.startswith(b"From "):
        content = content.partition(b"\n")[2]
    header, _, body = content.partition(b"\n\n")
    kept, left_out = [], False
    for line in header.split(b"\n"):
        if not line[:1].isspace():
            left_out = _is_left_out(line)
        if not left_out:
            kept.append(line)
    unique = f"{subject}.{sender}".replace(" ", ".").replace("@", ".")
    head = (f"From: {sender}\nTo: {recipient}\nSubject: {subject}\n"
            f"Message-ID: <{unique}@example.com>\n").encode()
    return head + b"\n".join(kept) + b"\n\n" + body
