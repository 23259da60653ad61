"""What the tests of exsyncctl's views share."""

from alerting import AlertScene
from exsyncctl import Exsyncctl
from harness import until
from scene import ANN, BEN, CARLA

DENIED = "ErrorImpersonateUserDenied"


def started(scene, **arguments):
    scene.daemon.start()
    scene.daemon.until_started()
    return Exsyncctl(scene, **arguments)


def of_kind(answers, kind):
    return [answer for answer in answers if answer["kind"] == kind]


def mailbox_of(tool, address):
    return tool.answers("mailbox", "show", address)[0]


def until_state(tool, address, state):
    until(lambda: mailbox_of(tool, address)["state"] == state, f"{address} is {state}", pause=0.05)


def refused(mailboxes=(ANN, BEN, CARLA), denied=BEN, **arguments):
    """A scene in which one mailbox may not be impersonated."""
    scene = AlertScene(list(mailboxes), **arguments)
    scene.exchange.revoke(denied)
    return scene
