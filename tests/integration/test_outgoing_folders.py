#!/usr/bin/python3
"""The outbox's folders as the daemon keeps them: what exsync-submit is told there, who may write into
them before and after a reload, what is taken away."""

import os
import pathlib
import stat
import subprocess
import time

from harness import Skipped, case, check, check_equal, main, program, until
from scene import ANN, BEN
from sending import SendingScene, mail


@case("exsync-submit goes by what the daemon's configuration says of sizes and of room")
def _():
    with SendingScene(daemon={"outbox_min_free": "1000GB", "max_submission_size": "1KB"}) as scene:
        scene.start()
        until((scene.outbox.folder / "policy").exists, "the policy is published")

        def submit(message):
            return subprocess.run([program("exsync-submit"), "-t", "--state-directory",
                                   scene.folder / "state"], input=message, capture_output=True,
                                  check=False)
        result = submit(mail("small"))
        check(result.returncode == 75 and b"outbox_min_free" in result.stderr, f"it said {result}")
        scene.daemon_keys["outbox_min_free"] = "0"
        scene.reload()
        until(lambda: submit(mail("small")).returncode == 0, "the message is taken")
        result = submit(mail("large", body="x" * 1000))
        check(result.returncode == 69 and b"max_submission_size" in result.stderr,
              f"it said {result}")
        scene.until_received(BEN, 1)
        scene.until_settled()


def with_groups_of_its_own(scene):
    """The daemon sees another /etc/group than this machine's, which is returned."""
    groups = scene.folder / "group"
    groups.write_text(pathlib.Path("/etc/group").read_text(encoding="utf-8"), encoding="utf-8")
    command = scene.daemon.command
    prefix = ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/group && exec "$@"', groups]
    if os.getuid() != 0 or subprocess.run([*prefix, "true"], capture_output=True,
                                          check=False).returncode != 0:
        raise Skipped("no file can be mounted over /etc/group in a space of its own")
    scene.daemon.command = lambda *options: prefix + command(*options)
    return groups


@case("a reload opens the outbox to the group exsync-submit when there is one, and closes it again")
def _():
    with SendingScene() as scene:
        groups = with_groups_of_its_own(scene)
        scene.start()

        def access(folder):
            status = (scene.outbox.folder / folder).stat()
            return stat.S_IMODE(status.st_mode), status.st_gid
        check_equal((access("tmp")[0], access(".")[0]), (0o700, 0o700), "modes without the group")
        before = groups.read_text(encoding="utf-8")
        groups.write_text(before + "exsync-submit:x:8765:\n", encoding="utf-8")
        scene.reload()
        for folder in ("tmp", "new"):
            until(lambda folder=folder: access(folder) == (0o3730, 8765), f"{folder} is open")
        check_equal((access(".")[0], access("queue")[0]), (0o711, 0o700), "modes with the group")
        scene.submit(mail("after the reload"))
        scene.until_received(BEN, 1)
        groups.write_text(before, encoding="utf-8")
        scene.reload()
        until(lambda: access("new")[0] == 0o700, "new is closed")
        scene.until_settled()


@case("when the outbox cannot be opened again at a reload that is told, and sending goes on")
def _():
    with SendingScene(unprivileged=True) as scene:
        groups = with_groups_of_its_own(scene)
        scene.start()
        groups.write_text(groups.read_text(encoding="utf-8") + "exsync-submit:x:8765:\n",
                          encoding="utf-8")
        scene.reload()
        scene.daemon.until_logged("the outbox stays as it was", "member of the group exsync-submit",
                                  "restart exsyncd")
        scene.submit(mail("all the same"))
        scene.until_received(BEN, 1)
        scene.until_settled()


@case("a reload makes and watches the folders that somebody has removed")
def _():
    with SendingScene(daemon={"outbox_scan_interval": "1h"}) as scene:
        scene.start()
        scene.submit(mail("before"))
        scene.until_received(BEN, 1)
        scene.until_settled()
        (scene.outbox.folder / "new").rmdir()
        scene.reload()
        until((scene.outbox.folder / "new").is_dir, "new/ is there again")
        time.sleep(0.5)
        for number in range(2):
            scene.submit(mail(f"after {number}"))
            scene.until_received(BEN, 2 + number, seconds=10)


@case("what programs have left in tmp/ is taken away at a reload, what is new stays")
def _():
    with SendingScene() as scene:
        scene.start()
        old, new = (scene.outbox.folder / "tmp" / name for name in ("old", "new"))
        for path, hours in ((old, 37), (new, 35)):
            path.write_bytes(b"half a mess")
            os.utime(path, times=(time.time() - hours * 3600,) * 2)
        scene.reload()
        until(lambda: not old.exists(), "the old file is away")
        check(new.exists(), "the new file is away, too")


@case("where nobody sends, a start and a reload tell of an outbox that is there, and what waits in it")
def _():
    with SendingScene({ANN: {"outgoing": "no"}, BEN: {"outgoing": "no"}}) as scene:
        scene.daemon.start()
        scene.daemon.until_logged("started: ")
        scene.reload()
        check_equal(scene.daemon.log_lines("nobody takes"), [], "warnings without an outbox")
        scene.daemon.stop()
        for folder in ("tmp", "new"):
            (scene.outbox.folder / folder).mkdir(parents=True)
        scene.daemon.start()
        scene.daemon.until_started()
        scene.reload()
        time.sleep(0.3)
        check_equal(scene.daemon.log_lines("nobody takes"), [], "warnings of an empty outbox")
        scene.daemon.stop()
        scene.submit(mail("it waits"))
        scene.daemon.start()
        scene.daemon.until_logged("no mailbox has outgoing = yes", "1 message waits")
        scene.submit(mail("and waits"))
        scene.reload()
        scene.daemon.until_logged("no mailbox has outgoing = yes", "2 messages wait")
        scene.mailboxes = {ANN: {}, BEN: {}}
        scene.reload()
        scene.until_received(BEN, 2)
        scene.until_settled()


@case("a folder in new/ is told of once, and holds up no message")
def _():
    with SendingScene() as scene:
        scene.start()
        (scene.outbox.folder / "new/folder").mkdir()
        for number in range(4):
            scene.submit(mail(f"number {number}"))
            scene.until_received(BEN, number + 1)
        check_equal(len(scene.daemon.log_lines("submitted messages wait")), 1, "times it is told")
        (scene.outbox.folder / "new/folder").rmdir()
        scene.submit(mail("the last"))
        scene.daemon.until_logged("submitted messages are taken in again")


main()
