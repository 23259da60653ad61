#!/usr/bin/env python3
"""The control socket and the commands that concern the daemon itself: who may, and what comes
back."""

import grp
import os
import shutil
import socket
import stat
import time

from daemon_process import NOBODY
from exsyncctl import (EX_CONFIG, EX_NOPERM, EX_NOUSER, EX_PROTOCOL, EX_TEMPFAIL, EX_UNAVAILABLE,
                       EX_USAGE, Exsyncctl, check_alive, settle, started)
from harness import Skipped, case, check, check_equal, main
from mail import message
from scene import ANN, BEN, PROFILE, Scene


# --- the socket ----------------------------------------------------------------------------------

@case("The greeting tells the version, and version both")
def greeting():
    with Scene([ANN]) as scene:
        tool = started(scene)
        with tool.connect() as line:
            check_equal(line.greeting, {"exsyncd": "0.1.0", "control": 1}, "the greeting")
        answers = tool.answers("version")
        check_equal(answers, [{"kind": "version", "exsyncd": "0.1.0", "control": 1,
                               "process": scene.daemon.process.pid}], "the answers")
        out = tool.output("version")
        check("exsyncctl 0.1.0" in out and "exsyncd   0.1.0" in out, out)


@case("The socket is there while the daemon runs, for nobody else, and goes at the stop")
def socket_file():
    with Scene([ANN]) as scene:
        started(scene)
        status = os.stat(scene.control_socket)
        check(stat.S_ISSOCK(status.st_mode), "it is no socket")
        try:
            wanted = (0o660, grp.getgrnam("exsync-admin").gr_gid)
        except KeyError:
            wanted = (0o600, status.st_gid)
        check_equal((stat.S_IMODE(status.st_mode), status.st_gid), wanted, "mode and group")
        scene.daemon.stop()
        check(not scene.control_socket.exists(), "the socket is left behind")


@case("A socket that a killed daemon has left is replaced")
def stale():
    with Scene([ANN]) as scene:
        tool = started(scene)
        scene.daemon.kill()
        check(scene.control_socket.exists(), "the socket is gone")
        tool.fails(EX_UNAVAILABLE, "version", saying=["is not running", "systemctl start"])
        check_alive(scene, started(scene))


@case("Somebody else's socket stays theirs, and the daemon runs on without")
def foreign():
    with Scene([ANN]) as scene, socket.socket(socket.AF_UNIX) as other:
        other.bind(str(scene.control_socket))
        other.listen()
        scene.daemon.start()
        scene.daemon.until_logged("cannot be made", "another program listens there")
        scene.exchange.add(ANN, message("hello"))
        scene.until_delivered(ANN, 1)
        scene.daemon.stop()
        check(scene.control_socket.exists(), "the other's socket was removed")


@case("A file that is no socket is not touched")
def no_socket():
    with Scene([ANN]) as scene:
        scene.control_socket.write_text("mine")
        scene.daemon.start()
        scene.daemon.until_logged("cannot be made", "no socket")
        scene.daemon.until_started()
        scene.daemon.stop()
        check_equal(scene.control_socket.read_text(), "mine", "the file")


@case("A folder that is not there is told with what to do, and none makes no socket")
def no_folder():
    with Scene([ANN], daemon={"control_socket": "/nowhere/at/all/control.sock"}) as scene:
        scene.daemon.start()
        scene.daemon.until_logged("/nowhere/at/all/control.sock", "RuntimeDirectory=exsyncd")
        scene.daemon.until_started()
    with Scene([ANN], daemon={"control_socket": "none"}) as scene:
        tool = started(scene)
        check_equal(scene.daemon.log_lines("control socket"), [], "log lines")
        tool.fails(EX_UNAVAILABLE, "version", saying="is not running")


@case("Without the key the socket is in the folder that systemd names")
def runtime_directory():
    with Scene([ANN]) as scene:
        del scene.daemon_keys["control_socket"]
        scene.write_configuration()
        folder = scene.folder / "run"
        folder.mkdir()
        scene.daemon.environment["RUNTIME_DIRECTORY"] = f"{folder}:/run/another"
        scene.control_socket = folder / "control.sock"
        check_equal(started(scene).answers("version")[0]["kind"], "version", "kind of the answer")


@case("A user who is not in the group is told which one, and how to join it")
def not_allowed():
    if os.geteuid() != 0:
        raise Skipped("only root can become another user")
    with Scene([ANN]) as scene:
        started(scene)
        os.chmod(scene.folder, 0o755)
        stranger = Exsyncctl(scene, user=NOBODY)
        saying = ["may not administer", "group exsync-admin", "usermod -a -G exsync-admin"]
        stranger.fails(EX_NOPERM, "version", saying=saying)
        os.chmod(scene.control_socket, 0o666)  # the daemon looks, too
        stranger.fails(EX_NOPERM, "version", saying=saying)


