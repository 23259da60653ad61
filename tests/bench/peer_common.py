"""What the peer's programs share: the account that impersonates each mailbox, several mailboxes at
a time, and the report.

A plan is JSON (measure.py): url, account, password, connections, batch_size, and mailboxes: for
each what the work is told of it, its address first. REQUESTS_CA_BUNDLE names the certificates.
"""

import concurrent.futures
import itertools
import json
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


def peak_kb():
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:"))


def run(work):
    """work(account, batch_size, *rest) for each mailbox returns how many messages it has done.
    Prints one line of JSON: what was done, and what this process had used when the work began."""
    with open(sys.argv[1], encoding="utf-8") as file:
        plan = json.load(file)
    configuration = Configuration(
        service_endpoint=plan["url"], credentials=Credentials(plan["account"], plan["password"]),
        auth_type="basic", version=Version(build=EXCHANGE_2013_SP1),
        max_connections=plan["connections"])

    def work_for(mailbox):
        address, *rest = mailbox
        account = Account(primary_smtp_address=address, config=configuration, autodiscover=False,
                          access_type=IMPERSONATION, default_timezone=UTC)
        return work(account, plan["batch_size"], *rest)

    used = resource.getrusage(resource.RUSAGE_SELF)
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(plan["connections"]) as pool:
        count = sum(pool.map(work_for, plan["mailboxes"]))
    seconds = time.monotonic() - begin
    print(json.dumps({"messages": count, "seconds": seconds, "peak_kb": peak_kb(),
                      "cpu_before": used.ru_utime + used.ru_stime}))
