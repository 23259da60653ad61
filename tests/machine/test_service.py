#!/usr/bin/python3
"""exsyncd as a service of a real systemd: what the unit promises, and what administrators do."""

import contextlib
import json
import re
import sqlite3
import time

from machine import check, check_equal, enter_namespace, until
from mailhost import ADMIN, ANN, BEN, CARLA, CONFIGURATION, STATE, STRANGER, USER, Shared

from harness import case, main
from scene import ACCOUNT, PASSWORD

machine = Shared()
EXPOSURE = 1.6  # at most, of 10, as systemd-analyze security counts; without a sandbox it is 9.6
STOP_S = 5
SERVICE = "exsyncd.service"


@case("the service says that it is ready, works, and comes with every start of the machine")
def _():
    host = machine().serving()
    host.works()
    check_equal(host.state(), "active", "state")
    check_equal(host.unit("Type"), "notify", "type")
    check_equal(host.ask("systemctl", "is-enabled", "exsyncd").strip(), "enabled", "enabled")
    check(host.unit("StatusText"), "systemctl status has no line of the daemon")
    check_equal(host.ask("stat", "--format=%U:%G", f"/proc/{host.process()}/task").strip(),
                "exsyncd:exsyncd", "who it runs as")


@case("a service whose loop stands still is ended and started again by the watchdog")
def _():
    host = machine().serving()
    check(host.unit("WatchdogUSec") not in ("0", "infinity"), "the unit has no watchdog")
    host.drop_in("[Service]\nWatchdogSec=2s\nTimeoutAbortSec=1s\nRestartSec=100ms\n")
    host.run("systemctl", "restart", "exsyncd")
    stopped = host.process()
    host.works()
    time.sleep(3)  # longer than WatchdogSec: it is fed
    check_equal(host.process(), stopped, "the process of a service at work")
    host.run("sh", "-c", f"kill -STOP {stopped}")
    until(lambda: host.state() == "active" and host.process() not in (0, stopped),
          lambda: f"another process runs: {host.journal()[-800:]}")
    check("Watchdog timeout" in host.journal(), "the journal does not name the watchdog")
    host.works()
    host.check_nothing_twice()
    host.drop_in("")
    host.run("systemctl", "restart", "exsyncd")


@case("a database of a newer version is refused once, and not by a start every ten seconds")
def _():
    host = machine().serving()
    host.works()
    host.run("systemctl", "stop", "exsyncd")

    def version(query):
        with contextlib.closing(sqlite3.connect(host.path(f"{STATE}/exsyncd.db"))) as database:
            return database.execute(f"PRAGMA user_version{query}").fetchone()
    right = version("")[0]
    version(" = 99")
    try:
        host.refused("systemctl", "start", "exsyncd")
        check_equal((host.state(), host.unit("ExecMainStatus"), host.unit("NRestarts")),
                    ("failed", "65", "0"), "state, exit status and restarts")
    finally:
        version(f" = {right}")
    host.run("systemctl", "start", "exsyncd")
    host.works()


@case("the sandbox is in force: no capability, no new privilege, filtered system calls")
def _():
    host = machine().serving()
    status = dict(re.findall(r"^(\w+):\s*(.*)$", host.run("cat", f"/proc/{host.process()}/status"),
                             re.M))
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        check_equal(int(status[name], 16), 0, name)
    check_equal(status["NoNewPrivs"], "1", "NoNewPrivs")
    check_equal(status["Seccomp"], "2", "Seccomp")
    told = host.ask("systemd-analyze", "security", "--no-pager", SERVICE)
    exposure = re.search(r"Overall exposure level[^:]*: ([0-9.]+)", told)
    check(exposure and float(exposure[1]) <= EXPOSURE,
          f"systemd-analyze security: {exposure[0] if exposure else told}")


@case("even root could write nowhere from inside the service but where mail and state are")
def _():
    host = machine().serving()
    inside = ["nsenter", f"--target={host.process()}", "--mount", "--"]
    for folder in ("/usr", "/etc", "/etc/exsyncd", "/srv", "/var/log", "/boot"):
        said = host.refused(*inside, "touch", f"{folder}/written")
        check("Read-only file system" in said, f"{folder}: {said}")
    host.refused(*inside, "runuser", "-u", "exsyncd", "--", "touch", f"{CONFIGURATION}.new",
                 CONFIGURATION)
    check_equal(host.ask(*inside, "ls", "-A", "/root"), "", "what is seen of the home of root")
    host.path("/tmp/of-another").write_text("")
    check_equal(host.ask(*inside, "ls", "-A", "/tmp"), "", "files of others in /tmp")
    for folder in (STATE, "/run/exsyncd"):
        host.run(*inside, "touch", f"{folder}/written")
        host.run("rm", f"{folder}/written")


