#!/usr/bin/env python3
"""What exsyncd may use: memory while it takes a message of 150 MB and lists pages of 1000 items, and
memory and CPU with 10,000 mailboxes between polls, over TLS.

    memory.py [large | idle]

For the optimised build. With EXSYNC_LONG=1 the idle mailboxes are polled every five minutes as they
would be; without it ten times as often, and the CPU time of a poll is multiplied by the number of
polls that five minutes would have. CPU is the process's own time, user and system; the machine's
load changes it little.
"""

import os
import sys
import time

from measure import (Exchange, Exsyncd, PATTERN, CORPUS, Wrong, addresses, make_certificate,
                     temporary_folder)
from exchange_simulator import Checks
from harness import LONG

MB = 1024  # in kB
LARGE_MB = 150
LARGE_LIMIT = 32 * MB
PAGE = 1000
LISTED = 1050      # more than the first page and one of 1000
LARGE_MAILBOXES = 4

IDLE_MAILBOXES = 10000
IDLE_MESSAGES = 25  # in each inbox: as many as a poll lists
IDLE_LIMIT = 64 * MB
IDLE_CPU = 0.02     # of a core
FIVE_MINUTES = 300
INTERVAL = FIVE_MINUTES if LONG else FIVE_MINUTES // 10
WINDOW = 60

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


# --- 10,000 mailboxes ----------------------------------------------------------------------------


def polls(exchange):
    return exchange.counters().get("requests.FindItem", 0)


def until_all_polled(daemon, exchange):
    """Waits until each mailbox was looked at twice: from then on a poll finds what it knows."""
    def all_polled():
        time.sleep(1)
        counters = exchange.counters()
        return all(counters.get(f"mailbox_requests.{address}", 0) >= 2
                   for address in addresses(IDLE_MAILBOXES))
    daemon.until(all_polled, "each mailbox is looked at twice", 5 * INTERVAL + 300)


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
    for name, measure in (("large", take_large), ("idle", be_idle)):
        if sys.argv[1:] in ([], [name]):
            measure(base, certificate)
    checks.end()


if __name__ == "__main__":
    try:
        main()
    except Wrong as wrong:
        checks.ok(False, "the measurement comes to its end", wrong)
        checks.end()
