#!/usr/bin/python3
"""Refusals become alerts: one for each, in the exact words, told once, and over by themselves."""

import collections
import os
import time

from alerting import (AlertScene, DONE, HAS_BEEN, IS_BEING, NOT, OWNER, PROFILE, receiving,
                      sending)
from harness import CORPUS, LONG, add_case, case, check, check_equal, main, say, until
from mail import message
from scene import ANN, BEN, CARLA
from sending import mail

GOES_ON = ("Exchange may take a while, and differ between servers, before a new role works; "
           "exsyncd tests again by itself.")


def lines(scene, sentence):
    return [line for line in scene.daemon.log().splitlines() if line == sentence]


@case("a refusal is one failure, one alert and one notification, and ends by itself")
def _():
    with AlertScene([ANN, CARLA], impersonation=f"all,-{CARLA}") as scene:
        scene.exchange.add(CARLA, message("waits"))
        scene.daemon.start()
        told = scene.until_told(1)[0]
        until(lambda: lines(scene, receiving(CARLA, HAS_BEEN)), "it is said that the owner knows")
        check_equal(len(lines(scene, receiving(CARLA, IS_BEING))), 1, "lines that open the alert")
        check_equal(len(lines(scene, receiving(CARLA, HAS_BEEN))), 1, "lines that it was told")
        check_equal([alert["sentence"] for alert in told["alerts"]], [receiving(CARLA, HAS_BEEN)],
                    "the sentence in the notification")
        check(told["alerts"][0]["remedy"].endswith(GOES_ON), f"the remedy: {told['alerts'][0]}")
        row = scene.open_alerts()
        check_equal([(one["address"], one["category"], one["told"]) for one in row],
                    [(CARLA, "impersonation", DONE)], "open alerts")
        check_equal(len(scene.ledger.unresolved(CARLA)), 1, "failures")
        until(lambda: scene.open_alerts()[0]["count"] > 2, "it is probed again and again")
        scene.exchange.grant(CARLA)
        scene.until_delivered(CARLA, 1)
        well = scene.until_told(2)[1]
        check_equal(well["kind"], "well", "the second notification")
        scene.until_no_alert()
        until(lambda: not scene.ledger.unresolved(), "no failure is left")
        time.sleep(0.5)
        check_equal(len(scene.told()), 2, "notifications in the end")
        scene.check_history()


@case("a refusal to send names the message")
def _():
    with AlertScene([ANN, BEN], impersonation=f"all,-{ANN}",
                    defaults={"incoming": "no", "outgoing": "yes"}) as scene:
        scene.start()
        scene.submit(mail('The "big" offer'))
        told = scene.until_told(1)[0]
        sentence = sending(ANN, 'The "big" offer', HAS_BEEN)
        check_equal([alert["sentence"] for alert in told["alerts"]], [sentence], "the sentence")
        until(lambda: lines(scene, sentence), "it is said that the owner knows")
        check_equal(len(lines(scene, sending(ANN, 'The "big" offer', IS_BEING))), 1,
                    "lines that open the alert")
        scene.exchange.grant(ANN)
        scene.until_received(BEN, 1)
        scene.until_settled()
        scene.until_no_alert()


@case("without an owner it says that nobody could be notified, and why")
def _():
    with AlertScene([CARLA], impersonation="none") as scene:
        del scene.profile_keys["owner"]
        del scene.profile_keys["notify"], scene.profile_keys["notify_command"]
        scene.write_configuration()
        scene.daemon.start()
        line = scene.daemon.until_logged("could not be notified:")
        check("owner" in line, line)
        check_equal([one["told"] for one in scene.open_alerts()], [NOT], "told")
        scene.exchange.grant(CARLA)
        scene.until_no_alert()