@case("reload takes a new configuration without a restart, and a wrong one changes nothing")
def _():
    host = machine().serving()
    process = host.process()
    host.keys[CARLA] = {}
    host.configure()
    host.run("systemctl", "reload", "exsyncd")
    check(CARLA in host.run("exsyncctl", "mailbox", "list"), "it is done before it has happened")
    host.until_delivered(CARLA, host.add(CARLA))
    host.path(CONFIGURATION).write_text("[exsyncd]\nno_such_key = 1\n")
    host.refused("systemctl", "reload", "exsyncd")
    until(lambda: "no_such_key" in host.journal("--priority=err"), "the mistake is told")
    host.until_delivered(CARLA, host.add(CARLA))
    check_equal((host.process(), host.state()), (process, "active"), "process and state")
    host.configure()
    host.run("systemctl", "reload", "exsyncd")


@case("where nobody can ask exsyncd, a reload of the service still takes the configuration")
def _():
    host = machine().serving()
    host.keys["exsyncd"] = {"control_socket": "none"}
    host.configure()
    host.run("systemctl", "restart", "exsyncd")
    host.refused("exsyncctl", "reload")
    host.run("systemctl", "reload", "exsyncd")
    until(lambda: "configuration reloaded" in host.journal(f"_PID={host.process()}"),
          "the configuration is reloaded")
    host.keys["exsyncd"] = {}
    host.configure()
    host.run("systemctl", "restart", "exsyncd")


@case("a configuration that root alone can read is refused by root's check as by the service")
def _():
    host = machine().serving()
    host.run("chmod", "600", "/etc/exsyncd/password")
    result = host.call("exsyncd", "--check-config")
    check(result.returncode == 78 and "checked as user exsyncd" in result.stderr and
          "password" in result.stderr, f"status {result.returncode}: {result.stderr}")
    host.run("chmod", "640", "/etc/exsyncd/password")
    said = host.run("exsyncd", "--check-config")
    check("checked as user exsyncd" in said and " correct: " in said, f"it says: {said}")


@case("what --check-config prints for a folder with blanks and signs lets the service write there")
def _():
    host = machine().serving()
    folder = '/srv/mail of "100%"'
    host.run("install", "-d", "-o", "exsyncd", folder)
    host.keys[CARLA] = {"deliver": f"maildir:{folder}/%u".replace("%\"", "%%\"")}
    host.configure()
    said = host.run("exsyncd", "--check-config")
    lines = said.splitlines()
    begin = next(number for number, line in enumerate(lines) if line.strip() == "[Service]")
    host.drop_in("\n".join(line.strip() for line in lines[begin:] if line.startswith("    ")))
    host.run("systemctl", "restart", "exsyncd")
    host.add(CARLA)
    until(lambda: host.ask("find", f"{folder}/{CARLA}/new", "-type", "f"),
          lambda: f"mail is delivered: {host.journal()[-800:]}")
    check("ReadWritePaths" not in host.run("exsyncd", "--check-config"), "it is not read back")
    del host.keys[CARLA]
    host.configure()
    host.drop_in("")
    host.run("systemctl", "restart", "exsyncd")


@case("a start of the machine leaves the mode of the mail folder, and mends those of the outbox")
def _():
    host = machine().serving()
    host.run("chmod", "2750", f"{STATE}/mail")
    host.run("chmod", "777", f"{STATE}/outbox/new")
    host.run("systemd-tmpfiles", "--create")
    check_equal(host.mode(f"{STATE}/mail"), "2750 exsyncd:exsyncd", "the mail folder")
    check_equal(host.mode(f"{STATE}/outbox/new"), "3730 exsyncd:exsync-submit", "the outbox")
    host.run("chmod", "751", f"{STATE}/mail")


@case("where nothing is to be sent, what the journal advises makes exsync-submit refuse for good")
def _():
    host = machine().serving()
    del host.keys[ANN]["outgoing"]
    host.configure()
    host.run("systemctl", "restart", "exsyncd")
    check_equal(host.submit("nobody sends it"), 0, "status of exsync-submit")
    host.run("systemctl", "restart", "exsyncd")
    mask = "/etc/tmpfiles.d/exsyncd.conf"
    until(lambda: f"ln -s /dev/null {mask}" in host.journal(), "the journal advises")
    host.run("ln", "-s", "/dev/null", mask)
    host.run("mv", f"{STATE}/outbox", f"{STATE}/outbox.unsent")
    host.run("systemd-tmpfiles", "--create")
    host.run("systemctl", "restart", "exsyncd")
    host.works()
    check_equal(host.submit("refused"), 73, "status of exsync-submit")
    host.run("rm", "-r", mask, f"{STATE}/outbox.unsent")
    host.run("systemd-tmpfiles", "--create")
    host.keys[ANN]["outgoing"] = "yes"
    host.configure()
    host.run("systemctl", "restart", "exsyncd")