@case("A member of exsync-admin may, by the group of its process")
def member():
    try:
        group = grp.getgrnam("exsync-admin").gr_gid
    except KeyError:
        raise Skipped("there is no group exsync-admin here") from None
    if os.geteuid() != 0:
        raise Skipped("only root can become another user")
    with Scene([ANN]) as scene:
        started(scene)
        os.chmod(scene.folder, 0o755)
        check_equal(Exsyncctl(scene, NOBODY, [group]).run("version")[0], 0, "status")


@case("The daemon's own user may")
def own_user():
    with Scene([ANN], unprivileged=True) as scene:
        started(scene)
        os.chmod(scene.folder, 0o755)
        check_equal(Exsyncctl(scene, scene.daemon.user).run("version")[0], 0, "status")


@case("Without a daemon, or with one of another version, the tool says what to do")
def tool_errors():
    with Scene([ANN]) as scene:
        tool = Exsyncctl(scene)
        tool.fails(EX_UNAVAILABLE, "version", saying=["is not running", str(tool.socket)])
        tool.fails(EX_USAGE, "no-such-command", saying="no command")
        tool.fails(EX_USAGE, "sync", "then", saying="sync now")
        tool.fails(EX_USAGE, "sync", "now", saying="which mailbox")
        tool.fails(EX_USAGE, "version", "--loud", saying="--loud")
        tool.fails(EX_USAGE, "reload", "twice", saying="too much")
        check_equal(tool.output("--version").split()[0], "exsyncctl", "the version's first word")
        for words in (["--help"], ["sync", "now", "--help"], ["-h"]):
            check("Usage: exsyncctl" in tool.output(*words), f"no usage from {words}")
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(tool.socket))
            other.listen()
            for greeting_line, status, saying in (
                    (b'{"exsyncd": "9.9", "control": 2}\n', EX_PROTOCOL, "exsyncd 9.9"),
                    (b'220 mail.example.com ESMTP\n', EX_PROTOCOL, "does not speak"),
                    (b'', EX_TEMPFAIL, "closed the connection")):
                process = tool.start("version")
                peer = other.accept()[0]
                peer.sendall(greeting_line)
                peer.close()
                err = process.communicate(timeout=30)[1]
                check_equal(process.returncode, status, f"status after {greeting_line}")
                check(saying in err, f"exsyncctl says {err!r}")
        scene.daemon.start()  # for the end of the scene
        scene.daemon.until_started()


# --- reload and sync -----------------------------------------------------------------------------

@case("reload waits until the configuration is in use")
def reload():
    with Scene([ANN, BEN]) as scene:
        tool = started(scene)
        del scene.mailboxes[BEN]
        scene.write_configuration()
        warning, answer = tool.answers("reload")
        check_equal(warning["kind"], "warning", "kind of what is told of a missing owner")
        check_equal((answer["kind"], answer["mailboxes"], answer["profiles"]),
                    ("configuration", 1, 1), "the answer")
        scene.daemon.until_logged("configuration reloaded: 1 mailbox")
        status, out, err = tool.run("reload")
        check_equal((status, "owner: is missing" in err), (0, True), "status, and the warning")
        check("in use: 1 mailbox on 1 profile" in out, out)
        tools = [tool.start("reload") for _ in range(8)]
        for one in tools:
            one.communicate(timeout=30)
            check_equal(one.returncode, 0, "status of one of eight at once")
        check_alive(scene, tool)


@case("reload tells mistakes as --check-config does, and the configuration in use stays")
def mistakes():
    with Scene([ANN]) as scene:
        tool = started(scene)
        right = scene.daemon.configuration.read_text()
        scene.daemon.configuration.write_text(
            right + "[mailbox x]\n[nonsense]\nthis = that\n")
        status, wanted = scene.daemon.run("--check-config")
        check_equal(status, EX_CONFIG, "status of --check-config")
        err = tool.fails(EX_CONFIG, "reload", saying="the one in use stays")
        lines = [line for line in err.splitlines() if not line.startswith("exsyncctl: ")]
        check_equal(lines, wanted.splitlines(), "the mistakes")
        kinds = [one["kind"] for one in tool.answers("reload", wanted=EX_CONFIG)]
        check_equal(kinds, ["mistake"] * len(lines), "kinds of the answers")
        main = str(scene.daemon.configuration)
        scene.daemon.configuration.write_text(right)
        more = scene.folder / "conf.d"
        more.mkdir()
        (more / "one.conf").write_text("[nonsense]\n")
        err = tool.fails(EX_CONFIG, "reload", saying=f"{more}/one.conf:1: ")
        told = next(line for line in err.splitlines() if line.startswith("exsyncctl: "))
        check(main not in told, f"the right file is named: {told}")
        shutil.rmtree(more)
        scene.daemon.configuration.write_text(right + "[mailbox y]\n" * 4000)
        check("more; exsyncd --check-config" in tool.fails(EX_CONFIG, "reload"), "all were told")
        scene.write_configuration()
        check_alive(scene, tool)


