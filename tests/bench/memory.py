#!/usr/bin/env python3
"""What exsyncd may use: memory while it takes a message of 150 MB and lists pages of 1000 items and
while it sends messages of 45 and 150 MB, and memory and CPU with 10,000 mailboxes between polls,
over TLS.

    memory.py [large | send | refused | idle]

For the optimised build. With EXSYNC_LONG=1 the idle mailboxes are polled every five minutes as they
would be, and all sizes and refusals are tried; without it mailboxes are polled ten times as often,
and the CPU time of a poll is multiplied by the number of polls that five minutes would have. Ten
times as often is kinder: the caches stay warm, and a poll takes about a third less.

CPU is the process's own time, user and system, of all its threads. Other work on the machine makes
it up to a quarter larger, since it takes the caches away; and as the server is on the same machine,
the receiving half of the network's work is counted to whoever sends, about 6% of a poll.
"""

import os
import shutil
import sys
import time

from measure import (Exchange, Exsyncd, PATTERN, CORPUS, SENDING, Wrong, addresses,
                     make_certificate, temporary_folder)
from exchange_simulator import Checks
from harness import LONG

MB = 1024  # in kB
LARGE_MB = 150
LARGE_LIMIT = 32 * MB
PAGE = 1000
LISTED = 1050      # more than the first page and one of 1000
LARGE_MAILBOXES = 4

# (MB of a message that is sent, request size of the server; None: its own, 64 MB)
SENT = (*(((45, None),) if LONG else ()), (150, 256 * 1000 * 1000))
REFUSED_MB = 60     # 80 MB in base64
TOO_LARGE = (413, 404) if LONG else (413,)

IDLE_MAILBOXES = 10000
IDLE_MESSAGES = 25  # in each inbox: as many as a poll lists
IDLE_LIMIT = 64 * MB
IDLE_CPU = 0.02     # of a core
FIVE_MINUTES = 300
INTERVAL = FIVE_MINUTES if LONG else FIVE_MINUTES // 10
WINDOW = 60 if LONG else INTERVAL // 2  # of 5,000 polls
LOOKS = 2 if LONG else 1

checks = Checks()


def megabytes(kilobytes):
    return f"{kilobytes / MB:.1f} MB"


def largest_file(maildir):
    return max(entry.stat().st_size for entry in os.scandir(maildir / "new"))


def take_large(base, certificate):
    """Several mailboxes at a time, each with pages of 1000 items, one with a message of 150 MB."""
    exchange = Exchange("--mailboxes", LARGE_MAILBOXES, "--mailbox-pattern", PATTERN,
                        "--load-all", f"Inbox:{CORPUS}:{LISTED}",
                        "--load-large", f"{PATTERN % 1}:Inbox:{LARGE_MB}", certificate=certificate)
    daemon = Exsyncd(base / "large", exchange, addresses(LARGE_MAILBOXES),
                     process_email_from="2000-01-01", poll_interval="1h", page_size=PAGE)
    daemon.start()
    daemon.until_delivered(LARGE_MAILBOXES * LISTED + 1)
    peak = daemon.memory_kb()
    size = largest_file(base / "large/mail" / (PATTERN % 1))
    daemon.stop()
    exchange.kill()
    checks.ok(size > LARGE_MB * 1000 * 1000 * 0.95, f"a message of {LARGE_MB} MB arrives whole",
              f"its file has {size} bytes")
    checks.ok(peak < LARGE_LIMIT,
              f"a message of {LARGE_MB} MB and pages of {PAGE} items are taken in less than "
              f"{megabytes(LARGE_LIMIT)}: {megabytes(peak)} at most")


# --- large messages that go out ------------------------------------------------------------------


