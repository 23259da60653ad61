#!/usr/bin/python3
"""Every fault that the Exchange simulator can script happens as it was scripted, and only then."""

import base64
import contextlib
import http.client
import re
import select
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import urllib.parse

from exchange_simulator import CORPUS, Checks, Client, Simulator, basic, envelope

checks = Checks()
ANN, BOB = "ann@example.com", "bob@example.com"
FIND = ('<m:FindItem Traversal="Shallow"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>'
        '<t:AdditionalProperties><t:FieldURI FieldURI="item:Subject"/></t:AdditionalProperties>'
        '</m:ItemShape><m:ParentFolderIds><t:DistinguishedFolderId Id="inbox"/>'
        "</m:ParentFolderIds></m:FindItem>")
CLOSED = (http.client.RemoteDisconnected, ConnectionError)


def get_item(*ids, mime=True):
    wanted = "".join(f'<t:ItemId Id="{i}"/>' for i in ids)
    return ("<m:GetItem><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>"
            f"<t:IncludeMimeContent>{str(mime).lower()}</t:IncludeMimeContent></m:ItemShape>"
            f"<m:ItemIds>{wanted}</m:ItemIds></m:GetItem>")


def post(simulator, body=FIND, mailbox=ANN, client=None, **headers):
    return (client or Client(simulator.url)).post(envelope(body, mailbox),
                                                  **{"X-AnchorMailbox": mailbox, **headers})


def codes(answer):
    return re.findall(rb"ResponseCode>([A-Za-z]+)<", answer)


def choosing(simulator):
    simulator.control("fault", http=503, count=2, after=1, header="Retry-After: 30", body="busy")
    found = [post(simulator) for _ in range(4)]
    checks.equal([status for status, _, _ in found], [200, 503, 503, 200],
                 "a fault meets the next N, after some")
    checks.ok(found[1][1]["Retry-After"] == "30" and found[1][2] == b"busy",
              "with the headers and body that were asked for")
    simulator.control("fault", http=429, every=3, count=0)
    checks.equal([post(simulator)[0] for _ in range(6)], [200, 200, 429] * 2, "or every Nth")
    simulator.control("clear-faults")
    checks.equal([post(simulator)[0] for _ in range(3)], [200] * 3, "until it is cleared")
    simulator.control("fault", http=500, operation="any", count=2)
    checks.equal([post(simulator)[0], post(simulator, get_item("x"))[0], post(simulator)[0]],
                 [500, 500, 200], "any operation")
    simulator.control("fault", http=500, operation="FindItem", mailbox=BOB)
    checks.equal([post(simulator)[0], post(simulator, get_item("x"), BOB)[0],
                  post(simulator, FIND, BOB)[0]], [200, 200, 500],
                 "only the operation and mailbox that it is for")
    checks.equal(simulator.control("faults")["faults"][-1],
                 {"fault": 4, "hits": 1, "over": True, "seen": 1}, "and tells its hits")
    checks.equal(simulator.control_raw("fault", body="x", http=99)[0], 400,
                 "a fault that makes no sense is refused")
    checks.equal(simulator.control_raw("nonsense")[0], 404, "so is an unknown command")


def soap(simulator):
    simulator.control("fault", soap="ErrorServerBusy", back_off=4711, prefix="q1", message="<later>")
    status, _, answer = post(simulator)
    checks.ok(status == 500 and b"<q1:Fault>" in answer and b">4711<" in answer and
              b"&lt;later&gt;" in answer, "a SOAP fault has its code, prefix and back-off", answer)
    simulator.control("fault", soap="ErrorImpersonateUserDenied", detail=0, status=200)
    status, _, answer = post(simulator)
    checks.ok(status == 200 and b"<detail>" not in answer and
              b"a:ErrorImpersonateUserDenied" in answer, "or no detail, under HTTP 200")
    ids = [item["id"] for item in simulator.items(ANN, "Inbox")[:3]]
    simulator.control("fault", code="ErrorMailboxStoreUnavailable", index=1, operation="GetItem")
    checks.equal(codes(post(simulator, get_item(*ids))[2]),
                 [b"NoError", b"ErrorMailboxStoreUnavailable", b"NoError"],
                 "a response code meets one item")
    simulator.control("fault", code="ErrorTooManyObjectsOpened")
    checks.equal(codes(post(simulator, get_item(*ids))[2]), [b"ErrorTooManyObjectsOpened"] * 3,
                 "or all of them")