@case("sync now makes a mailbox due, and --wait says what came of it")
def sync_now():
    with Scene([ANN, BEN], profile={"poll_interval": "1h"}) as scene:
        tool = started(scene)
        settle(tool)
        for mailbox in (ANN, BEN):
            scene.exchange.add(mailbox, message("one"))
        check("1 direction is due now" in tool.output("sync", "now", ANN.upper()), "the text")
        scene.until_delivered(ANN, 1)
        scene.exchange.add(ANN, message("two"))
        due, cycle = tool.answers("sync", "now", ANN, "--wait")
        check_equal(due, {"kind": "due", "directions": 1, "disabled": 0, "hindrance": None},
                    "the first answer")
        check_equal(cycle, {"kind": "cycle", "address": ANN, "profile": PROFILE,
                            "direction": "incoming", "result": "success", "processed": 1,
                            "failed": 0, "next_try": None, "error": None}, "the second answer")
        check_equal(scene.maildir(ANN).count(), 2, "messages when it has ended")
        check_equal(scene.maildir(BEN).count(), 0, "messages of the mailbox that was not asked for")
        out = tool.output("sync", "now", "--profile", PROFILE, "--wait")
        check("ben@example.com incoming: success, 1 message delivered" in out, out)
        check("ann@example.com incoming: success, 0 messages delivered" in out, out)
        tool.fails(EX_NOUSER, "sync", "now", "carla@example.com", saying="mailbox list")
        tool.fails(EX_NOUSER, "sync", "now", "--profile", "none", saying="profile list")


@case("sync now --wait of a mailbox that is being synced waits for the next cycle")
def sync_running():
    with Scene([ANN], profile={"poll_interval": "1h"}) as scene:
        tool = started(scene)
        settle(tool)
        scene.exchange.fault(operation="FindItem", count=1, delay=1000)
        tool.output("sync", "now", ANN)
        time.sleep(0.3)
        scene.exchange.add(ANN, message("while it runs"))
        tool.output("sync", "now", ANN, "--wait")
        check_equal(scene.maildir(ANN).count(), 1, "messages when the second has ended")


@case("sync now --wait tells a failure, of the mailbox or of the whole server")
def sync_failures():
    with Scene([ANN, BEN], profile={"poll_interval": "1h", "probe_intervals": "1h",
                                    "retry_min": "10m", "retry_max": "10m"}) as scene:
        tool = started(scene)
        settle(tool)
        scene.exchange.revoke(ANN)
        status, out, err = tool.run("sync", "now", ANN, "--wait")
        check_equal(status, EX_TEMPFAIL, "status")
        check("failure" in out and "ErrorImpersonateUserDenied" in out, out)
        check("1 of 1 cycle has failed" in err, err)
        scene.exchange.grant(ANN)
        scene.exchange.add(ANN, message("again"))
        tool.output("sync", "now", ANN, "--wait")  # a probe first
        check_equal(scene.maildir(ANN).count(), 1, "messages when it has ended")
        scene.exchange.fault(http=503, count=0)
        for _ in range(2):
            answers = tool.answers("sync", "now", "--profile", PROFILE, "--wait",
                                   wanted=EX_TEMPFAIL)
            check_equal([one["result"] for one in answers[1:]], ["failure"] * 2, "results")
        scene.exchange.clear_faults()
        tool.output("sync", "now", "--profile", PROFILE, "--wait")


@case("sync now --wait ends when the mailbox leaves the configuration")
def sync_removed():
    with Scene([ANN, BEN], profile={"poll_interval": "1h"}) as scene:
        tool = started(scene)
        settle(tool)
        scene.exchange.fault(operation="FindItem", mailbox=BEN, count=1, delay=1000)
        process = tool.start("--json", "sync", "now", BEN, "--wait")
        time.sleep(0.3)
        del scene.mailboxes[BEN]
        scene.write_configuration()
        check_equal(tool.run("reload")[0], 0, "status of reload")
        process.communicate(timeout=30)
        check_equal(process.returncode, 0, "status")
        scene.mailboxes[BEN] = {}


# --- output --------------------------------------------------------------------------------------

@case("Colours are for terminals, and not with NO_COLOR; --json is the same everywhere")
def colours():
    with Scene([ANN], profile={"poll_interval": "1h"}) as scene:
        tool = started(scene)
        words = ("sync", "now", ANN, "--wait")
        check("\033[" in tool.on_terminal(*words), "no colour on a terminal")
        check("\033[" not in tool.on_terminal(*words, environment={"NO_COLOR": "1"}),
              "colour in spite of NO_COLOR")
        check("\033[" not in tool.on_terminal("--json", *words), "colour in JSON")
        check("\033[" not in tool.output(*words), "colour in a pipe")


main()
