#!/usr/bin/python3
"""Every fault that the simulator can script: told clearly, recorded, and over when it is over.

Three mailboxes: Ann's listings are spoiled, Ben's messages are spoiled, Carla's are not. While the
fault lasts, a line of the log names whom it concerns, the step, and the cause, and a row of the
database does the same. Carla is not held up unless the fault is of the whole profile. When the fault
is gone everything arrives, once, and no failure is left.
"""

from harness import CORPUS, add_case, case, check, check_equal, main, until
from mail import message
from scene import ANN, BEN, CARLA, PROFILE, Scene

SOME = sorted(CORPUS.glob("*.eml"))[:12]
EVERYBODY = (ANN, BEN, CARLA)
STEPS = {ANN: "FindItem", BEN: "GetItem"}
# What the other side did shows at once; what it does not do shows after the timeout.
PROFILE_KEYS = {"request_timeout": "2s", "connect_timeout": "2s", "batch_size": 5}


def fill(scene):
    for address in EVERYBODY:
        for path in SOME:
            scene.exchange.add(address, path.read_bytes(), source=path.name)


def check_whole(scene):
    """Everything arrives, once, and no failure is left."""
    for address in EVERYBODY:
        scene.until_delivered(address, len(SOME))
    until(lambda: not scene.ledger.unresolved(),
          lambda: f"no failure is left: {[(row['step'], row['code']) for row in scene.ledger.unresolved()]}")
    scene.until_polled(*EVERYBODY)
    for address in EVERYBODY:
        scene.check_delivered(address)


def check_row(row, step, code):
    check_equal(row["step"], step, "step of the failure's row")
    check(code in row["code"], f"code of the failure's row is {row['code']!r}, not {code!r}")
    check(row["sentence"] and row["count"] >= 1 and row["next_retry"] and row["activity"],
          f"the failure's row is not complete: {row}")


def check_line(line, code):
    check(f"({code}" in line, f"the cause {code!r} is not named: {line!r}")
    check("Next try" in line, f"the next try is not named: {line!r}")
    check(len(line) < 1000, f"the line is too long: {len(line)} characters")


def of_mailbox(fault, code):
    """The mailbox stops, and no other."""
    with Scene(EVERYBODY, profile=PROFILE_KEYS) as scene:
        scene.answers_linger = "delay" in fault or fault.get("body") in ("endless", "deep")
        fill(scene)
        for address, step in STEPS.items():
            scene.exchange.fault(mailbox=address, operation=step, count=0, **fault)
        scene.daemon.start()
        for address, step in STEPS.items():
            check_line(scene.daemon.until_logged(f"{address}: incoming failed: {step}: "), code)
            rows = until(lambda: [row for row in scene.ledger.unresolved(address)
                                  if row["scope"] == "mailbox"], "the failure is recorded")
            check_row(rows[0], step, code)
        scene.until_delivered(CARLA, len(SOME))
        check_equal(scene.ledger.unresolved(CARLA), [], "failures of another mailbox")
        check_equal(scene.maildir(ANN).count(), 0, "messages delivered in spite of the fault")
        scene.exchange.clear_faults()
        check_whole(scene)
        scene.daemon.until_logged(f"{ANN}: incoming works again")


def of_profile(fault, code, mended_by_hand=False):
    """All mailboxes of the profile wait. `mended_by_hand`: nobody is
    locked out by tries: it takes a new password, or an hour."""
    with Scene(EVERYBODY, profile=PROFILE_KEYS) as scene:
        fill(scene)
        scene.exchange.fault(count=0, **fault)
        scene.daemon.start()
        check_line(scene.daemon.until_logged(f"profile {PROFILE}: all its mailboxes wait: FindItem"),
                   code)
        rows = until(lambda: [row for row in scene.ledger.unresolved() if row["mailbox"] is None],
                     "the failure is recorded")
        check_row(rows[0], "FindItem", code)
        check_equal((rows[0]["scope"], rows[0]["profile"]), ("profile", PROFILE), "the failure is of")
        scene.exchange.clear_faults()
        if mended_by_hand:
            scene.change_password("another-password")
        check_whole(scene)
        if not mended_by_hand:
            scene.daemon.until_logged(f"profile {PROFILE}: the server answers again")