def thousand(per_profile, refused):
    """Two profiles; some mailboxes of each are refused until the permission comes back."""
    names = {}
    for index in range(2 * per_profile):
        profile = PROFILE if index < per_profile else "Fabrikam"
        names[f"user{index:04d}@example.com"] = {"profile": profile}
    addresses = list(names)
    without = addresses[:refused] + addresses[per_profile:per_profile + refused]
    # A notification takes in what opens within notify_delay, and all of the first tries do.
    interval = 20
    with AlertScene(names, impersonation="all,-" + ",-".join(without),
                    profile={"poll_interval": f"{interval}s", "notify_delay": "8s",
                             "probe_intervals": "5s"}) as scene:
        scene.sections["profile Fabrikam"] = {**scene.profile_keys, "owner": "fab@example.com"}
        scene.write_configuration()
        for address in addresses:
            scene.exchange.add(address, message(f"for {address}"))
        scene.daemon.start()
        good = [address for address in addresses if address not in set(without)]
        for address in good:
            scene.until_delivered(address, 1, 4 * interval)
        until(lambda: len(scene.open_alerts()) >= len(without), "each refusal has its alert", 60)
        check_equal(collections.Counter(row["address"] for row in scene.alerts()),
                    collections.Counter(without), "alerts, one for each refused mailbox")
        until(lambda: all(row["told"] == DONE for row in scene.alerts()), "all are told", 60)
        told = scene.told()
        check_equal(sorted(one["profile"] for one in told), ["Contoso Ltd", "Fabrikam"],
                    "one notification for each profile")
        # Nobody else is late: one poll after the other, each within its interval.
        before = scene.exchange.counters()
        time.sleep(interval + 2)
        after = scene.exchange.counters()
        late = [address for address in good
                if after.get(f"mailbox_requests.{address}", 0)
                <= before.get(f"mailbox_requests.{address}", 0)]
        check_equal(late, [], "mailboxes that were not looked at within one interval")
        for address in without:
            scene.exchange.grant(address)
        for address in addresses:
            scene.until_delivered(address, 1, 60)
            scene.check_delivered(address)
        scene.until_no_alert()
        told = scene.until_told(4)
        check_equal(sorted((one["profile"], one["kind"]) for one in told),
                    [("Contoso Ltd", "trouble"), ("Contoso Ltd", "well"), ("Fabrikam", "trouble"),
                     ("Fabrikam", "well")], "notifications")
        scene.check_history()


add_case("of many mailboxes on two profiles those that are refused are told of together, the others "
         "are never late, and all catch up", thousand, *((500, 150) if LONG else (100, 30)))


def usage(scene):
    """Memory in MB, the most so far, and seconds of processor time; lines in the log."""
    process = scene.daemon.process.pid
    with open(f"/proc/{process}/status", encoding="ascii") as file:
        status = dict(line.split(":", 1) for line in file)
    with open(f"/proc/{process}/stat", encoding="ascii") as file:
        ticks = sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13]))
    return (int(status["VmHWM"].split()[0]) / 1024, ticks / os.sysconf("SC_CLK_TCK"),
            len(scene.daemon.log().splitlines()))


def ten_thousand(mailboxes, refused):
    """Fewer than half of a profile's mailboxes are refused: an alert for each, which open one after
    the other in the first minutes, and a few notifications."""
    names = [f"user{index:05d}@example.com" for index in range(mailboxes)]
    without = names[:refused]
    with AlertScene(names, ["--threads", 4], impersonation="all,-" + ",-".join(without),
                    profile={"notify_delay": "1m", "poll_interval": "5m",
                             "probe_intervals": "1m, 5m"}) as scene:
        def figures(when):
            memory, seconds, lines_so_far = usage(scene)
            say(f"# {when}: at most {memory:.0f} MB, {seconds:.1f} s of processor time, "
                f"{lines_so_far} lines")
            return memory, seconds, lines_so_far

        scene.daemon.start()
        until(lambda: len(scene.open_alerts()) >= refused, "each refusal has its alert", 300)
        figures(f"{refused} alerts are open")
        scene.until_told(1, 120)
        until(lambda: all(row["told"] == DONE for row in scene.alerts()), "all are told", 60)
        _, before, lines_before = figures("the owner is told")
        time.sleep(60)
        memory, after, lines_after = figures("a minute later, with a probe of each")
        check(memory < 128 and after - before < 30, "it takes too much while they are refused")
        check(lines_after - lines_before < 100, f"{lines_after - lines_before} lines in a minute")
        told = scene.told()
        check_equal(sum(one["alerts_total"] for one in told), refused, "alerts in the notifications")
        check_equal(len(scene.alerts()), refused, "alerts")
        check_equal(len(scene.daemon.log_lines(IS_BEING)), refused, "lines that open them")
        check(len(told) <= 5, f"{len(told)} notifications of what opened within five minutes")
        scene.exchange.control("impersonation", account="svc-sync", grant="all")
        scene.until_no_alert(400)
        figures("all is well")
        kinds = [one["kind"] for one in scene.until_told(len(told) + 1, 120)]
        check_equal(kinds, ["trouble"] * len(told) + ["well"], "what the owner was told")
        scene.check_history()


