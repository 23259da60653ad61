#!/usr/bin/env python3
"""Drafts, sending and the questions about them, from the client's side to the simulator."""

import itertools
import subprocess
import tempfile

from exchange_simulator import CORPUS, Checks, Simulator, program

ANN, BOB = "ann@example.com", "bob@example.com"
LARGE = 20 << 20
checks = Checks()


def drive(simulator, path):
    """The lines of the driver."""
    done = subprocess.run([program("send_driver"), simulator.url, "svc", "secret", ANN, BOB, path],
                          capture_output=True, text=True, timeout=120)
    if done.returncode != 0 or done.stderr:
        checks.ok(False, "the driver ends cleanly", done.stderr)
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    # Matches come in no particular order.
    groups = itertools.groupby(lines, key=lambda line: line.startswith("search"))
    return [line for matches, group in groups for line in (sorted(group) if matches else group)]


def start(*more):
    return Simulator("--account", "svc:secret", "--impersonation", "svc:all", "--mailbox", ANN,
                     "--mailbox", BOB, *more)


def stop(simulator):
    checks.equal(simulator.stop(), (0, ""), "requests and answers were valid")


def arrived(simulator):
    return [simulator.control_raw("mime", item=item["id"])[1]
            for item in simulator.items(BOB, "Inbox")]


WHOLE = ["created", "created", "search 0 drafts", "search 1 drafts", "look waiting", "look waiting",
         "sent", "sent"]


def each_step_is_answered(path):
    simulator = start()
    said = drive(simulator, path)
    checks.equal(said, WHOLE + ["look gone", "look gone", "search 0 sentitems",
                                "search 1 sentitems", "created", "search 0 sentitems",
                                "search 1 sentitems", "search 2 sentitems"],
                 f"{path}: created, found, sent and found again, in both ways")
    with open(path, "rb") as file:
        wanted = file.read().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    checks.ok(arrived(simulator) == [wanted] * 3, "it arrives as it was, each time once")
    checks.equal(len(simulator.items(ANN, "Drafts")), 0, "no draft is left")
    stop(simulator)


def with_transport_stopped():
    simulator = start()
    simulator.control("transport", state="stopped")
    said = drive(simulator, str(CORPUS / "simple-multipart.eml"))
    checks.equal(said[:8], WHOLE, "drafts are submitted while Transport is stopped")
    checks.equal(sorted(set(said[8:])),
                 ["created", "look submitted", "search 0 drafts submitted",
                  "search 1 drafts submitted", "search 2 outbox submitted"],
                 "they are known as submitted where they wait")
    stop(simulator)


def doubt():
    simulator = start()
    for fault, wanted in (({"close": "after"}, "create CURLE_GOT_NOTHING in doubt"),
                          ({"close": "middle"}, "create CURLE_PARTIAL_FILE in doubt"),
                          ({"body": "truncated"}, "create XmlMalformed in doubt"),
                          ({"soap": "ErrorServerBusy"}, "create ErrorServerBusy"),
                          ({"soap": "ErrorInternalServerError"},
                           "create ErrorInternalServerError in doubt"),
                          ({"http": "429"}, "create HTTP 429"),
                          ({"http": "503"}, "create HTTP 503 in doubt")):
        simulator.control("fault", operation="CreateItem", **fault)
        said = drive(simulator, str(CORPUS / "simple-multipart.eml"))
        checks.equal(said[0], wanted, f"what a creation is told that ends with {fault}")
    stop(simulator)


def too_large(path):
    simulator = start("--request-size", "1000000")
    for status in ("413", "404"):
        simulator.control("limits", too_large=status)
        checks.equal(drive(simulator, path)[:1], [f"create HTTP {status}"],
                     f"{status} in mid-upload is seen, and leaves no doubt")
    stop(simulator)


def main():
    with tempfile.NamedTemporaryFile(suffix=".eml") as large:
        large.write(b"From: ann@example.com\r\nTo: carol@elsewhere.example\r\nSubject: large\r\n\r\n")
        large.write((b"0123456789" * 7 + b"\r\n") * (LARGE // 72))
        large.flush()
        each_step_is_answered(str(CORPUS / "simple-multipart.eml"))
        each_step_is_answered(large.name)
        too_large(large.name)
    with_transport_stopped()
    doubt()
    checks.end()


main()
