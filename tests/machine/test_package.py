#!/usr/bin/python3
"""The Debian package in a machine with systemd: installation, upgrade, removal, purge."""

import os
import re
import shutil
import subprocess
import tempfile

from machine import NAMESPACE, ROOT, Skipped, check, check_equal, enter_namespace, until
from mailhost import ANN, BEN, CONFIGURATION, STATE, Shared, package

from harness import case, main

machine = Shared()
NEXT_VERSION = "99.0"


def changed_package(folder):
    """The package as a later version with another example configuration."""
    tree = f"{folder}/tree"
    subprocess.run(["dpkg-deb", "--raw-extract", package(), tree], check=True)
    for path, before, after in ((f"{tree}/DEBIAN/control", r"^Version:.*", f"Version: {NEXT_VERSION}"),
                                (f"{tree}{CONFIGURATION}", r"\A", "# Another first line.\n")):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(re.sub(before, after, text, count=1, flags=re.M))
    later = f"{folder}/later.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", "-Znone", tree, later], check=True,
                   capture_output=True)
    return later


@case("lintian finds neither errors nor warnings")
def _():
    if shutil.which("lintian") is None:
        raise Skipped("lintian is not installed")
    result = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning", package()],
                            capture_output=True, text=True, check=False)
    check(result.returncode == 0, result.stdout)


@case("a release without a name is a reason to make no machine, and no crash")
def _():
    if os.geteuid() != 0 or NAMESPACE not in os.environ:
        raise Skipped("it needs root, and mounts of its own (unshare --mount)")
    made = subprocess.run(["unshare", "--mount", "sh", "-c",
                           'mount --bind /dev/null /etc/os-release && exec "$@"', "sh",
                           ROOT / "scripts/test-machine", package()],
                          capture_output=True, text=True, check=False)
    check(made.returncode == 77 and "VERSION_CODENAME" in made.stderr and
          "parameter not set" not in made.stderr, f"status {made.returncode}: {made.stderr}")


@case("the package is hardened, and its version is the program's")
def _():
    version = subprocess.run(["dpkg-deb", "--field", package(), "Version"], capture_output=True,
                             text=True, check=True).stdout.strip()
    check_equal(machine().run("exsyncd", "--version"), f"exsyncd {version}", "exsyncd --version")
    for program in ("exsyncd", "exsyncctl", "exsync-submit"):
        told = subprocess.run(["readelf", "--wide", "--file-header", "--dynamic", "--dyn-syms",
                               machine().path(f"/usr/sbin/{program}")], capture_output=True,
                              text=True, check=True).stdout
        for sign in ("DYN (Position-Independent Executable file)", "BIND_NOW", "__stack_chk_fail",
                     "_chk@"):
            check(sign in told, f"{program} has no {sign}")


@case("an installation starts nothing, leaves no failed unit, and says what to do next")
def _():
    host = machine()
    host.run("dpkg", "--purge", "exsyncd")
    said = host.install(package())
    todo = [line for line in said.splitlines() if line.startswith("exsyncd: ")]
    check(len(todo) == 1 and CONFIGURATION in todo[0] and "password into a file" in todo[0] and
          "systemctl enable --now exsyncd" in todo[0], f"it says: {said}")
    check_equal(host.state(), "inactive", "state of the service")
    check_equal(host.ask("systemctl", "is-enabled", "exsyncd").strip(), "disabled", "enabled")
    check_equal(host.ask("systemctl", "list-units", "--failed", "--plain", "--no-legend",
                         "exsync*"), "", "failed units")


@case("the installed files belong to whom they must and can be used by nobody else")
def _():
    host = machine()
    for path, wanted in ((CONFIGURATION, "640 root:exsyncd"),
                         ("/usr/sbin/exsync-submit", "2755 root:exsync-submit"),
                         ("/usr/sbin/exsyncd", "755 root:root"),
                         (STATE, "751 exsyncd:exsyncd"),
                         (f"{STATE}/mail", "751 exsyncd:exsyncd"),
                         (f"{STATE}/outbox/new", "3730 exsyncd:exsync-submit")):
        check_equal(host.mode(path), wanted, path)
    check_equal(set(host.run("id", "--name", "--groups", "exsyncd").split()),
                {"exsyncd", "exsync-submit", "exsync-admin"}, "groups of the user exsyncd")


@case("an upgrade restarts the service, keeps state and configuration, and nothing comes twice")
def _():
    host = machine().serving()
    host.works()
    before, configured = host.process(), host.path(CONFIGURATION).read_text()
    with tempfile.TemporaryDirectory() as folder:
        host.install(changed_package(folder))
    check_equal(host.state(), "active", "state of the service")
    check(host.process() != before, "the service was not restarted")
    check_equal(host.path(CONFIGURATION).read_text(), configured, "the configuration")
    check_equal(host.mode(CONFIGURATION), "640 root:exsyncd", CONFIGURATION)
    check_equal(host.mode("/usr/sbin/exsync-submit"), "2755 root:exsync-submit", "exsync-submit")
    host.works()
    host.check_nothing_twice()