def draft(subject):
    return ('<m:CreateItem MessageDisposition="SaveOnly"><m:Items><t:Message>'
            f"<t:Subject>{subject}</t:Subject></t:Message></m:Items></m:CreateItem>")


def closing(simulator):
    def closes(name, body=FIND, **fault):
        simulator.control("fault", **fault)
        checks.raises(CLOSED, lambda: post(simulator, body), name)

    def drafts():
        return [item["subject"] for item in simulator.items(ANN, "Drafts")]

    closes("the connection is closed before the request is read", draft("one"), close="before")
    closes("or, for an operation, before it is carried out", draft("two"), close="before",
           operation="CreateItem")
    checks.equal(drafts(), [], "nothing is carried out then")
    closes("the connection is closed instead of an answer", draft("three"), close="after")
    checks.equal(drafts(), ["three"], "after the request was carried out")
    simulator.control("fault", close="middle")
    checks.raises(http.client.IncompleteRead, lambda: post(simulator),
                  "the connection is closed in the middle of the answer")
    simulator.control("fault", close="before", reused=1)
    client = Client(simulator.url)
    checks.equal(post(simulator, client=client)[0], 200, "a new connection is answered")
    checks.raises(CLOSED, lambda: post(simulator, client=client),
                  "a reused one is closed without a byte")


def closing_while_sending(simulator):
    """What has been carried out of the two steps, wherever the connection is closed."""
    def make(subject):
        post(simulator, draft(subject).replace("</t:Message>", "<t:ToRecipients><t:Mailbox>"
             f"<t:EmailAddress>{BOB}</t:EmailAddress></t:Mailbox></t:ToRecipients></t:Message>"))
        return simulator.items(ANN, "Drafts", subject=subject)[0]

    def send(item):
        return ('<m:SendItem SaveItemToFolder="true"><m:ItemIds>'
                f'<t:ItemId Id="{item["id"]}" ChangeKey="{item["change_key"]}"/></m:ItemIds>'
                "</m:SendItem>")

    for how, sent in (("before", 0), ("after", 1), ("middle", 1)):
        item = make(f"sent {how}")
        simulator.control("fault", operation="SendItem", close=how)
        checks.raises((http.client.IncompleteRead, *CLOSED), lambda: post(simulator, send(item)),
                      f"SendItem: the connection is closed: {how}")
        checks.equal([len(simulator.items(box, folder, subject=f"sent {how}")) for box, folder in
                      ((ANN, "Drafts"), (ANN, "Sent Items"), (BOB, "Inbox"))],
                     [1 - sent, sent, sent], "the message is in one place only")
    simulator.control("fault", operation="CreateItem", close="middle")
    checks.raises((http.client.IncompleteRead, *CLOSED), lambda: post(simulator, draft("halfway")),
                  "CreateItem: the connection is closed in the middle")
    checks.equal(len(simulator.items(ANN, "Drafts", subject="halfway")), 1, "the draft is there")


