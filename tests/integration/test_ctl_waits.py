#!/usr/bin/python3
"""exsyncctl says why mail waits: a profile is paused, a mailbox disabled or stopped, a server away, a
message held. Whatever an administrator asks first, the answer names what keeps it and what to do."""

import os
import pwd
from datetime import datetime

from exsyncctl import EX_UNAVAILABLE, Exsyncctl
from harness import case, check, check_equal, main, until

from scene import ANN, BEN, CARLA, PROFILE, Scene
from sending import SendingScene, mail

RESUME = f'exsyncctl resume "{PROFILE}"'
PAUSED = f"the profile {PROFILE} is paused since 20"
EX_DATAERR, EX_NOINPUT, EX_TEMPFAIL = 65, 66, 75
NO_ID = "0198f1c2-6c6e-7b3a-9c51-a4f8e2d90b13"
SLOW = {"retry_min": "1h", "retry_max": "1h", "probe_intervals": "1h"}


def check_says(text, *words):
    for word in words:
        check(word in text, f"{word!r} is not in {text!r}")


def row_of(text, word):
    return next(line for line in text.splitlines() if word in line)


def started(scene):
    scene.daemon.start()
    scene.daemon.until_started()
    return Exsyncctl(scene)


def queue(tool, *words):
    return tool.answers("queue", "list", *words)


def queued(scene, tool, *subjects, **arguments):
    """Submits, and waits until they are in the queue; their ids."""
    known = len(queue(tool))
    scene.submit(*[mail(subject, **arguments) for subject in subjects])
    until(lambda: len(queue(tool)) == known + len(subjects), "they are in the queue")
    return {message["subject"]: message["message"] for message in queue(tool)}


# --- a profile that is paused ---------------------------------------------------------------------

@case("a profile that is paused is named wherever somebody looks for its mailboxes and their mail")
def _():
    with SendingScene([ANN, BEN], defaults={"incoming": "yes"}) as scene:
        tool = started(scene)
        scene.until_ready()
        scene.until_polled(ANN, BEN)
        tool.answers("pause", PROFILE)
        ids = queued(scene, tool, "one")
        for command in (["status"], ["mailbox", "list"], ["profile", "list"]):
            shown = tool.output(*command)
            check_says(shown, f"\nWaiting: {PAUSED}", RESUME)
            check_equal(shown.count(RESUME), 1, f"how often {command} says what to do")
        check_says(row_of(tool.output("mailbox", "list"), ANN), "paused")
        check_says(tool.output("status"), "2 paused")
        check_says(tool.output("mailbox", "show", ANN), PAUSED, RESUME)
        check_says(tool.output("profile", "show", PROFILE), PAUSED, RESUME)
        check_says(row_of(tool.output("profile", "list"), "svc-sync"), "paused")
        check_says(row_of(tool.output("queue", "list"), ids["one"]), "paused")
        check_says(tool.output("queue", "show", ids["one"]), PAUSED, RESUME)
        check_says(tool.output("queue", "retry", ids["one"]), "due now", PAUSED, RESUME)
        check_says(tool.output("queue", "flush"), "1 queued message is due now",
                   "1 of them waits all the same", PAUSED, RESUME)
        check_says(tool.output("trace", ids["one"]), "It waits: ", PAUSED, RESUME)
        check_says(tool.output("test", ANN, "--no-send"), "has passed", RESUME)
        check_says(tool.output("test", "--all", "--no-send"), "2 of 2 passed", RESUME)
        hindrance = queue(tool)[0]["hindrance"]
        check_equal((hindrance["cause"], queue(tool)[0]["next_try"]), ("paused", None), "in JSON")
        check_equal(tool.answers("profile", "show", PROFILE)[0]["paused_since"], hindrance["since"],
                    "since when")
        tool.answers("resume", PROFILE)
        scene.until_received(BEN, 1)
        scene.until_settled()
        check(RESUME not in tool.output("mailbox", "show", ANN) + tool.output("status"), "it is over")


# --- a mailbox that is disabled -------------------------------------------------------------------