def of_items(fault, code):
    """Ann cannot be listed; of Ben's messages each is recorded by itself."""
    with Scene(EVERYBODY, profile=PROFILE_KEYS) as scene:
        fill(scene)
        for address, step in STEPS.items():
            scene.exchange.fault(mailbox=address, operation=step, count=0, **fault)
        scene.daemon.start()
        check_line(scene.daemon.until_logged(f"{ANN}: incoming failed: FindItem: "), code)
        check_line(scene.daemon.until_logged(f"{BEN}: a message received", "was not delivered",
                                             "GetItem"), code)
        rows = until(lambda: scene.ledger.unresolved(BEN), "the failures are recorded")
        check_row(rows[0], "GetItem", code)
        scene.until_delivered(CARLA, len(SOME))
        scene.exchange.clear_faults()
        check_whole(scene)


# --- statuses --------------------------------------------------------------------------------------

for status in (400, 403, 413, 429, 451, 500, 502, 503, 504):
    add_case(f"HTTP {status} stops the mailbox alone and is over when it is over",
             of_mailbox, {"http": status}, f"HTTP {status}")
for status in (302, 404):
    add_case(f"HTTP {status} stops the profile and is over when it is over",
             of_profile, {"http": status}, f"HTTP {status}")
add_case("a redirection is not followed, wherever it leads", of_profile,
         {"http": 302, "header": "Location: https://elsewhere.example.com/"}, "HTTP 302")
add_case("HTTP 401 stops the profile until it has a new password", of_profile,
         {"http": 401, "header": 'WWW-Authenticate: Basic realm="x"'}, "HTTP 401", True)
add_case("HTTP 503 with Retry-After is waited for", of_mailbox,
         {"http": 503, "header": "Retry-After: 1"}, "HTTP 503")
add_case("HTTP 500 with a page of a load balancer is told as what it is", of_mailbox,
         {"http": 500, "body": "<html><body>Service unavailable</body></html>"}, "HTTP 500")

# --- SOAP faults and response codes ------------------------------------------------------------------

for manner, values in (("with its detail", {}), ("without a detail", {"detail": 0}),
                       ("with other prefixes", {"prefix": "zz"}),
                       ("under HTTP 200", {"status": 200})):
    add_case(f"a SOAP fault {manner} is understood", of_mailbox,
             {"soap": "ErrorMailboxStoreUnavailable", **values}, "ErrorMailboxStoreUnavailable")
for code in ("ErrorServerBusy", "ErrorImpersonateUserDenied", "ErrorNonExistentMailbox",
             "ErrorAccessDenied", "ErrorMailboxMoveInProgress", "ErrorInternalServerTransientError"):
    add_case(f"the SOAP fault {code} stops the mailbox alone", of_mailbox, {"soap": code}, code)
add_case("the SOAP fault ErrorServerBusy with BackOffMilliseconds is waited for", of_mailbox,
         {"soap": "ErrorServerBusy", "back_off": 700}, "ErrorServerBusy")
add_case("the SOAP fault ErrorImpersonationDenied stops the profile", of_profile,
         {"soap": "ErrorImpersonationDenied"}, "ErrorImpersonationDenied")
for code in ("ErrorMailboxStoreUnavailable", "ErrorServerBusy", "ErrorTimeoutExpired"):
    add_case(f"the response code {code} for all items stops the mailbox alone", of_mailbox,
             {"code": code}, code)
for code in ("ErrorItemCorrupt", "ErrorContentConversionFailed", "ErrorNewCodeOfTomorrow"):
    add_case(f"the response code {code} is of the messages that it comes for", of_items,
             {"code": code}, code)

# --- connections and bodies --------------------------------------------------------------------------

for moment in ("before", "after"):
    add_case(f"a connection that the server closes {moment} carrying a request out is told",
             of_mailbox, {"close": moment}, "CURLE_")
add_case("a connection that the server closes in the middle of its answer is told", of_mailbox,
         {"close": "middle"}, "CURLE_PARTIAL_FILE")
add_case("an answer that does not come within request_timeout is given up", of_mailbox,
         {"delay": 20000}, "CURLE_OPERATION_TIMEDOUT")
for body, code in (("truncated", "Xml"), ("garbage", "Xml"), ("html", ""), ("empty", ""),
                   ("endless", "Xml"), ("deep", "Xml"), ("doctype", "Xml")):
    add_case(f"an answer that is {body} is not taken for anything", of_mailbox, {"body": body}, code)


@case("a connection that dies when it is used again costs nothing")
def _():
    with Scene(EVERYBODY, profile=PROFILE_KEYS) as scene:
        fill(scene)
        scene.exchange.fault(close="before", reused=1, count=0)
        scene.daemon.start()
        check_whole(scene)
        check(scene.exchange.counter("faults") > 0, "the fault was never met")