def upload(simulator, megabytes):
    """Uploads until there is an answer: its status (None: closed without one), and bytes sent."""
    target = urllib.parse.urlsplit(simulator.url)
    start, end = envelope(draft("SPLIT"), ANN).split(b"SPLIT")
    size = megabytes << 20
    with socket.create_connection((target.hostname, target.port), timeout=60) as connection:
        connection.sendall(f"POST {target.path} HTTP/1.1\r\nHost: {target.netloc}\r\n"
                           f"Authorization: {basic('svc', 'secret')}\r\n"
                           "Content-Type: text/xml; charset=utf-8\r\nContent-Length: "
                           f"{len(start) + size + len(end)}\r\n\r\n".encode() + start)
        sent, block = 0, b"x" * 65536
        answer = b""
        with contextlib.suppress(ConnectionError):
            while sent < size and not select.select([connection], [], [], 0)[0]:
                connection.sendall(block)
                sent += len(block)
            if sent == size:
                connection.sendall(end)
        with contextlib.suppress(ConnectionError):  # an answer may have come before the end
            answer = connection.recv(4096)
    return int(answer.split()[1]) if answer else None, sent


def uploads(simulator):
    simulator.control("limits", request_size=64 << 20, too_large=413)
    checks.equal(upload(simulator, 60), (200, 60 << 20), "60 MB are taken where they may be")
    for status in 413, 404:
        simulator.control("limits", request_size=1 << 20, too_large=status)
        found, sent = upload(simulator, 60)
        checks.ok(found == status and sent < 60 << 20,
                  f"60 MB that are too many get {status} in the middle of the upload",
                  (found, sent))
    simulator.control("limits", request_size=64 << 20, too_large=413)


def bodies(simulator):
    def body(kind, **more):
        simulator.control("fault", body=kind, **more)
        return post(simulator)

    whole = post(simulator)[2]
    status, _, half = body("truncated")
    checks.ok(status == 200 and whole.startswith(half) and len(half) == len(whole) // 2,
              "a truncated body is the first half")
    checks.ok(b"<" not in body("garbage")[2][:4], "garbage is no XML")
    checks.equal(body("empty")[2], b"", "an empty body is empty")
    checks.ok(b"<br>" in body("html")[2], "HTML is no XML")
    checks.equal(body("deep", depth=5000)[2].count(b"<a>"), 5000, "a deep body is as deep as told")
    checks.ok(b"<!DOCTYPE" in body("doctype")[2], "a DOCTYPE can be served")
    simulator.control("fault", body="endless")
    client = Client(simulator.url)
    client.connection.request("POST", client.path, envelope(FIND, ANN), client.headers)
    response = client.connection.getresponse()
    got = sum(len(response.read(1 << 20)) for _ in range(30))
    client.close()
    checks.equal(got, 30 << 20, "an endless body goes on until the client has enough")
    start = time.monotonic()
    simulator.control("fault", delay=300)
    post(simulator)
    checks.ok(time.monotonic() - start >= 0.3, "an answer can be delayed")


def items(simulator):
    all_items = simulator.items(ANN, "Inbox")
    first, bad = all_items[0]["id"], all_items[1]["id"]
    for breakage in "http500", "malformed", "truncated", "close":
        simulator.control("spoil", item=bad, breaks=breakage)
        try:
            status, _, answer = post(simulator, get_item(first, bad))
            broken = status == 500 or not answer.endswith(b"</s:Envelope>")
        except http.client.IncompleteRead:
            broken = True
        checks.ok(broken and codes(post(simulator, get_item(first))[2]) == [b"NoError"],
                  f"an item breaks the batch it is in: {breakage}")
        checks.equal(post(simulator)[0], 200, "but can be listed")
    simulator.control("spoil", item=bad, clear=1, no_mime=1)
    checks.equal((codes(post(simulator, get_item(first, bad))[2]),
                  codes(post(simulator, get_item(bad, mime=False))[2])),
                 ([b"NoError", b"ErrorUnsupportedMimeConversion"], [b"NoError"]),
                 "an item has no MIME, but properties")
    simulator.control("spoil", item=bad, clear=1, error="ErrorItemCorrupt")
    checks.equal(codes(post(simulator, get_item(bad))[2]), [b"ErrorItemCorrupt"],
                 "an item always answers an error")
    simulator.control("spoil", item=bad, clear=1, illegal="1A")
    checks.ok(b"&#x1A;</t:Subject>" in post(simulator)[2],
              "a subject holds an illegal character reference")
    simulator.control("spoil", item=bad, clear=1)
    checks.ok(b"&#x1A;" not in post(simulator)[2] and
              codes(post(simulator, get_item(bad))[2]) == [b"NoError"], "all that can be healed")


