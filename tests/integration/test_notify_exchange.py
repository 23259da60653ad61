#!/usr/bin/python3
"""Owners are told through Exchange, by the account's own mailbox: when that is trouble, too, it costs
no sign-in and says nothing that is not so."""

import time

from alerting import ACCOUNT, AlertScene, DONE, OWNER, receiving
from harness import case, check, check_equal, main, until
from mail import message
from scene import ANN, CARLA, PROFILE

OWN = "svc-sync@example.com"
OTHERS = [f"user{number}@example.com" for number in range(30)]
NOT_TOLD = "could not be notified:"


class ExchangeScene(AlertScene):
    """Carla is refused; her alert's notification goes through Exchange."""

    def __init__(self, mailboxes, options=(), **arguments):
        own = ["--mailbox", OWN, "--mailbox", OWNER, "--account-mailbox", f"{ACCOUNT}:{OWN}"]
        super().__init__(mailboxes, [*own, *options], impersonation=f"all,-{CARLA}",
                         notify={"notify": "exchange"}, **arguments)
        self.ignored_counters = ("anchor_missing",)  # the account's own mailbox needs none

    def refused(self):
        return self.exchange.counter("unauthorized")

    def owners(self):
        """The messages that the owner has."""
        return self.exchange.items(OWNER, "Inbox")


def check_costs(scene, wanted, what, seconds=1.5):
    """Nobody signs in while time passes in which a notification is tried many times."""
    time.sleep(seconds)
    check_equal(scene.refused(), wanted, f"refused sign-ins after {what}")


@case("a password that becomes wrong costs ten sign-ins at most, then one a try, whatever waits to be "
      "told through Exchange")
def _():
    with ExchangeScene([CARLA, *OTHERS], ["--latency", "150"],
                       profile={"max_connections": 10}) as scene:
        scene.exchange.fault(operation="CreateItem", http=503, count=0)
        scene.daemon.start()
        scene.until_polled(*OTHERS)
        scene.daemon.until_logged(receiving(CARLA, NOT_TOLD))  # it waits, and is tried all the time
        scene.exchange.control("account", name=ACCOUNT, password="new-password")
        scene.daemon.until_logged(f"profile {PROFILE}: all its mailboxes wait")
        time.sleep(1)
        cost = scene.refused()
        check(1 <= cost <= 10, f"it cost {cost} sign-ins")
        check_costs(scene, cost, "the first refusal")
        scene.daemon.try_now()
        scene.daemon.until_logged("An authentication error occurred", "is being notified.")
        check_costs(scene, cost + 1, "the second")
        scene.reload()
        check_costs(scene, cost + 1, "a reload")
        for ending in ("stop", "kill"):
            getattr(scene.daemon, ending)()
            scene.daemon.start()
            scene.daemon.until_started()
            check_costs(scene, cost + 1, f"{ending} and start")
        check_equal(scene.owners(), [], "messages to the owner")
        scene.exchange.clear_faults()
        scene.change_password("another-password")
        scene.until_polled(*OTHERS)
        until(lambda: scene.owners(), "the owner is told")
        check_equal(scene.refused(), cost + 1, "refused sign-ins in the end")


@case("a refused account that nobody else uses is not tried by notifications again and again")
def _():
    quiet = {"poll_interval": "1h", "probe_intervals": "1h"}
    with ExchangeScene([CARLA], profile=quiet) as scene:
        scene.exchange.fault(operation="CreateItem", http=503, count=0)
        scene.daemon.start()
        scene.daemon.until_logged(receiving(CARLA, NOT_TOLD))  # tried ten times a second
        scene.exchange.control("account", name=ACCOUNT, password="new-password")
        until(lambda: scene.refused() == 1, "the account is refused")
        check_costs(scene, 1, "many tries of the notification", 3)


@case("while the account is refused an alert says why its owner could not be told, and the owner is "
      "told when it is not")
def _():
    with ExchangeScene([ANN]) as scene:
        scene.exchange.control("account", name=ACCOUNT, password="another")
        scene.daemon.start()
        scene.daemon.until_logged("all its mailboxes wait")
        scene.daemon.try_now()
        line = scene.daemon.until_logged("An authentication error", NOT_TOLD)
        check("credentials" in line, f"the reason is not the account: {line}")
        lines = scene.daemon.log_lines("An authentication error")
        check_equal([NOT_TOLD in one for one in lines], [False, True], "being, then could not be")
        check_equal(scene.refused(), 2, "refused sign-ins")
        scene.change_password("mended")
        until(lambda: scene.owners(), "the owner is told")
        until(lambda: [row["told"] for row in scene.alerts()] == [DONE], "it is told")
        scene.exchange.add(ANN, message())
        scene.until_delivered(ANN, 1)
        scene.until_no_alert()


main()
