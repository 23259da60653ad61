#!/usr/bin/env python3
"""What exsyncctl shows: how everything is, what went wrong and what to do about it, for people, for
programs and for monitoring, and without a daemon."""

import json
import re
import socket

from alerting import OWNER, AlertScene
from exsyncctl import EX_NOUSER, EX_UNAVAILABLE, EX_USAGE, Exsyncctl
from harness import PATIENCE_S, case, check, check_equal, main, until
from ledger import locked
from mail import message
from scene import ACCOUNT, ANN, BEN, CARLA, PASSWORD, PROFILE, Scene
from sending import mail
from viewing import DENIED, mailbox_of, of_kind, refused, started, until_state

OK, WARNING, CRITICAL, UNKNOWN = 0, 1, 2, 3

STATUS = {"kind", "version", "now", "profiles", "mailboxes", "cycles", "queued", "queued_held", "refused",
          "outbox_unknown", "alerts", "storage", "reload_refused", "reload_error",
          "reload_under_way", "told"}
COUNTS = {"configured", "ok", "not_run", "failing", "stopped", "held", "off",
          "disabled", "partly_disabled", "paused"}
PROFILE_MEMBERS = {"kind", "name", "url", "account", "auth", "owner", "notify", "notify_command",
                   "smtp", "paused", "paused_since", "pause", "gate", "trouble", "next_try",
                   "sign_ins_refused", "refused_otherwise", "connections", "cycles", "mailboxes",
                   "stopped", "alerts"}
MAILBOX = {"kind", "address", "profile", "state", "incoming", "outgoing"}
WHOLE_MAILBOX = MAILBOX | {"account", "url", "identity", "maildir", "after_processing",
                           "move_folder", "process_email_from", "folders"}
DIRECTION = {"on", "disabled", "state", "result", "last_started", "last_succeeded", "processed", "failed",
             "next_due", "trouble", "hindrance"}
TROUBLE = {"category", "code", "step", "http_status", "permanent", "sentence", "remedy", "error",
           "failures", "since"}
ALERT = {"kind", "alert", "level", "scope", "profile", "mailbox", "direction", "category", "code",
         "step", "http_status", "message", "subject", "sentence", "told", "told_reason", "cause", "remedy",
         "error", "activity", "trace", "details", "opened", "last_seen", "resolved", "count",
         "absorbs"}