def limits(simulator):
    simulator.control("limits", concurrency=2, latency=300, back_off=77)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(post(simulator))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    busy = [answer for status, _, answer in answers if b"ErrorServerBusy" in answer]
    checks.ok(len(busy) == 3 and all(b'"BackOffMilliseconds">77<' in answer for answer in busy),
              "more requests than a mailbox may have get ErrorServerBusy", answers)
    checks.ok(simulator.counter(f"mailbox_concurrency.{ANN}") == 5 and
              simulator.counter("concurrency.peak") >= 5, "the peaks are counted")
    simulator.control("limits", concurrency=0, latency=0, request_size=2000)
    try:
        status = post(simulator, draft("x" * 2000))[0]
    except ConnectionError:  # closed in the middle of the upload
        status = 413
    checks.equal(status, 413, "a request that is too large gets 413")
    simulator.control("limits", too_large=404)
    client = Client(simulator.url)
    client.connection.putrequest("POST", client.path)
    client.connection.putheader("Content-Length", "1000000")
    client.connection.endheaders()
    checks.equal(client.connection.getresponse().status, 404,
                 "or 404, before anything of it was sent")
    simulator.control("limits", request_size=64 << 20)


def headers(simulator):
    simulator.control("counters", reset=1)
    _, found, _ = post(simulator, **{"client-request-id": "id-1",
                                     "return-client-request-id": "true"})
    checks.equal(found["client-request-id"], "id-1", "the client-request-id comes back")
    cookie = found["Set-Cookie"].split(";")[0]
    checks.ok(cookie.startswith("X-BackEndCookie="), "a mailbox has a cookie")
    _, found, _ = post(simulator, **{"Cookie": cookie, "client-request-id": "id-1"})
    checks.ok(found["Set-Cookie"] is None and simulator.counter("cookie_mismatches") == 0 and
              simulator.counter("request_id_mismatches") == 0, "that is not set again")
    post(simulator, mailbox=BOB, **{"Cookie": cookie, "client-request-id": "id-1",
                                    "X-AnchorMailbox": ANN})
    counters = simulator.control("counters")
    checks.equal([counters.get(name) for name in ("cookie_mismatches", "anchor_mismatches",
                                                  "request_id_mismatches")], [1, 1, 1],
                 "cookie, anchor and id of another mailbox are counted")
    checks.equal(simulator.control_raw("counters", get="requests.FindItem")[1], b"3\n",
                 "one counter can be read as text")
    client = Client(simulator.url)
    before = simulator.counter("sign_ins")
    for _ in range(3):
        post(simulator, client=client)
    checks.equal(simulator.counter("sign_ins") - before, 1, "a connection signs in once")


def certificates(folder):
    def make(name):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem",
                        "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1"],
                       check=True, capture_output=True)
    make("right")
    make("wrong")
    simulator = Simulator("--account", "svc:secret", "--impersonation", "svc:all", "--mailbox", ANN,
                          "--tls-certificate", f"{folder}/right.pem",
                          "--tls-key", f"{folder}/right.key", "--load-large", f"{ANN}:Inbox:3")
    target = urllib.parse.urlsplit(simulator.url)
    trust = ssl.create_default_context(cafile=f"{folder}/right.pem")

    def ask(body=FIND):
        connection = http.client.HTTPSConnection(target.hostname, target.port, context=trust,
                                                 timeout=30)
        connection.request("POST", target.path, envelope(body, ANN),
                           {"Authorization": basic("svc", "secret"), "Content-Type": "text/xml"})
        answer = connection.getresponse()
        return answer.status, answer.read()

    checks.ok(target.scheme == "https" and ask()[0] == 200, "TLS works")
    large = simulator.items(ANN)[0]
    content = re.search(rb"<t:MimeContent[^>]*>([^<]*)<", ask(get_item(large["id"]))[1])[1]
    checks.ok(abs(large["size"] - (3 << 20)) < 1000 and
              base64.b64decode(content) == simulator.control_raw("mime", item=large["id"])[1],
              "a large message goes through TLS")
    simulator.control("certificate", certificate=f"{folder}/wrong.pem", key=f"{folder}/wrong.key")
    checks.raises(ssl.SSLCertVerificationError, ask, "a wrong certificate is presented")
    simulator.control("certificate", certificate=f"{folder}/right.pem", key=f"{folder}/right.key")
    checks.equal(ask()[0], 200, "and the right one again")
    checks.equal(simulator.control_raw("certificate", certificate="/nowhere", key="/nowhere")[0], 400,
                 "a certificate that is not there changes nothing")
    checks.equal(simulator.stop(), (0, ""), "a simulator with TLS ends cleanly")