if LONG:
    add_case("4,000 of 10,000 mailboxes are refused: what that takes, and no flood", ten_thousand,
             10000, 4000)


@case("when most of a profile is refused, one alert of the profile stands for all")
def _():
    names = [f"user{index:03d}@example.com" for index in range(60)]
    with AlertScene(names, impersonation="none",
                    profile={"notify_delay": "5s", "poll_interval": "5s"}) as scene:
        for address in names:
            scene.exchange.add(address, message())
        scene.daemon.start()
        told = scene.until_told(1)[0]
        check_equal(len(told["alerts"]), 1, "alerts in the notification")
        check("mailboxes of the email server profile" in told["alerts"][0]["sentence"],
              told["alerts"][0]["sentence"])
        check(len(told["mailboxes"]) > len(names) // 2, f"mailboxes named: {len(told['mailboxes'])}")
        check_equal([row["scope"] for row in scene.open_alerts()], ["profile"], "open alerts")
        # A restart opens nothing anew.
        scene.daemon.stop()
        scene.daemon.start()
        until(lambda: len(scene.daemon.log_lines("incoming failed")) >= len(names) * 3 // 2,
              "all are tried again")
        check_equal([row["scope"] for row in scene.open_alerts()], ["profile"], "open alerts")
        scene.exchange.control("impersonation", account="svc-sync", grant="all")
        for address in names:
            scene.until_delivered(address, 1)
        scene.until_no_alert()
        check_equal([one["kind"] for one in scene.until_told(2)], ["trouble", "well"], "told")
        scene.check_history()


@case("a permission that comes and goes makes no flood, loses no mail, and leaves a true history")
def _():
    seconds = 60 if LONG else 10
    with AlertScene([ANN, CARLA], profile={"notify_delay": "500ms", "notify_limit": 3}) as scene:
        scene.daemon.start()
        count = 0
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline or len(scene.alerts()) <= 3:
            check(count < 200, "it is not refused again and again")
            scene.exchange.revoke(CARLA)
            scene.exchange.add(CARLA, message(f"number {count}"))
            count += 1
            time.sleep(0.7)
            scene.exchange.grant(CARLA)
            time.sleep(0.7)
        scene.until_delivered(CARLA, count)
        scene.check_delivered(CARLA)
        scene.until_no_alert()
        scene.check_history()
        check(1 <= len(scene.told()) <= 3, f"{len(scene.told())} notifications, notify_limit is 3")


@case("an alert that is open at a kill is told once after it")
def _():
    with AlertScene([CARLA], impersonation="none", profile={"notify_delay": "3s"}) as scene:
        scene.daemon.start()
        scene.daemon.until_logged(IS_BEING)
        scene.daemon.kill()
        scene.daemon.start()
        scene.until_told(1)
        until(lambda: lines(scene, receiving(CARLA, HAS_BEEN)), "it is said that the owner knows")
        check_equal(len(lines(scene, receiving(CARLA, IS_BEING))), 1, "lines that open the alert")
        time.sleep(4)
        check_equal(len(scene.told()), 1, "notifications")
        check_equal(scene.told()[0]["owner"], OWNER, "whom it is for")
        scene.exchange.grant(CARLA)
        scene.until_no_alert()
        scene.until_told(2)


@case("what went wrong is over when its direction is turned off or its mailbox goes, in a reload or "
      "while it does not run")
def _():
    with AlertScene([ANN, BEN, CARLA], impersonation=f"all,-{BEN},-{CARLA}") as scene:
        scene.daemon.start()
        until(lambda: sum(len(one["alerts"]) for one in scene.told()) >= 2, "both are told of")
        scene.mailboxes[CARLA] = {"incoming": "no"}
        scene.write_configuration()
        scene.daemon.reload()
        until(lambda: [row["address"] for row in scene.open_alerts()] == [BEN], "Carla's is over")
        check_equal(scene.ledger.unresolved(CARLA), [], "Carla's failures")
        del scene.mailboxes[BEN]
        scene.write_configuration()
        scene.daemon.reload()
        scene.until_no_alert()
        until(lambda: scene.told()[-1]["kind"] == "well", "all is well")
        # On again it is refused again; off while nobody looks.
        scene.mailboxes[CARLA] = {}
        scene.write_configuration()
        scene.daemon.reload()
        until(lambda: scene.told()[-1]["kind"] == "trouble", "it is told of again")
        scene.daemon.stop()
        scene.mailboxes[CARLA] = {"incoming": "no"}
        scene.write_configuration()
        scene.daemon.start()
        scene.until_no_alert()
        until(lambda: scene.told()[-1]["kind"] == "well", "all is well again")


@case("the alert of a profile ends although some of its mailboxes are never looked at, and all is "
      "well only when none is refused any more")
def _():
    names = {f"user{index}@example.com": {} for index in range(8)}
    last = list(names)[-1]
    silent = {"sends@example.com": {"incoming": "no", "outgoing": "yes"},
              "off@example.com": {"incoming": "no"}}
    with AlertScene({**names, **silent}, impersonation="none") as scene:
        scene.daemon.start()
        until(lambda: "profile" in [row["scope"] for row in scene.open_alerts()],
              "one alert stands for all")
        until(lambda: scene.told() and scene.told()[-1]["alerts"][0]["absorbs"], "it is told")
        check("of the 9 mailboxes" in scene.told()[-1]["alerts"][0]["sentence"],
              scene.told()[-1]["alerts"][0]["sentence"])
        before = len(scene.told())
        for address in names:
            if address != last:
                scene.exchange.grant(address)
        until(lambda: [row["address"] for row in scene.open_alerts()] == [last],
              "the last one has an alert of its own")
        until(lambda: len(scene.told()) > before, "it is told of")
        time.sleep(1)
        check_equal([one["kind"] for one in scene.told()[before:]], ["trouble"],
                    "what was told while one was refused")
        scene.exchange.grant(last)
        scene.until_no_alert()
        until(lambda: scene.told()[-1]["kind"] == "well", "all is well")


@case("an owner who is configured later is told of what is still wrong, with most of a profile, too")
def _():
    names = [f"user{index}@example.com" for index in range(6)]
    with AlertScene(names, impersonation="none") as scene:
        owner = {key: scene.profile_keys.pop(key) for key in ("owner", "notify", "notify_command")}
        scene.write_configuration()
        scene.daemon.start()
        until(lambda: [(row["scope"], row["told"]) for row in scene.open_alerts()]
              == [("profile", NOT)], "one alert stands for all, and nobody could be told")
        scene.profile_keys.update(owner)
        scene.write_configuration()
        scene.daemon.reload()
        told = scene.until_told(1)[0]
        check_equal([one["absorbs"] for one in told["alerts"]], [True], "what is told")
        until(lambda: [row["told"] for row in scene.open_alerts()] == [DONE], "it is told")
        scene.exchange.control("impersonation", account="svc-sync", grant="all")
        scene.until_no_alert()
        check_equal([one["kind"] for one in scene.until_told(2)], ["trouble", "well"], "told")


main()
