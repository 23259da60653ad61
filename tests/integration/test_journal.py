#!/usr/bin/python3
"""Alerts in a real journal: an entry for each thing that is said, with all of its fields, and what
`journalctl -x` shows below it."""

import re

from alerting import (ACCOUNT, AlertScene, DONE, HAS_BEEN, IS_BEING, NOT, PROFILE, by_smtp, receiving,
                      sending)
from harness import ROOT, case, check, check_equal, main, until
from journal import Journal, JournalDaemon
from scene import ANN, BEN, CARLA
from sending import mail
from smtp_server import SmtpServer

IDS = dict(re.findall(r'#define (MESSAGE_\w+)\s+"([0-9a-f]+)"',
                      (ROOT / "daemon/messages.h").read_text()))
OPENED, TOLD = IDS["MESSAGE_ALERT_IMPERSONATION"], IDS["MESSAGE_ALERT_NOTIFIED"]
RESOLVED = IDS["MESSAGE_ALERT_RESOLVED"]


class JournalScene(AlertScene):
    def __init__(self, journal, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self.daemon = JournalDaemon(self.daemon, journal)
        self.journal = journal


def check_fields(entry, wanted):
    for name, value in wanted.items():
        found = entry.get(name)
        check(found is not None and (found == value if isinstance(value, str) else value(found)),
              f"{name} is {found!r}")


def has(*words):
    return lambda value: all(word in value for word in words)


@case("an alert is an entry of its own with all its fields, and journalctl -x says what to do")
def _():
    with Journal() as journal, JournalScene(journal, [ANN, CARLA],
                                            impersonation=f"all,-{CARLA}") as scene:
        scene.daemon.start()
        opened = journal.until_entries(1, OPENED)[0]
        row = scene.open_alerts()[0]
        failure = scene.ledger.rows("SELECT * FROM failure WHERE id = ?", row["failure"])[0]
        fields = {
            "MESSAGE": receiving(CARLA, IS_BEING), "PRIORITY": "3", "EXSYNC_PROFILE": PROFILE,
            "EXSYNC_MAILBOX": CARLA, "EXSYNC_DIRECTION": "incoming", "EXSYNC_STEP": failure["step"],
            "EXSYNC_CODE": "ErrorImpersonateUserDenied", "EXSYNC_ACCOUNT": ACCOUNT,
            "EXSYNC_ALERT": str(row["id"]), "EXSYNC_CAUSE": failure["sentence"],
            "EXSYNC_ACTIVITY": lambda value: re.fullmatch(r"[0-9a-f-]{36}", value),
            "EXSYNC_REMEDY": has("New-ManagementRoleAssignment", ACCOUNT, "tests again by itself."),
            "EXSYNC_DETAILS": has(f"ActivityId: {opened.get('EXSYNC_ACTIVITY')}\n>Error : ",
                                  f"\nat {failure['step']}: ErrorImpersonateUserDenied"),
        }
        check_fields(opened, fields)
        check("EXSYNC_SUBJECT" not in opened, "there is no message that was being sent")
        told = journal.until_entries(1, TOLD)[0]
        said_before = ("EXSYNC_CAUSE", "EXSYNC_REMEDY", "EXSYNC_DETAILS")
        check_fields(told, {**{name: value for name, value in fields.items()
                               if name not in said_before},
                            "MESSAGE": receiving(CARLA, HAS_BEEN),
                            "EXSYNC_ACTIVITY": lambda value: True})
        shown = journal.read("--catalog", f"MESSAGE_ID={OPENED}")
        for words in (receiving(CARLA, IS_BEING), "New-ManagementRoleAssignment", CARLA, ACCOUNT,
                      ">Error : ", "at profile"):
            check(words in shown, f"journalctl -x does not show {words!r}: {shown}")
        scene.exchange.grant(CARLA)
        scene.until_no_alert()
        check_fields(journal.until_entries(1, RESOLVED)[0],
                     {"PRIORITY": "5", "EXSYNC_PROFILE": PROFILE, "EXSYNC_MAILBOX": CARLA,
                      "EXSYNC_DIRECTION": "incoming"})
        scene.until_told(2)
        check_equal([len(journal.entries(number)) for number in (OPENED, TOLD, RESOLVED)],
                    [1, 1, 1], "entries in the end")
        check_equal(scene.daemon.log(), "", "what is said beside the journal")


@case("of each alert, by its number: being, at most once could not be, at most once has been notified")
def _():
    letters = {OPENED: "B", IDS["MESSAGE_ALERT_NOT_NOTIFIED"]: "N", TOLD: "D"}
    with Journal() as journal, SmtpServer() as server, \
            JournalScene(journal, [ANN, CARLA], sections={"smtp": by_smtp(server)},
                         notify={"notify": "smtp"}, impersonation=f"all,-{CARLA}") as scene:
        def until_well(count):
            """Nothing waits that would hold back the next message."""
            until(lambda: sum("well" in mail.message["Subject"] for mail in server.delivered())
                  == count, f"all is well for the {count}. time")

        scene.daemon.start()
        for number in range(2):
            until(lambda: [row["told"] for row in scene.open_alerts()] == [DONE], "the owner knows")
            scene.exchange.grant(CARLA)
            until_well(2 * number + 1)
            server.stop()
            scene.exchange.revoke(CARLA)
            until(lambda: [row["told"] for row in scene.open_alerts()] == [NOT], "it cannot be told")
            scene.exchange.grant(CARLA)
            scene.until_no_alert()
            server.start()
            until_well(2 * number + 2)
            scene.exchange.revoke(CARLA)
        until(lambda: [row["told"] for row in scene.open_alerts()] == [DONE], "the owner knows")
        scene.exchange.grant(CARLA)
        scene.until_no_alert()
        until(lambda: [row["told"] for row in scene.alerts()] == [DONE] * 5, "all are told", 30)
        journal.until_entries(5, TOLD)
        said = {}
        for entry in journal.entries():
            if entry.get("MESSAGE_ID") in letters:
                number = int(entry["EXSYNC_ALERT"])
                said[number] = said.get(number, "") + letters[entry["MESSAGE_ID"]]
        check_equal(sorted(said), [row["id"] for row in scene.alerts()], "alerts that are told of")
        check_equal([said[number] for number in sorted(said)], ["BD", "BND", "BD", "BND", "BD"],
                    "what was said of each")


@case("a wrong configuration is explained once, below the mistakes, however many there are")
def _():
    with Journal() as journal, JournalScene(journal, [ANN]) as scene:
        scene.daemon.start()
        journal.until_entries(1, IDS["MESSAGE_STARTED"])
        scene.profile_keys |= {f"bogus{number}": "1" for number in range(3)}
        scene.write_configuration()
        scene.daemon.reload()
        refused = journal.until_entries(1, IDS["MESSAGE_RELOAD_FAILED"])
        check_equal([entry["MESSAGE"] for entry in refused],
                    ["the configuration has mistakes; the one in use stays"], "what is explained")
        shown = journal.read("--catalog")
        check_equal([shown.count(f"bogus{number}: is no key") for number in range(3)], [1, 1, 1],
                    "times that each mistake is told")
        check_equal(shown.count("Subject: The configuration was not reloaded"), 1, "explanations")
        check(shown.rindex("is no key") < shown.index("the configuration has mistakes"), shown)
        del scene.profile_keys["bogus0"], scene.profile_keys["bogus1"], scene.profile_keys["bogus2"]
        scene.write_configuration()


@case("the entry of a message that could not be sent has its subject")
def _():
    with Journal() as journal, JournalScene(journal, [ANN, BEN], impersonation=f"all,-{ANN}",
                                            defaults={"incoming": "no", "outgoing": "yes"}) as scene:
        scene.daemon.start()
        until(lambda: [entry for entry in journal.entries() if " started: " in entry["MESSAGE"]],
              "it has started")
        scene.submit(mail("Größe 4711"))
        entry = journal.until_entries(1, OPENED)[0]
        check_fields(entry, {"MESSAGE": sending(ANN, "Größe 4711", IS_BEING),
                             "EXSYNC_SUBJECT": "Größe 4711", "EXSYNC_DIRECTION": "outgoing"})
        scene.exchange.grant(ANN)
        scene.until_received(BEN, 1)
        scene.until_settled()
        scene.until_no_alert()


main()