def crowds():
    simulator = Simulator("--account", "svc:secret", "--impersonation", "svc:all",
                          "--mailboxes", 2000, "--mailbox-pattern", "user%04d@example.com",
                          "--load-all", f"Inbox:{CORPUS}:10", "--load-large",
                          "user0001@example.com:Big:20", "--received-start", "2026-01-31T09:00:00Z",
                          "--received-step", 60, "--received-group", 2)
    checks.equal(len(simulator.control("mailboxes")["mailboxes"]), 2000, "2000 mailboxes are made")
    received = [i["received"][11:19] for i in simulator.items("user2000@example.com", "Inbox")]
    checks.equal(received[:5], ["09:00:00"] * 2 + ["09:01:00"] * 2 + ["09:02:00"],
                 "received times are spread as told")
    large = simulator.items("user0001@example.com", "Big")[0]
    _, _, answer = Client(simulator.url).post(envelope(get_item(large["id"]),
                                                       "user0001@example.com"))
    mime = simulator.control_raw("mime", item=large["id"])[1]
    checks.ok(len(mime) == large["size"] and len(answer) > large["size"] * 4 // 3,
              "a large message is served whole")
    checks.equal(simulator.stop()[0], 0, "a crowded simulator ends cleanly")


def proxies():
    simulator = Simulator("--account", "svc:secret", "--impersonation", "svc:all", "--mailbox", ANN,
                          "--trust-proxy-user", "X-Remote-User")
    client = Client(simulator.url, None)
    for user, wanted in (("svc", 200), ("svc@EXAMPLE.COM", 200), ("CONTOSO\\svc", 200),
                         ("other", 401)):
        checks.equal(post(simulator, client=client, **{"X-Remote-User": user})[0], wanted,
                     f"a proxy's user {user} gets {wanted}")
    checks.equal(post(simulator)[0], 401, "a password does not count behind a proxy")
    target = urllib.parse.urlsplit(simulator.url)
    hanging = socket.create_connection((target.hostname, target.port))
    hanging.sendall(b"POST /EWS/Exchange.asmx HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nab")
    checks.equal(simulator.stop(), (0, ""), "the simulator ends while a client hangs")


def main():
    folder = tempfile.mkdtemp()
    try:
        simulator = Simulator("--account", "svc:secret", "--impersonation", "svc:all", "--mailbox",
                              ANN, "--mailbox", BOB, "--load", f"{ANN}:Inbox:{CORPUS}")
        for part in (choosing, soap, closing, closing_while_sending, bodies, items, limits,
                     uploads, headers):
            part(simulator)
        simulator.control("fault", delay=60000)
        waiting = Client(simulator.url)
        waiting.connection.request("POST", waiting.path, envelope(FIND, ANN), waiting.headers)
        time.sleep(0.3)
        checks.equal(simulator.stop(), (0, ""), "the simulator ends cleanly, delayed answers or not")
        certificates(folder)
        crowds()
        proxies()
    finally:
        shutil.rmtree(folder)
    checks.end()


main()