@case("a password comes as a credential of systemd; a new one is taken by a restart")
def _():
    host = machine().serving()
    source, key = "/root/exchange.password", "/run/credentials/exsyncd.service/exchange"
    host.path(source).write_text(PASSWORD)
    host.path(source).chmod(0o600)
    host.drop_in(f"[Service]\nLoadCredential=exchange:{source}\n")
    host.run("rm", "/etc/exsyncd/password")
    host.keys["profile"] = {"password_file": None, "password_credential": "exchange"}
    host.configure()
    host.run("systemctl", "restart", "exsyncd")
    host.works()
    host.path(source).write_text("another-password")
    host.run("systemctl", "reload", "exsyncd")
    check_equal(host.run("cat", key), PASSWORD, "the credential after a reload")
    host.exchange.control("account", name=ACCOUNT, password="another-password")
    host.run("systemctl", "restart", "exsyncd")
    check_equal(host.run("cat", key), "another-password", "the credential after a restart")
    host.works()
    check("another-password" not in host.journal(), "the journal has the password")


@case("the journal knows the mailbox of a message, and journalctl -x what to do about it")
def _():
    host = machine().serving()
    host.exchange.revoke(BEN)

    def refused():
        lines = host.ask("journalctl", "--quiet", "--output=json", f"EXSYNC_MAILBOX={BEN}")
        return [entry for entry in map(json.loads, lines.splitlines()) if entry.get("EXSYNC_ALERT")]
    entry = until(refused, "the journal has an alert of the mailbox", pause=0.1)[0]
    for field, wanted in (("SYSLOG_IDENTIFIER", "exsyncd"), ("_SYSTEMD_UNIT", SERVICE),
                          ("EXSYNC_MAILBOX", BEN)):
        check_equal(entry[field], wanted, field)
    told = host.ask("journalctl", "--no-pager", "--catalog", f"EXSYNC_ALERT={entry['EXSYNC_ALERT']}")
    for words in ("Subject: The account of a profile may not impersonate",
                  "New-ManagementRoleAssignment"):
        check(words in told, f"journalctl -x does not say \"{words}\": {told[:1200]}")
    host.exchange.grant(BEN)
    host.until_delivered(BEN, host.add(BEN))


@case("members of exsync-admin may use exsyncctl, and other users may not")
def _():
    host = machine().serving()
    host.works()
    for user in (ADMIN, "root"):
        check(ANN in host.run("exsyncctl", "mailbox", "list", user=user), f"{user} sees no mailbox")
    said = host.refused("exsyncctl", "mailbox", "list", user=STRANGER)
    check("exsync-admin" in said, f"what {STRANGER} is told: {said}")


@case("ordinary users submit mail while the service runs and while it is stopped")
def _():
    host = machine().serving()
    check_equal(host.submit("while it runs"), 0, "status of exsync-submit")
    host.until_sent("while it runs")
    host.run("systemctl", "stop", "exsyncd")
    check_equal(host.submit("while it is stopped"), 0, "status of exsync-submit")
    waiting = list(host.path(f"{STATE}/outbox/new").iterdir())
    check_equal([path.stat().st_uid for path in waiting],
                [int(host.run("id", "--user", USER))], "owners of what waits")
    host.refused("ls", f"{STATE}/outbox/new", user=USER)
    host.run("systemctl", "start", "exsyncd")
    host.until_sent("while it is stopped")
    check_equal([host.sent("while it runs"), host.sent("while it is stopped")], [1, 1], "sent")


@case("it stops within five seconds though Exchange does not answer")
def _():
    host = machine().serving()
    host.works()
    before = host.exchange.counter("faults")
    host.exchange.fault(count=0, delay=60_000)
    until(lambda: host.exchange.counter("faults") > before, "a request waits for its answer")
    begin = time.monotonic()
    host.run("systemctl", "stop", "exsyncd")
    seconds = time.monotonic() - begin
    check(seconds < STOP_S, f"it took {seconds:.1f} s")
    check_equal((host.unit("Result"), host.unit("ExecMainStatus")), ("success", "0"), "result")
    host.exchange.clear_faults()
    host.run("systemctl", "start", "exsyncd")
    host.works()


@case("a reboot of the machine loses nothing and repeats nothing")
def _():
    host = machine().serving()
    host.works()
    subjects = {address: host.add(address) for address in (ANN, BEN)}
    check_equal(host.submit("just before the reboot"), 0, "status of exsync-submit")
    host.reboot()
    check_equal(host.state(), "active", "state after the reboot")
    for address, subject in subjects.items():
        host.until_delivered(address, subject)
    host.until_sent("just before the reboot")
    host.works()
    host.check_nothing_twice()
    check_equal(host.sent("just before the reboot"), 1, "times that it was sent")
    check("exsyncd" not in host.ask("systemctl", "list-units", "--failed", "--plain"),
          "the service has failed")


if __name__ == "__main__":
    enter_namespace()
    try:
        main(side_by_side=1)
    finally:
        machine.close()
