#!/usr/bin/python3
"""TLS: the server is who it says it is, or nothing is sent to it."""

from certificate import Authority
from harness import CORPUS, add_case, case, check, check_equal, main, until
from mail import message
from scene import ANN, BEN, PROFILE, Scene

MESSAGES = len(list(CORPUS.glob("*.eml")))
LOADED = [word for address in (ANN, BEN) for word in ("--load", f"{address}:Inbox:{CORPUS}")]


def start(scene, certificate, key):
    scene.start_exchange([*LOADED, "--tls-certificate", certificate, "--tls-key", key])


@case("over TLS everything arrives")
def _():
    with Scene([ANN, BEN], exchange=False, defaults={"line_endings": "crlf"}) as scene:
        authority = Authority(scene.folder)
        scene.profile_keys["tls_ca_file"] = authority.certificate
        start(scene, *authority.sign("server"))
        check(scene.exchange.url.startswith("https://"), "the simulator does not speak TLS")
        scene.daemon.start()
        for address in (ANN, BEN):
            scene.until_delivered(address, MESSAGES)
            scene.check_delivered(address, crlf=True)


def wrong_certificate(name, words):
    """Nothing is sent; when the certificate is put right, everything arrives."""
    with Scene([ANN, BEN], exchange=False) as scene:
        authority, stranger = Authority(scene.folder), Authority(scene.folder, "stranger")
        wrong = {"for another name": lambda: authority.sign("wrong", "DNS:other.example.com"),
                 "of an unknown authority": lambda: stranger.sign("wrong"),
                 "that signs itself": lambda: (stranger.certificate, stranger.key),
                 "that has expired": lambda: authority.sign("wrong", expired=True)}[name]()
        scene.profile_keys["tls_ca_file"] = authority.certificate
        start(scene, *wrong)
        scene.daemon.start()
        line = scene.daemon.until_logged(f"profile {PROFILE}: all its mailboxes wait")
        check(all(word in line for word in (*words, "CURLE_PEER_FAILED_VERIFICATION", "Next try")),
              f"the cause is not named: {line!r}")
        row = until(lambda: scene.ledger.unresolved(), "the failure is recorded")[0]
        check_equal((row["scope"], row["category"], row["permanent"]), ("profile", "tls", 1),
                    "the failure")
        check_equal(scene.exchange.counters().get("requests.total", 0), 0, "requests sent")
        certificate, key = authority.sign("right")
        scene.exchange.control("certificate", certificate=certificate, key=key)
        for address in (ANN, BEN):
            scene.until_delivered(address, MESSAGES)
            scene.check_delivered(address)
        until(lambda: not scene.ledger.unresolved(), "no failure is left")


for name, words in (("for another name", ("for another name",)),
                    ("of an unknown authority", ("authority that this machine does not trust",)),
                    ("that signs itself", ("signed by itself",)),
                    ("that has expired", ("has expired",))):
    add_case(f"a certificate {name} is refused by its reason, and mail flows once it is right",
             wrong_certificate, name, words)


@case("tls_verification = dangerously-disabled takes any certificate")
def _():
    with Scene([ANN], exchange=False,
               profile={"tls_verification": "dangerously-disabled"}) as scene:
        start(scene, *Authority(scene.folder).sign("wrong", "DNS:other.example.com", expired=True))
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)


@case("an authority that the configuration comes to trust is taken into use by a reload")
def _():
    with Scene([ANN], exchange=False) as scene:
        authority = Authority(scene.folder)
        start(scene, *authority.sign("server"))
        scene.daemon.start()
        scene.daemon.until_logged(f"profile {PROFILE}: all its mailboxes wait")
        scene.profile_keys["tls_ca_file"] = authority.certificate
        scene.reload()
        scene.until_delivered(ANN, MESSAGES)


@case("a server that speaks no TLS is told as what it is")
def _():
    with Scene([ANN], LOADED) as scene:
        scene.profile_keys["url"] = scene.exchange.url.replace("http://", "https://")
        scene.write_configuration()
        scene.daemon.start()
        line = scene.daemon.until_logged(f"profile {PROFILE}: all its mailboxes wait")
        check("TLS" in line and "CURLE_SSL_CONNECT_ERROR" in line, f"it says {line!r}")
        scene.profile_keys["url"] = scene.exchange.url
        scene.reload()
        scene.until_delivered(ANN, MESSAGES)


@case("faults over TLS lose nothing and double nothing")
def _():
    with Scene([ANN, BEN], exchange=False,
               profile={"batch_size": 3, "request_timeout": "2s"}) as scene:
        authority = Authority(scene.folder)
        scene.profile_keys["tls_ca_file"] = authority.certificate
        start(scene, *authority.sign("server"))
        for number, fault in enumerate(({"close": "middle"}, {"close": "before"}, {"http": 500},
                                        {"body": "truncated"}, {"close": "before", "reused": 1})):
            scene.exchange.fault(every=4 + number, count=0, **fault)
        scene.daemon.start()
        until(lambda: scene.exchange.counter("faults") >= 12, "12 faults are met")
        scene.exchange.clear_faults()
        scene.exchange.add(ANN, message("the last one"))
        scene.until_delivered(ANN, MESSAGES + 1)
        scene.until_delivered(BEN, MESSAGES)
        for address in (ANN, BEN):
            scene.check_delivered(address)
        until(lambda: not scene.ledger.unresolved(), "no failure is left")


@case("a server that is away is waited for, and mail flows once it is there")
def _():
    with Scene([ANN], LOADED) as scene:
        port = scene.exchange.url.split(":")[2].split("/")[0]
        scene.exchange.stop()
        scene.daemon.start()
        line = scene.daemon.until_logged(f"profile {PROFILE}: all its mailboxes wait")
        check("CURLE_COULDNT_CONNECT" in line, f"it says {line!r}")
        until(lambda: scene.ledger.unresolved(), "the failure is recorded")
        scene.start_exchange([*LOADED[:2], "--port", port])
        scene.until_delivered(ANN, MESSAGES)
        until(lambda: not scene.ledger.unresolved(), "no failure is left")


main()
