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