@case("a mailbox that is disabled is not synchronized now, and one direction is left out with a word")
def _():
    with SendingScene([ANN, BEN], defaults={"incoming": "yes"}) as scene:
        tool = started(scene)
        scene.until_ready()
        tool.answers("disable", ANN, "--outgoing")
        ids = queued(scene, tool, "one")
        said = tool.output("sync", "now", ANN, "--wait")
        check_says(said, "1 direction is disabled", "exsyncctl enable", "success")
        check_says(tool.output("trace", ids["one"]), f"outgoing of {ANN} is disabled",
                   f"exsyncctl enable {ANN}")
        check_says(row_of(tool.output("queue", "list"), ids["one"]), "disabled")
        check_says(tool.output("queue", "flush", ANN), "due now",
                   f"exsyncctl enable {ANN}")
        tool.answers("disable", ANN)
        for words in ([], ["--wait"]):
            tool.fails(EX_UNAVAILABLE, "sync", "now", ANN, *words,
                       saying=[f"{ANN} is disabled", f"exsyncctl enable {ANN}"])
        said = tool.output("sync", "now", "--profile", PROFILE)
        check_says(said, "2 directions are disabled", "due now")
        tool.answers("disable", BEN)
        tool.fails(EX_UNAVAILABLE, "sync", "now", "--profile", PROFILE,
                   saying=["all mailboxes", "exsyncctl enable"])
        check_says(tool.output("mailbox", "show", ANN), f"exsyncctl enable {ANN}")
        tool.answers("enable", ANN)
        tool.answers("enable", BEN)
        scene.until_received(BEN, 1)
        scene.until_settled()


# --- trouble --------------------------------------------------------------------------------------

@case("trace and queue tell that the profile waits for its account, or that the mailbox has stopped")
def _():
    with SendingScene([ANN, BEN], profile=SLOW, defaults={"incoming": "yes"}) as scene:
        scene.exchange.revoke(ANN)
        tool = started(scene)
        scene.until_ready()
        ids = queued(scene, tool, "one")
        until(lambda: tool.answers("mailbox", "show", ANN)[0]["outgoing"]["trouble"], "it has stopped")
        found = tool.answers("trace", ids["one"])[0]
        check_says(found["next"], f"It waits: outgoing of {ANN} is stopped", "may not impersonate")
        check(found["next_try"], "when it is probed")
        check_equal(queue(tool)[0]["hindrance"]["cause"], "stopped", "why it waits")
        unseen = tool.answers("trace", "x@y", "--mailbox", ANN, wanted=1)[0]
        check_equal(unseen["hindrance"]["cause"], "stopped", "why nothing was seen")
        scene.change_password("another-password")
        scene.write_password("wrong-password")
        scene.reload()
        until(lambda: tool.answers("profile", "show", PROFILE)[0]["gate"] == "closed", "it is refused")
        found = tool.answers("trace", ids["one"])[0]
        check_says(found["next"], f"It waits: the profile {PROFILE} waits for its server or account")
        check_says(tool.output("sync", "now", BEN), "Nothing is tried now: the profile",
                   "account since 20", "exsyncctl profile show")
        tool.output("sync", "now", "--profile", PROFILE)
        scene.daemon.until_logged(f"{BEN}: an administrator (uid {os.getuid()}) wants it synchronized",
                                  " due")
        scene.daemon.until_logged(f"profile {PROFILE}: an administrator (uid", "wants it synchronized")
        shown = tool.output("mailbox", "list")
        check_says(row_of(shown, BEN), "held", "waits for its profile")
        check_equal(shown.count("did not accept"), 1, "how often it says why")
        alert = next(alert for alert in tool.answers("alerts")
                     if alert["category"] == "authentication")
        check_says(tool.output("alerts", alert["alert"]), "exsyncctl test", "--sign-in tries it at once")
        scene.exchange.grant(ANN)
        scene.change_password("right-password")
        tool.output("test", ANN, "--sign-in", "--no-send")
        tool.answers("queue", "flush")
        scene.until_received(BEN, 1)
        scene.until_settled()


# --- the queue ------------------------------------------------------------------------------------

@case("messages that are held are counted in the status and with their mailbox")
def _():
    with SendingScene([ANN, BEN]) as scene:
        tool = started(scene)
        scene.until_ready()
        tool.answers("disable", ANN)
        ids = queued(scene, tool, "one", "two")
        for number, text in ((1, "1 message waits to be sent, 1 held"), (2, "0 messages wait to be sent, 2 held")):
            tool.answers("queue", "hold", list(ids.values())[number - 1])
            check_says(tool.output("status"), text)
            status = tool.answers("status")[0]
            check_equal((status["queued"], status["queued_held"]), (2 - number, number), "the counts")
            outgoing = tool.answers("mailbox", "show", ANN)[0]["outgoing"]
            check_equal((outgoing["queued"], outgoing["held"]), (2 - number, number), "the mailbox's")
        check_says(row_of(tool.output("mailbox", "list"), ANN), "0, 2 held")
        tool.answers("enable", ANN)
        check_says(tool.output("mailbox", "show", ANN), "0 to be sent, 2 held")
        tool.output("queue", "release", *ids.values())
        scene.until_received(BEN, 2)
        scene.until_settled()