@case("an installation says so when the unit of a make install comes before the package's")
def _():
    host = machine().installed()
    unit = "/usr/local/lib/systemd/system/exsyncd.service"
    check(unit not in host.install(package()), "it speaks of a unit that is not there")
    host.run("install", "-D", "-m", "644", "/lib/systemd/system/exsyncd.service", unit)
    said = host.install(package())
    host.run("rm", unit)
    host.run("systemctl", "daemon-reload")
    check(f"exsyncd: warning: {unit} comes before" in said and "make uninstall" in said,
          f"it says: {said}")


@case("an upgrade starts nothing that was stopped, and leaves what an administrator has changed")
def _():
    host = machine().serving()
    host.run("systemctl", "disable", "--now", "exsyncd")
    host.run("chmod", "600", CONFIGURATION)
    host.run("chown", "exsyncd", CONFIGURATION)
    host.install(package())
    check_equal(host.state(), "inactive", "state of the service")
    check_equal(host.mode(CONFIGURATION), "600 exsyncd:exsyncd", CONFIGURATION)
    host.run("systemctl", "enable", "--now", "exsyncd")


@case("remove stops the service and keeps its state, which an installation goes on with")
def _():
    host = machine().serving()
    host.works()
    host.run("dpkg", "--remove", "exsyncd")
    check(host.state() != "active", "the service runs")
    check(not host.path("/usr/sbin/exsync-submit").exists(), "exsync-submit is still there")
    check_equal(host.ask("dpkg-statoverride", "--list", "*exsync*"), "", "overrides")
    check(host.path(CONFIGURATION).exists() and host.path(f"{STATE}/exsyncd.db").exists(),
          "the configuration or the database is gone")
    subject = host.add(ANN)
    host.install(package())
    until(lambda: host.state() == "active", lambda: f"the service runs: {host.journal()[-800:]}")
    host.until_delivered(ANN, subject)
    host.check_nothing_twice()


def files(host, below):
    return sorted(path.relative_to(host.root).as_posix() for path in host.path(below).rglob("*")
                  if path.is_file())


@case("purge leaves mail, delivered or not sent, and says where it is; nothing else stays")
def _():
    host = machine().serving()
    host.works()
    host.until_delivered(BEN, host.add(BEN))
    host.submit("not to be sent", user="root")  # not one of the submitters
    until(lambda: list(host.path(f"{STATE}/outbox/failed").glob("*.eml")), "the message has failed")
    host.path("/etc/exsyncd/conf.d/more.conf").write_text("# more\n")
    host.run("mkdir", "-p", f"{STATE}/tickets/new", f"{STATE}/empty/new")  # deliver = maildir:...
    host.path(f"{STATE}/tickets/new/1").write_text("a message\n")
    said = host.run("dpkg", "--purge", "exsyncd")
    count = len(files(host, f"{STATE}/mail"))
    for line in (f"kept: {STATE}/mail (delivered messages: {count})",
                 f"kept: {STATE}/outbox (messages that were not sent: 1)",
                 f"kept: {STATE}/tickets (files: 1)",
                 "kept: the user exsyncd and the groups exsyncd, exsync-submit and exsync-admin"):
        check(f"exsyncd: {line}" in said, f"it says: {said}")
    left = [path for path in files(host, STATE)
            if not re.search(r"/(new|cur)/[^/]+$|/failed/[^/]+\.(eml|reason)$", path)]
    check_equal(left, [], "files that are left beside mail")
    for path in ("/etc/exsyncd", "/run/exsyncd", f"{STATE}/empty", "/lib/systemd/system/exsyncd.service",
                 "/etc/systemd/system/multi-user.target.wants/exsyncd.service"):
        check(not host.path(path).exists(), f"{path} is left")
    check_equal(host.ask("dpkg-query", "--show", "exsyncd"), "", "what dpkg knows of it")
    check("exsyncd" in host.run("getent", "passwd", "exsyncd"), "the user is gone")


@case("purge ends well where the state directory is a link and the folder for mail is mounted")
def _():
    host = machine().installed()
    elsewhere = "/srv/exsyncd"
    shutil.rmtree(host.path(STATE), ignore_errors=True)
    host.run("dpkg", "--purge", "exsyncd")
    host.install(package())
    host.run("mv", STATE, elsewhere)
    host.run("ln", "--symbolic", elsewhere, STATE)
    host.run("mount", "-t", "tmpfs", "tmpfs", f"{elsewhere}/mail")
    host.run("touch", f"{elsewhere}/exsyncd.db")
    try:
        host.run("dpkg", "--purge", "exsyncd")
    finally:
        host.run("umount", f"{elsewhere}/mail")
        host.run("rm", STATE)
    check_equal(host.ask("dpkg-query", "--show", "exsyncd"), "", "what dpkg knows of it")
    check_equal(host.ask("ls", "-A", elsewhere).split(), ["mail"], "what is left")
    host.run("rm", "-r", elsewhere)


@case("purge without any mail leaves no folder")
def _():
    host = machine().installed()
    shutil.rmtree(host.path(STATE), ignore_errors=True)
    host.run("dpkg", "--purge", "exsyncd")
    host.install(package())
    check(host.path(f"{STATE}/mail").is_dir(), "the folder for mail was not made")
    host.run("dpkg", "--purge", "exsyncd")
    check(not host.path(STATE).exists(), f"left: {list(host.path(STATE).rglob('*'))}")


if __name__ == "__main__":
    enter_namespace()
    try:
        main(side_by_side=1)
    finally:
        machine.close()