FAILURE = {"kind", "scope", "profile", "mailbox", "direction", "category", "code", "step",
           "http_status", "permanent", "sentence", "remedy", "error", "submission", "activity",
           "count", "first_seen", "last_seen", "next_retry", "resolved"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


# --- how it is -----------------------------------------------------------------------------------

@case("status has the counts first, then the profiles, then the mailboxes with both directions")
def _():
    with refused() as scene:
        tool = started(scene)
        until_state(tool, BEN, "stopped")
        until_state(tool, ANN, "ok")
        until_state(tool, CARLA, "ok")
        scene.until_told(1)
        lines = tool.output("status").splitlines()
        check_equal(lines[0], "exsyncd 0.1.0: 3 mailboxes on 1 profile", "the first line")
        check_equal(lines[1], "  mailboxes  2 ok, 1 stopped", "the counts")
        check("1 error, 0 warnings open" in lines[4], f"the alerts: {lines[4]}")
        text = "\n".join(lines)
        check(text.index(PROFILE) < text.index(ANN) < text.index(BEN) < text.index(CARLA),
              "profiles come before mailboxes, which are sorted")
        row = next(line for line in lines if line.startswith(BEN))
        check("stopped" in row and "failed" in row and DENIED in row and "off" in row, row)


@case("--json has the documented members, exact times, and nothing else on standard output")
def _():
    with refused() as scene:
        tool = started(scene)
        until_state(tool, BEN, "stopped")
        until_state(tool, ANN, "ok")
        scene.until_told(1)
        answers = tool.answers("status")
        status = answers[0]
        check_equal(set(status), STATUS, "members of the status")
        check_equal(set(status["mailboxes"]), COUNTS, "counts")
        check_equal((status["mailboxes"]["configured"], status["mailboxes"]["stopped"]), (3, 1),
                    "mailboxes")
        check_equal((status["alerts"], status["told"]), ({"errors": 1, "warnings": 0, "messages": 0}, "all"),
                    "alerts, and who is told")
        check_equal([answer["kind"] for answer in answers[1:]], ["profile"] + 3 * ["mailbox"],
                    "kinds of the answers")
        check_equal(set(answers[1]), PROFILE_MEMBERS, "members of a profile")
        for mailbox in of_kind(answers, "mailbox"):
            check_equal(set(mailbox), MAILBOX, "members of a mailbox")
            check_equal(set(mailbox["incoming"]), DIRECTION | {"backlog"}, "members of incoming")
            check_equal(set(mailbox["outgoing"]), DIRECTION | {"queued", "held"}, "members of outgoing")
            check(TIME.fullmatch(mailbox["incoming"]["next_due"]), "next_due is a time")
        ben = of_kind(answers, "mailbox")[1]
        check_equal(set(ben["incoming"]["trouble"]), TROUBLE, "members of a trouble")
        check_equal(ben["incoming"]["trouble"]["code"], DENIED, "code")
        check_equal(ben["outgoing"]["last_started"], None, "a time that is not")
        alerts, failures = tool.answers("alerts"), tool.answers("failures")
        check_equal(set(alerts[0]), ALERT, "members of an alert")
        check_equal(set(failures[0]), FAILURE, "members of a failure")
        check_equal(set(mailbox_of(tool, ANN)), WHOLE_MAILBOX, "members of one mailbox")
        for answer in answers + alerts + failures + tool.answers("mailbox", "show", BEN):
            check('""' not in json.dumps(answer), f"what has no value is null: {answer}")


@case("mailbox list has all of them, or those of a profile, or those in trouble")
def _():
    with refused() as scene:
        scene.sections = {"profile Other": {"url": "http://127.0.0.1:1/EWS/Exchange.asmx",
                                            "auth": "basic", "username": "x",
                                            "password_file": scene.password_file}}
        scene.mailboxes[CARLA] = {"profile": "Other"}
        scene.mailboxes[ANN] = scene.mailboxes[BEN] = {"profile": PROFILE}
        scene.write_configuration()
        tool = started(scene)
        until_state(tool, BEN, "stopped")
        until_state(tool, CARLA, "held")

        def addresses(*words):
            return [answer["address"] for answer in tool.answers("mailbox", "list", *words)]
        check_equal(addresses(), [ANN, BEN, CARLA], "all")
        check_equal(addresses("--profile", "Other"), [CARLA], "of a profile")
        check_equal(addresses("--trouble"), [BEN], "in trouble by themselves")
        tool.fails(EX_NOUSER, "mailbox", "list", "--profile", "None", saying='no profile "None"')
        check("No mailbox" in tool.output("mailbox", "list", "--trouble", "--profile", "Other"),
              "an empty list is said to be one")
        gate = tool.answers("profile", "show", "Other")[0]["gate"]
        check(gate in ("closed", "trying"), f"the gate of a server out of reach is {gate}")
        text = tool.output("profile", "list")
        check("waits" in text or "tries" in text, f"the profile out of reach: {text}")


@case("mailbox show tells the folders, the Maildir, the trouble and its remedy; in any case of letters")
def _():
    with refused() as scene:
        scene.exchange.add(ANN, message("one"))
        tool = started(scene)
        until_state(tool, BEN, "stopped")
        scene.until_delivered(ANN, 1)
        until(lambda: mailbox_of(tool, ANN)["folders"][0]["items"] == 1, "the folder is counted")
        ann = tool.output("mailbox", "show", ANN.upper())
        for text in (str(scene.folder / "mail" / ANN), ACCOUNT, "Inbox: 1 in Exchange", "leave"):
            check(text in ann, f"{text!r} is not in {ann}")
        ben = tool.output("mailbox", "show", BEN)
        for text in (DENIED, "may not impersonate", "ApplicationImpersonation", "in a row"):
            check(text in ben, f"{text!r} is not in {ben}")
        tool.fails(EX_NOUSER, "mailbox", "show", "nobody@example.com", saying="nobody@example.com")
        tool.fails(EX_USAGE, "mailbox", "show")


@case("profile show names the account, the url, the owner and the way to them, and never a secret")
def _():
    notify = {"notify": "command", "notify_command": "/bin/true --token word-of-a-secret"}
    with AlertScene([ANN], notify=notify) as scene:
        tool = started(scene)
        until_state(tool, ANN, "ok")
        text = tool.output("profile", "show", PROFILE)
        for wanted in (ACCOUNT, scene.exchange.url, OWNER, "by the command /bin/true", "nothing is wrong",
                       "sign-ins failed     none", "10 at most"):
            check(wanted in text, f"{wanted!r} is not in {text}")
        for secret in ("word-of-a-secret", PASSWORD):
            check(secret not in text + json.dumps(tool.answers("profile", "show", PROFILE)),
                  f"{secret!r} is told")
        tool.fails(EX_NOUSER, "profile", "show", "None", saying='no profile "None"')


@case("profile show tells the closed gate and the sign-ins that were refused")
def _():
    with AlertScene([ANN]) as scene:
        scene.write_password("wrong")
        tool = started(scene)
        until_state(tool, ANN, "held")
        profile = tool.answers("profile", "show", PROFILE)[0]
        check_equal((profile["gate"], profile["sign_ins_refused"]["count"]), ("closed", 1),
                    "gate, and sign-ins that were refused")
        check_equal(profile["trouble"]["category"], "authentication", "category of the trouble")
        check(TIME.fullmatch(profile["next_try"]), "next_try is a time")
        text = tool.output("profile", "show", PROFILE)
        check("its mailboxes wait" in text and "1, the last one" in text, text)
        check("1 held" in tool.output("status"), "the mailbox that waits is counted")
        # Looking changes nothing.
        check_equal(tool.answers("profile", "show", PROFILE)[0]["sign_ins_refused"]["count"], 1,
                    "sign-ins that were refused, looked at again")


# --- what went wrong -----------------------------------------------------------------------------

def check_alert(text, address=BEN):
    for wanted in ("Alert 1: error, open", "An impersonation error occurred in accessing the mailbox",
                   f"{address} didn't synchronize", "has been notified.", "Cause", "What to do",
                   f'New-ManagementRoleAssignment -Name:exsyncd -Role:ApplicationImpersonation '
                   f'-User:"{ACCOUNT}"', f'-WritableRecipient:"{address}"', "Details",
                   "ActivityId: ", ">Error : "):
        check(wanted in text, f"{wanted!r} is not in {text}")


@case("alerts lists what is open, one alert has its sentence, details, cause and remedy with commands")
def _():
    with refused() as scene:
        tool = started(scene)
        scene.until_told(1)
        until(lambda: tool.answers("alerts")[0]["told"] == "done", "the owner has been told")
        rows = tool.output("alerts").splitlines()
        check_equal(len(rows), 3, "lines")
        check_equal(rows[2], "exsyncctl alerts ID tells what to do about one.", "the hint")
        check(BEN in rows[1] and DENIED in rows[1] and "error" in rows[1], rows[1])
        check_alert(tool.output("alerts", "1"))
        tool.fails(EX_NOUSER, "alerts", "7", saying="no alert 7")
        tool.fails(EX_USAGE, "alerts", "seven", saying="seven")
        tool.fails(EX_USAGE, "alerts", "99999999999999999999")
        check(BEN in tool.output("failures"), "the failure is listed")
        scene.exchange.grant(BEN)
        scene.daemon.try_now()
        scene.until_no_alert()
        check_equal(tool.output("alerts"), "No alert is open.\n", "no alert")
        check_equal(tool.output("failures"), "No failure is open.\n", "no failure")
        check("resolved" in tool.output("alerts", "--all"), "it is in the list of all")
        check("resolved" in tool.output("failures", "--all"), "so is the failure")
        check("Alert 1: error, resolved" in tool.output("alerts", "1"), "it says that it is over")


@case("without a daemon alerts and failures are read from the database, and that is said")
def _():
    with refused() as scene:
        tool = started(scene)
        scene.until_told(1)
        until(lambda: tool.answers("alerts")[0]["told"] == "done", "the owner has been told")
        with_daemon = tool.answers("alerts"), tool.answers("alerts", "1"), tool.answers("failures")
        scene.daemon.stop()
        without = []
        for words in (("alerts",), ("alerts", "1"), ("failures",)):
            status, out, err = tool.run("--json", *words)
            check_equal(status, 0, f"status, with {err}")
            check("exsyncd does not run" in err, f"it says {err!r}")
            without.append([json.loads(line) for line in out.splitlines()])
        # What the daemon still saw before it stopped counts on.
        for before, after in zip(with_daemon, without):
            check_equal(set(after[0]), set(before[0]), "members")
            check_equal(after[0]["code"], before[0]["code"], "code")
            check_equal(after[0].get("remedy"), before[0].get("remedy"), "remedy")
        status, out, err = tool.run("alerts", "1")
        check_equal(status, 0, f"status, with {err}")
        check_alert(out)
        status, out, err = tool.run("alerts", "5")
        check_equal((status, out), (EX_NOUSER, ""), "status of an alert that is not there")
        tool.fails(EX_UNAVAILABLE, "status", saying="not running")
        tool.fails(EX_UNAVAILABLE, "mailbox", "list", saying="not running")


@case("a database that a daemon holds is left alone, and none is made where there is none")
def _():
    with Scene([ANN], daemon={"control_socket": "none"}) as scene:
        tool = started(scene)
        tool.fails(EX_UNAVAILABLE, "alerts", saying="database")
        scene.daemon.stop()
        check("No alert is open." in tool.run("alerts")[1], "it can be read then")
        for file in (scene.folder / "state").iterdir():
            if file.is_file():
                file.unlink()
        tool.fails(EX_UNAVAILABLE, "failures", saying="no database")
        check(not (scene.folder / "state/exsyncd.db").exists(), "a database was made")


# --- monitoring ----------------------------------------------------------------------------------

PLUGIN = re.compile(r"EXSYNCD (OK|WARNING|CRITICAL|UNKNOWN): [^|\n]*( \|( [a-z_]+=\d+;\d*;\d*;0;)+)?\n")


def check_plugin(tool, wanted, *words, saying=""):
    status, out, _ = tool.run("check", *words)
    check(PLUGIN.fullmatch(out), f"not a plugin's line: {out!r}")
    check_equal(status, wanted, f"status of check, which says {out!r}")
    check(saying in out, f"{saying!r} is not in {out!r}")
    return dict(re.findall(r" ([a-z_]+)=(\d+)", out))


@case("check is a plugin: one line, performance data, and 0 to 3 as its exit status")
def _():
    with refused() as scene:
        scene.exchange.grant(BEN)
        tool = started(scene)
        for address in (ANN, BEN, CARLA):
            until_state(tool, address, "ok")
        data = check_plugin(tool, OK, saying="all mailboxes synchronize")
        check_equal((data["mailboxes"], data["ok"], data["stopped"]), ("3", "3", "0"), "data")
        scene.exchange.revoke(BEN)
        until_state(tool, BEN, "stopped")
        data = check_plugin(tool, CRITICAL, saying="1 mailbox is stopped")
        check_equal((data["mailboxes"], data["ok"], data["stopped"]), ("3", "2", "1"), "data")
        check_plugin(tool, CRITICAL, saying=BEN)
        check_plugin(tool, WARNING, "--critical", "2")
        check_plugin(tool, OK, "--critical", "2", "--warning", "2",
                     saying=f"OK: all mailboxes synchronize but 1 that fails, is stopped or waits (in trouble: {BEN})")
        check_plugin(tool, UNKNOWN, "--critical", "none")
        check_plugin(tool, UNKNOWN, "--critical", "0", saying="--critical 0 is no number of mailboxes")
        check_plugin(tool, UNKNOWN, "--disabled", "-1", saying="--disabled -1")
        scene.daemon.stop()
        check_plugin(tool, CRITICAL, saying="not running")


@case("check warns of a message that could not be sent, also beside mailboxes that its limits allow")
def _():
    with AlertScene([ANN, BEN], defaults={"outgoing": "yes"}) as scene:
        scene.exchange.revoke(BEN)
        scene.exchange.fault(operation="CreateItem", mailbox=ANN, count=1,
                             code="ErrorMessageSizeExceeded")
        tool = started(scene)
        until_state(tool, BEN, "stopped")
        limits = ("--warning", "2", "--critical", "2")
        check_plugin(tool, OK, *limits, saying="but 1 that fails")
        scene.until_ready()
        scene.submit(mail("too large"))
        until(lambda: tool.answers("status")[0]["alerts"]["messages"] == 1, "it has failed")
        check_plugin(tool, WARNING, *limits, saying="1 error is open")


@case("check is critical when an account is refused for good, and a warning while that may pass")
def _():
    with AlertScene([ANN]) as scene:
        scene.write_password("wrong")
        tool = started(scene)
        until_state(tool, ANN, "held")
        check_plugin(tool, WARNING, saying=f"profile {PROFILE}")  # the second try decides
        scene.daemon.try_now()
        until(lambda: tool.answers("profile", "list")[0]["sign_ins_refused"]["count"] == 2,
              "it is refused again")
        check_plugin(tool, CRITICAL, saying=f"profile {PROFILE}")


@case("a configuration that a reload has refused is told by check and status until one is taken")
def _():
    with Scene([ANN]) as scene:
        tool = started(scene)
        until_state(tool, ANN, "ok")
        until(lambda: tool.run("check")[0] == OK, "all is well")
        right = scene.daemon.configuration.read_text(encoding="utf-8")
        scene.daemon.configuration.write_text(right + "\n[exsyncd]\nno_such_key = 1\n", encoding="utf-8")
        scene.daemon.reload()
        scene.daemon.until_logged("the configuration has mistakes")
        check_plugin(tool, WARNING, saying="the configuration was not reloaded at ")
        scene.exchange.revoke(ANN)
        until_state(tool, ANN, "stopped")
        out = tool.run("check")[1]
        check(out.startswith("EXSYNCD CRITICAL: 1 mailbox is stopped; the configuration was not "), out)
        scene.exchange.grant(ANN)
        until_state(tool, ANN, "ok")
        since = tool.answers("status")[0]["reload_refused"]
        check(since is not None and "reload     refused at " in tool.output("status"), "status tells it")
        scene.daemon.reload()
        until(lambda: len(scene.daemon.log_lines("the configuration has mistakes")) == 2, "again")
        check_equal(tool.answers("status")[0]["reload_refused"], since, "since when")
        scene.reload()
        until(lambda: tool.run("check")[0] == OK, "all is well again")
        check_equal(tool.answers("status")[0]["reload_refused"], None, "when one was taken")


@case("after a restart the tries and the time of trouble go on where they were")
def _():
    with refused(profile={"probe_intervals": "1s"}) as scene:
        tool = started(scene)
        until(lambda: (mailbox_of(tool, BEN)["incoming"]["trouble"] or {"failures": 0})["failures"] >= 2,
              "it has failed some times")
        scene.daemon.stop()
        before, = scene.ledger.unresolved(BEN)
        scene.profile_keys["probe_intervals"] = "1h"
        scene.write_configuration()
        scene.daemon.start()
        scene.daemon.until_started()
        until_state(tool, BEN, "stopped")
        trouble = mailbox_of(tool, BEN)["incoming"]["trouble"]
        check_equal(trouble["failures"], before["count"] + 1, "tries that are told after the restart")
        check(trouble["since"] < tool.answers("mailbox", "show", ANN)[0]["incoming"]["last_started"],
              f"since {trouble['since']}")
        scene.daemon.stop()
        scene.exchange.grant(BEN)
        scene.daemon.start()
        scene.daemon.until_logged(f"{BEN}: incoming works again after {before['count'] + 1} failed tries")
        until_state(tool, BEN, "ok")


@case("a reload that the database has refused is told with what the database said")
def _():
    with Scene([ANN]) as scene:
        tool = started(scene)
        until_state(tool, ANN, "ok")
        with locked(scene.ledger.path):
            status, _, said = tool.run("reload")
            check(status == 75 and "SQLITE_BUSY" in said, f"reload: {status}, {said}")
            check(scene.daemon.log_lines("was not reloaded", "SQLITE_BUSY", "exsyncctl reload"), "log")
            row = tool.answers("status")[0]
            check_equal(row["reload_error"]["code"], "SQLITE_BUSY", "what status tells")
            for told in (tool.output("status"), tool.run("check")[1]):
                line, = [line for line in told.splitlines() if "SQLITE_BUSY" in line and "reload" in line]
                check("--check-config" not in line and "exsyncctl reload" in line, line)
        until(lambda: tool.run("reload")[0] == 0, "it is taken")
        row = tool.answers("status")[0]
        check_equal((row["reload_refused"], row["reload_error"]), (None, None), "when one was taken")


@case("a reload that waits for the database is told, with what it waits for")
def _():
    with Scene([ANN]) as scene:
        tool = started(scene)
        until_state(tool, ANN, "ok")
        check_equal(tool.answers("status")[0]["reload_under_way"], None, "without a reload")

        def waits():
            scene.daemon.reload()  # the one before was refused, perhaps
            wait = tool.answers("status")[0]["reload_under_way"]
            return wait and wait["waits_for"] == "the database" and not wait["late"]

        def says():
            scene.daemon.reload()
            return "under way since" in tool.output("status")
        with locked(scene.ledger.path):
            until(waits, "status --json tells of it")
            until(says, "status tells of it")
        until(lambda: tool.run("reload")[0] == 0, "one is taken")
        until(lambda: tool.answers("status")[0]["reload_under_way"] is None, "it is over")


@case("check --json is one object with the state, the words and the performance data")
def _():
    with refused() as scene:
        tool = started(scene)
        for address, state in ((ANN, "ok"), (BEN, "stopped"), (CARLA, "ok")):
            until_state(tool, address, state)
        line = tool.run("check", "--critical", "2")[1]
        found = tool.answers("check", "--critical", "2", wanted=WARNING)
        check_equal(len(found), 1, "objects")
        check_equal(set(found[0]), {"kind", "state", "code", "summary", "in_trouble", "performance"},
                    "members")
        check_equal((found[0]["kind"], found[0]["state"], found[0]["code"], found[0]["in_trouble"]),
                    ("check", "WARNING", WARNING, [BEN]), "what it says")
        check(f"EXSYNCD WARNING: {found[0]['summary']} (in trouble: {BEN}) |" in line, line)
        check_equal(set(found[0]["performance"]), set(re.findall(r" ([a-z_]+)=", line)), "labels")
        check_equal([found[0]["performance"][name] for name in ("stopped", "failing", "mailboxes")],
                    [{"value": 1, "warning": None, "critical": 1},
                     {"value": 0, "warning": 0, "critical": None},
                     {"value": 3, "warning": None, "critical": None}], "data")
        scene.daemon.stop()
        found = tool.answers("check", wanted=CRITICAL)[0]
        check_equal((found["state"], found["performance"]), ("CRITICAL", {}), "without a daemon")
        check("not running" in found["summary"], found["summary"])
        check_equal(tool.answers("check", "--warning", "none", wanted=UNKNOWN)[0]["code"], UNKNOWN,
                    "code of a wrong limit")


@case("check is critical when the database cannot be read, and its words have no bar")
def _():
    def answer(tool, listener, *lines):
        process = tool.start("check")
        listener.settimeout(PATIENCE_S)
        with listener.accept()[0] as peer:
            peer.settimeout(PATIENCE_S)
            peer.sendall(b'{"exsyncd": "0.1.0", "control": 1}\n')
            number = json.loads(peer.makefile().readline())["id"]
            for line in (*lines, {"end": True}):
                peer.sendall(json.dumps({"id": number, **line}).encode() + b"\n")
            return process.communicate(timeout=30)[0], process.returncode
    counts = {name: 0 for name in COUNTS}
    status = {"kind": "status", "mailboxes": counts, "cycles": {}, "queued": None, "queued_held": None,
              "refused": None, "alerts": {"errors": None, "warnings": None, "messages": None},
              "storage": None}
    with Scene([ANN]) as scene, socket.socket(socket.AF_UNIX) as listener:
        tool = Exsyncctl(scene)
        listener.bind(str(tool.socket))
        listener.listen()
        out, code = answer(tool, listener, status)
        check("the database cannot be read" in out and code == CRITICAL, f"{code} {out}")
        status["mailboxes"] = {**counts, "configured": 1, "failing": 1}
        status["alerts"] = {"errors": 0, "warnings": 0, "messages": 0}
        out, code = answer(tool, listener, status,
                           {"kind": "mailbox", "address": "a|b@x", "state": "failing"})
        check("(in trouble: a/b@x) |" in out and out.count("|") == 1 and code == WARNING,
              f"{code} {out}")
        listener.close()
        tool.socket.unlink()
        scene.daemon.start()  # for the end of the scene
        scene.daemon.until_started()


main(side_by_side=4)