@case("several messages are retried by one command, which goes on behind one that is not known")
def _():
    with SendingScene(profile={**SLOW, "transient_attempts": "1000"}) as scene:
        scene.exchange.fault(operation="CreateItem", mailbox=ANN, code="ErrorTimeoutExpired", count=0)
        tool = started(scene)
        scene.until_ready()
        scene.submit(mail("one"), mail("two"))
        until(lambda: [message["attempts"] for message in queue(tool)] == [1, 1], "they wait")
        scene.exchange.clear_faults()
        first, second = [message["message"] for message in queue(tool)]
        status, out, err = tool.run("queue", "retry", first, NO_ID, second)
        check_equal(status, EX_NOINPUT, "the status is that of the one that is not known")
        check_says(err, NO_ID)
        check_says(out, f"{first}: due now", f"{second}: due now")
        scene.until_received(BEN, 2)
        until(lambda: not queue(tool) and not scene.outbox.leftover(), "the queue is empty")
        scene.check_each_once(BEN, ["one", "two"])


@case("what has failed is listed with its reason, and so is what was refused when it was submitted")
def _():
    with SendingScene([ANN, BEN]) as scene:
        tool = started(scene)
        scene.until_ready()
        scene.exchange.fault(operation="SendItem", code="ErrorInvalidRecipients", count=1)
        scene.submit(mail("by Exchange"))
        until(lambda: len(queue(tool, "--failed")) == 1, "Exchange has refused it")
        tool.answers("disable", ANN)
        ids = queued(scene, tool, "by hand")
        tool.answers("queue", "remove", ids["by hand"])
        scene.submit(mail("of a stranger", sender="stranger@example.com"))
        until(lambda: len(queue(tool, "--failed")) == 3, "all have failed")
        found = {message["subject"]: message for message in queue(tool, "--failed")}
        user = pwd.getpwuid(os.getuid()).pw_name
        for subject, state, words in (
                ("by Exchange", "failed", ("recipient",)),
                ("by hand", "failed", ("Removed from the queue by an administrator",)),
                ("of a stranger", "refused", ("stranger@example.com", "no mailbox with outgoing"))):
            answer = found[subject]
            check_equal(answer["state"], state, f"state of {subject}")
            check_says(answer["reason"], *words)
            shown = tool.output("queue", "show", answer["message"])
            check_says(shown, subject, *words)
            check_says(row_of(tool.output("queue", "list", "--failed"), answer["message"]), *words)
        refused = found["of a stranger"]
        check_equal((refused["address"], refused["profile"], refused["submitter"]),
                    (None, None, os.getuid()), "whose the refused one is")
        check_equal(tool.answers("queue", "show", refused["message"])[0]["recipients"], None,
                    "its recipients")
        check_says(tool.output("queue", "show", refused["message"]), f"{user} (user id {os.getuid()})")
        for action in ("retry", "hold", "release"):
            tool.fails(EX_DATAERR, "queue", action, refused["message"],
                       saying=["refused when it was submitted", "stranger@example.com",
                               "no mailbox with outgoing", "folder failed", "queue show tells how"])
        row = row_of(tool.output("queue", "list", "--failed"), refused["message"])
        check(row.split("NotTaken")[0].rstrip().endswith(" 1"), f"how often it has failed: {row}")
        tool.fails(EX_DATAERR, "queue", "retry", found["by Exchange"]["message"],
                   saying=["has failed", found["by Exchange"]["error"]["sentence"], "queue show"])
        check_says(tool.output("queue", "show", found["by hand"]["message"]), f"{user} (user id")
        check_equal(len(queue(tool, "--failed", ANN)), 2, "of one mailbox")
        check_says(row_of(tool.output("failures"), "NotTaken"), f"failed/{refused['message']}.eml",
                   "stranger@example.com", f"user {user}", 'subject "of a stranger"')
        (scene.outbox.folder / "failed" / f"{refused['message']}.eml").unlink()
        check_equal(len(queue(tool, "--failed")), 2, "when a person has taken its file away")
        until(lambda: tool.answers("status")[0]["refused"] == 0, "it is over")
        check_equal(tool.answers("queue", "show", refused["message"])[0]["state"], "refused",
                    "it is still known")
        tool.fails(EX_DATAERR, "queue", "retry", refused["message"],
                   saying=["no mailbox with outgoing", "was taken out of the outbox's folder failed"])
        tool.fails(EX_NOINPUT, "queue", "show", NO_ID, saying="--failed")
        tool.answers("enable", ANN)


