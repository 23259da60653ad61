#!/usr/bin/env python3
"""Measures exsyncd, the floor (libcurl and files, nothing of ours) and the peer
(python3-exchangelib) at the same jobs with a simulated Exchange, and prints a table for each:
taking mail into Maildirs (bench_receive.py) and sending what is in the outbox (bench_send.py). For
sending there are two floors: the bare one posts requests, the other one keeps exsyncd's promises on
disk as well, and is the one to compare with.

    bench.py [--rounds N] [--messages N] [--plain | --tls] [--receive | --send] [--check]

They take turns, so that a machine that is busy with other things is so for all of them; the
figures are medians of the rounds. The goals are stated below; --check makes the end status tell
whether they are reached. Temporary files are in $TMPDIR; where that is decides the messages per
second, for each message is synced to the disk.
"""

import argparse
import os
import statistics
import sys

import bench_receive
import bench_send
from measure import CONNECTIONS, Wrong, file_system, make_certificate, temporary_folder

# (what, ratio of which figures, of whom to whom, bound)
CPU_TO_FLOOR, CPU_TO_PEER, MEMORY_TO_PEER, RATE_TO_PEER = 2.0, 8.0, 3.0, 5.0
SIMULATOR_SHARE = 0.40


def median(runs, figure):
    return statistics.median(getattr(run, figure) for run in runs)


def share(runs):
    """The simulator's share of all CPU that was used."""
    simulator = sum(run.simulator_cpu for run in runs)
    return simulator / (simulator + sum(run.total_cpu for run in runs))


FLOORS = {"keeping": "keeping floor", "floor": "floor"}
LABELS = {"exsyncd": "exsyncd", "keeping": "floor that keeps promises",
          "floor": "floor (libcurl, files)", "peer": "python3-exchangelib"}


def print_figures(title, runs):
    print(f"{title:<28}{'messages/s':>12}{'CPU s/1000':>12}{'exsyncd to it':>16}"
          f"{'peak RSS MB':>13}{'simulator CPU':>15}")
    exsyncd = median(runs["exsyncd"], "cpu")
    for name, label in LABELS.items():
        if name not in runs:
            continue
        one = runs[name]
        cpu = median(one, "cpu")
        print(f"  {label:<26}{median(one, 'rate'):>12.0f}{cpu:>12.3f}{exsyncd / cpu:>10.2f} times"
              f"{median(one, 'peak'):>13.1f}{share(one):>15.0%}")


def requests_line(runs):
    """How many messages go with a request, by which the floor was told how to ask."""
    return "  requests: " + ", ".join(
        f"{sum(run.messages for run in runs['exsyncd']) / count:.1f} messages a {name}"
        for name in runs["exsyncd"][0].requests
        if (count := sum(run.requests[name] for run in runs["exsyncd"])))


def goals(runs, floor, simulator_is_light):
    """(sentence, value as text, whether it holds). What comes in a second is told by the simulator
    when it has most of the work."""
    def ratio(figure, who, to_whom):
        return median(runs[who], figure) / median(runs[to_whom], figure)
    cpu_floor = ratio("cpu", "exsyncd", floor)
    cpu_peer = ratio("cpu", "peer", "exsyncd")
    judged = [
        (f"CPU at most {CPU_TO_FLOOR:.0f} times the {FLOORS[floor]}'s", f"{cpu_floor:.2f} times",
         cpu_floor <= CPU_TO_FLOOR),
        (f"CPU at least {CPU_TO_PEER:.0f} times less than the peer's", f"{cpu_peer:.1f} times",
         cpu_peer >= CPU_TO_PEER),
    ]
    if simulator_is_light:
        memory = ratio("peak", "peer", "exsyncd")
        rate = ratio("rate", "exsyncd", "peer")
        simulator = share([run for one in runs.values() for run in one])
        judged += [
            (f"memory at least {MEMORY_TO_PEER:.0f} times less than the peer's",
             f"{memory:.1f} times", memory >= MEMORY_TO_PEER),
            (f"messages/s at least {RATE_TO_PEER:.0f} times the peer's", f"{rate:.1f} times",
             rate >= RATE_TO_PEER),
            (f"simulator at most {SIMULATOR_SHARE:.0%} of all CPU", f"{simulator:.0%}",
             simulator <= SIMULATOR_SHARE),
        ]
    return judged


def print_table(bench, results):
    for title, runs in results.items():
        print_figures(f"{bench.TITLE}, {title}", runs)
        print(requests_line(runs))
    judged = {title: goals(runs, bench.FLOOR, bench.SIMULATOR_IS_LIGHT)
              for title, runs in results.items()}
    print(f"\n{'goal':<46}" + "".join(f"{title:>22}" for title in judged))
    for index, (sentence, _, _) in enumerate(next(iter(judged.values()))):
        cells = [f"{one[index][1]} {'holds' if one[index][2] else 'MISSED'}"
                 for one in judged.values()]
        print(f"  {sentence:<44}" + "".join(f"{cell:>22}" for cell in cells))
    return all(holds for one in judged.values() for _, _, holds in one)


# --- the whole -----------------------------------------------------------------------------------


def run_bench(bench, base, options):
    """All rounds of one job and its table; whether the goals are reached."""
    messages = options.messages or bench.MESSAGES
    results = {}
    if not options.tls:
        results["plain HTTP"] = bench.run_rounds(base, options.rounds, messages, None)
    if not options.plain:
        results["TLS"] = bench.run_rounds(base, options.rounds, messages, make_certificate(base))
    print(f"\n{bench.TITLE}: {bench.MAILBOXES} mailboxes of {messages} messages "
          f"({min(messages, bench.PEER_MESSAGES)} for the peer), {CONNECTIONS} connections, "
          f"medians of {options.rounds} rounds, {os.cpu_count()} cores, files on "
          f"{file_system(base)}\n")
    return print_table(bench, results)


def main():
    parser = argparse.ArgumentParser(description="Measures exsyncd, floors and a peer.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, help="in each mailbox")
    parser.add_argument("--plain", action="store_true", help="plain HTTP only")
    parser.add_argument("--tls", action="store_true", help="TLS only")
    parser.add_argument("--receive", action="store_true", help="receiving only")
    parser.add_argument("--send", action="store_true", help="sending only")
    parser.add_argument("--check", action="store_true", help="status 1 when a goal is missed")
    options = parser.parse_args()
    base = temporary_folder()
    benches = [bench for bench, left_out in ((bench_receive, options.send),
                                             (bench_send, options.receive)) if not left_out]
    reached = [run_bench(bench, base, options) for bench in benches]
    return 1 if options.check and not all(reached) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Wrong as wrong:
        print(f"bench.py: {wrong}", file=sys.stderr)
        sys.exit(1)