def submit_large(outbox, sender, recipient, size_mb):
    """A message of that size in the outbox, written piece by piece. Returns its subject."""
    subject = f"{size_mb} MB"
    line = b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n"
    head = (f"From: {sender}\r\nTo: {recipient}\r\nSubject: {subject}\r\n"
            "Date: Mon, 5 Jan 2026 10:00:00 +0000\r\nMessage-ID: <large@example.com>\r\n"
            "MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
            "Content-Transfer-Encoding: base64\r\n\r\n")
    with open(outbox.folder / "tmp/large", "wb") as file:
        file.write(head.encode())
        for _ in range(size_mb):
            file.write(line * (1000 * 1000 // len(line)))
    (outbox.folder / "tmp/large").rename(outbox.folder / "new/large")
    return subject


def start_sender(folder, exchange):
    """exsyncd for two mailboxes that send."""
    daemon = Exsyncd(folder, exchange, addresses(2), SENDING)
    daemon.start()
    daemon.until(daemon.outbox.ready, "the outbox is open", 60)
    return daemon


def send_large(base, certificate):
    sender, recipient = addresses(2)
    for size_mb, limit in SENT:
        options = [] if limit is None else ["--request-size", limit]
        exchange = Exchange("--mailboxes", 2, "--mailbox-pattern", PATTERN, *options,
                            certificate=certificate)
        daemon = start_sender(base / "send", exchange)
        subject = submit_large(daemon.outbox, sender, recipient, size_mb)
        daemon.until(lambda: exchange.items(recipient, "Inbox") or daemon.outbox.failed(),
                     f"a message of {size_mb} MB is sent", 300)
        daemon.until(lambda: not daemon.outbox.leftover(), "the outbox is empty", 60)
        peak = daemon.memory_kb()
        failed = daemon.outbox.failed()
        daemon.stop()
        found = exchange.items(recipient, "Inbox")
        exchange.kill()
        shutil.rmtree(base / "send")
        checks.equal(([item["subject"] for item in found], failed), ([subject], {}),
                     f"a message of {size_mb} MB is sent")
        checks.ok(found and found[0]["size"] > size_mb * 1000 * 1000 * 0.95,
                  f"a message of {size_mb} MB arrives whole", found)
        checks.ok(peak < LARGE_LIMIT, f"a message of {size_mb} MB is sent in less than "
                  f"{megabytes(LARGE_LIMIT)}: {megabytes(peak)} at most")


def refuse_large(base, certificate):
    """More than the server takes in a request, which it may say in two ways."""
    sender, recipient = addresses(2)
    for status in TOO_LARGE:
        exchange = Exchange("--mailboxes", 2, "--mailbox-pattern", PATTERN,
                            certificate=certificate)
        exchange.control("limits", too_large=status)
        daemon = start_sender(base / "refused", exchange)
        submit_large(daemon.outbox, sender, recipient, REFUSED_MB)
        daemon.until(daemon.outbox.failed, f"a message of {REFUSED_MB} MB is refused", 120)
        daemon.until(lambda: not daemon.outbox.leftover(), "the outbox is empty", 60)
        reasons = list(daemon.outbox.failed().values())
        peak = daemon.memory_kb()
        daemon.stop()
        exchange.kill()
        shutil.rmtree(base / "refused")
        checks.ok(len(reasons) == 1 and "larger than the server allows" in reasons[0],
                  f"{status} to a message of {REFUSED_MB} MB is understood as too large", reasons)
        checks.ok(peak < LARGE_LIMIT, f"a message that got {status} takes less than "
                  f"{megabytes(LARGE_LIMIT)}: {megabytes(peak)} at most")


# --- 10,000 mailboxes ----------------------------------------------------------------------------


def polls(exchange):
    return exchange.counters().get("requests.FindItem", 0)


def until_all_polled(daemon, exchange):
    """Waits until each mailbox was looked at: from then on a poll finds what it knows."""
    def all_polled():
        time.sleep(1)
        if polls(exchange) < LOOKS * IDLE_MAILBOXES:
            return False
        counters = exchange.counters()
        return all(counters.get(f"mailbox_requests.{address}", 0) >= LOOKS
                   for address in addresses(IDLE_MAILBOXES))
    daemon.until(all_polled, "each mailbox is looked at", 5 * INTERVAL + 300)


def reload_all(daemon):
    """Reads the configuration again: once as it is, once with something new for every mailbox."""
    daemon.reload()
    daemon.until_logged("configuration reloaded")
    text = daemon.configuration.read_text(encoding="utf-8")
    daemon.configuration.write_text(text.replace("[mailbox-defaults]\n",
                                                 "[mailbox-defaults]\nline_endings = crlf\n"),
                                    encoding="utf-8")
    daemon.reload()
    daemon.until_logged("configuration reloaded", times=2)


def measure_polls(daemon, exchange):
    """CPU seconds of a poll, over a while in which nothing else happens."""
    cpu, count = daemon.cpu_seconds(), polls(exchange)
    time.sleep(WINDOW)
    cpu, count = daemon.cpu_seconds() - cpu, polls(exchange) - count
    if count < WINDOW * IDLE_MAILBOXES / INTERVAL / 2:
        raise Wrong(f"only {count} polls in {WINDOW} s")
    return cpu / count, count


def be_idle(base, certificate):
    exchange = Exchange("--mailboxes", IDLE_MAILBOXES, "--mailbox-pattern", PATTERN,
                        "--load-all", f"Inbox:{CORPUS}:{IDLE_MESSAGES}", certificate=certificate)
    daemon = Exsyncd(base / "idle", exchange, addresses(IDLE_MAILBOXES),
                     poll_interval=f"{INTERVAL}s")
    daemon.start()
    until_all_polled(daemon, exchange)
    before = daemon.memory_kb()
    reload_all(daemon)
    each, count = measure_polls(daemon, exchange)
    resident, peak = daemon.memory_kb("VmRSS"), daemon.memory_kb()
    delivered = daemon.delivered()
    daemon.stop()
    exchange.kill()
    share = each * IDLE_MAILBOXES / FIVE_MINUTES
    checks.ok(peak < IDLE_LIMIT,
              f"{IDLE_MAILBOXES} idle mailboxes take less than {megabytes(IDLE_LIMIT)}: "
              f"{megabytes(resident)}, {megabytes(before)} at most before and {megabytes(peak)} "
              "with two reloads")
    checks.ok(share < IDLE_CPU,
              f"{IDLE_MAILBOXES} idle mailboxes take less than {IDLE_CPU:.0%} of a core at an "
              f"interval of five minutes: {share:.2%}, {each * 1e6:.0f} µs each of {count} polls")
    checks.equal(delivered, 0, "mail from before the first start is left alone")


def main():
    base = temporary_folder()
    certificate = make_certificate(base)
    for name, measure in (("large", take_large), ("send", send_large), ("refused", refuse_large),
                          ("idle", be_idle)):
        if sys.argv[1:] in ([], [name]):
            measure(base, certificate)
    checks.end()


if __name__ == "__main__":
    try:
        main()
    except Wrong as wrong:
        checks.ok(False, "the measurement comes to its end", wrong)
        checks.end()