@case("what was refused when it was submitted is counted until its file is taken away or a person acts")
def _():
    with SendingScene([ANN, BEN]) as scene:
        tool = started(scene)
        scene.until_ready()
        check_says(tool.output("alerts"), "No alert is open.\n")
        scene.submit(*[mail(f"number {number}", sender="stranger@example.com") for number in range(2)])

        def counted(number):
            return tool.answers("status")[0]["refused"] == number
        until(lambda: counted(2), "they are counted")
        check_says(tool.output("status"), "2 submitted messages were not taken", "queue list --failed")
        check_says(tool.output("alerts"), "No alert is open.\n2 submitted messages were not taken;")
        check_equal(tool.answers("alerts")[-1], {"kind": "refused", "messages": 2}, "in JSON")
        status, out, _ = tool.run("check")
        check_equal(status, 1, "status of check")
        check_says(out, "2 submitted messages were refused", " messages_refused=2;")
        failed = scene.outbox.folder / "failed"
        next(failed.glob("*.eml")).unlink()
        until(lambda: counted(1), "one was taken away")
        check_equal(len(queue(tool, "--failed")), 1, "those that are listed")
        # One that is put aside while nobody looks, and one that is not.
        scene.daemon.stop()
        status, out, _ = tool.run("alerts")
        check_equal(status, 0, "status without a daemon")
        check_says(out, "1 submitted message was not taken;")
        next(failed.glob("*.eml")).rename(scene.folder / "mended")
        scene.daemon.start()
        scene.daemon.until_started()
        until(lambda: counted(0), "the other was taken away while exsyncd did not run")
        check_equal([row for row in tool.answers("failures") if row["code"] == "NotTaken"], [],
                    "failures that stand")
        check_says(tool.output("alerts"), "No alert is open.\n")
        check(tool.run("check")[0] == 0, "check is not satisfied")
        scene.submit(mail("another", sender="stranger@example.com"))
        until(lambda: counted(1), "the next one is counted")


# --- words ----------------------------------------------------------------------------------------

@case("a mailbox or profile that is not there is told in the same words by every command")
def _():
    with Scene([ANN, CARLA]) as scene:
        tool = started(scene)
        nobody = "nobody@example.com"
        said = {tool.fails(67, *words, saying=nobody)
                for words in (["sync", "now", nobody], ["mailbox", "show", nobody], ["test", nobody],
                              ["enable", nobody], ["diagnose", nobody], ["queue", "list", nobody],
                              ["queue", "flush", nobody], ["trace", "x@y", "--mailbox", nobody],
                              ["redeliver", nobody, "--since", "1h"])}
        check_equal(len(said), 1, f"sentences about a mailbox: {said}")
        said = {tool.fails(67, *words, saying="No Such")
                for words in (["sync", "now", "--profile", "No Such"], ["pause", "No Such"],
                              ["mailbox", "list", "--profile", "No Such"], ["resume", "No Such"],
                              ["profile", "show", "No Such"], ["test", "--profile", "No Such"])}
        check_equal(len(said), 1, f"sentences about a profile: {said}")


@case("sync now --wait of what only waits for its next try says so, not that it succeeded")
def _():
    with SendingScene([ANN, BEN], profile=SLOW) as scene:
        tool = started(scene)
        scene.until_ready()
        scene.exchange.fault(http=503, body="no", count=0)
        scene.submit(mail("stuck"))
        scene.daemon.until_logged(f"{ANN}: outgoing failed", "HTTP 503")
        words = ("sync", "now", ANN, "--wait")
        due, cycle = tool.answers(*words, wanted=EX_TEMPFAIL)
        check_equal((due["directions"], cycle["result"], cycle["processed"]), (1, "waiting", 0), "told")
        # One is the cycle's time, the other the message's, which is written a moment later.
        times = [datetime.fromisoformat(told["next_try"].replace("Z", "+00:00"))
                 for told in (cycle, queue(tool)[0])]
        check(abs((times[0] - times[1]).total_seconds()) < 2, f"the next try: {times}")
        check_equal(cycle["error"]["code"], "HTTP 503", "what the last try met")
        status, out, err = tool.run(*words)
        check_equal(status, EX_TEMPFAIL, "status")
        check_says(out, f"{ANN} outgoing: waiting, nothing was tried: ", "tried next 20", "(HTTP 503)")
        check_says(err, "in 1 of 1 cycle nothing was sent", "queue list", "queue flush")
        scene.may_be_unfinished = True


@case("numbers and verbs agree")
def _():
    with Scene([ANN, BEN, CARLA]) as scene:
        scene.exchange.revoke(BEN)
        tool = started(scene)
        status, _, err = tool.run("test", "--all", "--no-send")
        check_equal(status, EX_UNAVAILABLE, "status of a test")
        check_says(err, "1 of 3 mailboxes has not passed")
        _, _, err = tool.run("sync", "now", "--profile", PROFILE, "--wait")
        check_says(err, "1 of 3 cycles has failed; what is told of it says what to do")
        scene.exchange.grant(BEN)


main()