@case("faults at random among all requests lose nothing and double nothing")
def _():
    with Scene(EVERYBODY, profile={**PROFILE_KEYS, "batch_size": 2, "page_size": 10}) as scene:
        fill(scene)
        for number, fault in enumerate(({"http": 503}, {"close": "middle"}, {"body": "truncated"},
                                        {"close": "after"}, {"soap": "ErrorServerBusy"},
                                        {"body": "garbage"}, {"http": 500},
                                        {"code": "ErrorItemCorrupt", "index": 0})):
            scene.exchange.fault(every=5 + number, count=0, **fault)
        scene.daemon.start()
        until(lambda: scene.exchange.counter("faults") >= 25, "25 faults are met")
        scene.exchange.clear_faults()
        check_whole(scene)


# --- items -------------------------------------------------------------------------------------------

def one_bad_item(spoil, code, profile):
    """One message among others: they are delivered, it is recorded, and comes when it is healed."""
    with Scene(EVERYBODY, profile={**PROFILE_KEYS, **profile}) as scene:
        fill(scene)
        bad = max(SOME, key=lambda path: path.stat().st_size).name
        scene.exchange.control("spoil", mailbox=BEN, source=bad, **spoil)
        scene.daemon.start()
        scene.until_delivered(BEN, len(SOME) - 1)
        line = scene.daemon.until_logged(f"{BEN}: a message received", "was not delivered", "GetItem")
        check_line(line, code)
        rows = until(lambda: scene.ledger.unresolved(BEN), "the failure is recorded")
        check_equal([row["scope"] for row in rows], ["item"], "scopes of the failures")
        check_row(rows[0], "GetItem", code)
        scene.exchange.add(BEN, message("later"))
        scene.until_delivered(BEN, len(SOME))
        check(bad_is_missing(scene, bad), "the bad message was delivered")
        scene.exchange.control("spoil", mailbox=BEN, source=bad, clear=1)
        scene.until_delivered(BEN, len(SOME) + 1)
        check_whole(scene)


def bad_is_missing(scene, source):
    item = next(item for item in scene.exchange.items(BEN) if item["source"] == source)
    content = scene.exchange.mime(item).replace(b"\r\n", b"\n")
    return content not in scene.maildir(BEN).contents()


for spoil, code in (({"breaks": "http500"}, "HTTP 500"),
                    ({"no_mime": 1}, "ErrorUnsupportedMimeConversion"),
                    ({"error": "ErrorItemCorrupt"}, "ErrorItemCorrupt"),
                    ({"error": "ErrorVirusDetected"}, "ErrorVirusDetected"),
                    ({"error": "ErrorInternalServerError"}, "ErrorInternalServerError")):
    what = ", ".join(f"{key}={value}" for key, value in spoil.items())
    add_case(f"a message that is spoiled by {what} is found out, and holds up no other",
             one_bad_item, spoil, code, {"batch_size": 20})
for spoil, code in (({"breaks": "truncated"}, "Xml"), ({"breaks": "close"}, "CURLE_PARTIAL_FILE"),
                    ({"breaks": "http500"}, "HTTP 500")):
    add_case(f"a message that breaks its answer ({spoil['breaks']}) is found out with one message a "
             "request, too", one_bad_item, spoil, code, {"batch_size": 1})


def broken_batches(breaks):
    """What came whole before the answer broke counts; the rest is asked for again."""
    with Scene(EVERYBODY, profile={**PROFILE_KEYS, "batch_size": 20}) as scene:
        fill(scene)
        for path in SOME[3:6]:
            scene.exchange.control("spoil", mailbox=BEN, source=path.name, breaks=breaks)
        scene.daemon.start()
        scene.until_delivered(BEN, len(SOME) - 3)
        for path in SOME[3:6]:
            scene.exchange.control("spoil", mailbox=BEN, source=path.name, clear=1)
        check_whole(scene)


for breaks in ("http500", "malformed", "truncated", "close"):
    add_case(f"several messages that break their batches ({breaks}) hold up no other",
             broken_batches, breaks)


@case("a message with illegal characters in its subject is delivered")
def _():
    with Scene(EVERYBODY) as scene:
        fill(scene)
        for character, path in zip(("0", "1A", "B"), SOME):
            scene.exchange.control("spoil", mailbox=ANN, source=path.name, illegal=character)
        scene.daemon.start()
        check_whole(scene)


@case("a message that is gone before it is fetched is no failure")
def _():
    with Scene([ANN], profile=PROFILE_KEYS) as scene:
        for number in range(6):
            scene.exchange.add(ANN, message(), source=f"{number}")
        scene.exchange.control("spoil", mailbox=ANN, source="2", error="ErrorItemNotFound")
        scene.daemon.start()
        scene.until_delivered(ANN, 5)
        scene.until_polled(ANN)
        check_equal(scene.ledger.failures(ANN), [], "failures")


main()
