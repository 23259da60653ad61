#!/usr/bin/python3
"""The unit of systemd, its user, groups and folders: they are right, and the sandbox is tight."""

import os
import re
import shutil
import subprocess
import tempfile

from harness import ROOT, Skipped, case, check, check_equal, main, program

UNIT = ROOT / "systemd/exsyncd.service"
EXPOSURE_MOST = 15  # of 100: 1.5


def settings():
    """(section, key, value) of each line."""
    section, found = None, []
    for line in UNIT.read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, value = line.split("=", 1)
            found.append((section, key, value))
    return found


def values(key):
    return [value for _, name, value in settings() if name == key]


def run(*command, **options):
    if not shutil.which(command[0]):
        raise Skipped(f"{command[0]} is not installed")
    return subprocess.run(command, stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, check=False, **options)


@case("the service's exposure is at most 1.5")
def _():
    result = run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MOST}",
                 str(UNIT))
    check_equal(result.returncode, 0, f"exit status ({result.stdout[-300:]})")


@case("systemd finds no mistake in the unit")
def _():
    with tempfile.TemporaryDirectory(prefix="exsyncd-unit-") as folder:
        copy = os.path.join(folder, "exsyncd.service")
        text = UNIT.read_text().replace("/usr/sbin/exsyncd", program("exsyncd"))
        with open(copy, "w", encoding="utf-8") as unit:
            unit.write(re.sub(r"^Documentation=.*\n", "", text, flags=re.M))  # pages that are not installed
        result = run("systemd-analyze", "verify", "--man=no", copy)
        wrong = [line for line in result.stdout.splitlines() if "exsyncd" in line]
        check_equal((wrong, result.returncode), ([], 0), "mistakes")


@case("nothing is set twice by accident")
def _():
    lists = {"Documentation", "SystemCallFilter"}
    seen = set()
    for section, key, _ in settings():
        check(key not in seen or key in lists, f"[{section}] {key} is set twice")
        seen.add(key)


@case("what the daemon needs of its unit is there")
def _():
    for key, value in (("Type", "notify"), ("User", "exsyncd"), ("StateDirectory", "exsyncd"),
                       ("RuntimeDirectory", "exsyncd"), ("ConfigurationDirectory", "exsyncd"),
                       ("LimitCORE", "0"), ("CapabilityBoundingSet", ""),
                       ("Restart", "on-failure"), ("RestartPreventExitStatus", "64 65 78")):
        check_equal(values(key), [value], key)
    check(int(values("WatchdogSec")[0]) > 0, "there is no watchdog")
    check(all(words in values("ExecReload")[0] for words in ("exsyncctl reload", "kill -HUP")),
          "there is no reload")
    # These would break what is submitted and who asks, and the set-group-ID folders of the outbox.
    for key in ("PrivateUsers", "RestrictSUIDSGID", "DynamicUser", "PrivateNetwork"):
        check_equal(values(key), [], key)


@case("systemd makes the user, its groups and its folders")
def _():
    if os.geteuid() != 0:
        raise Skipped("only root can make users and give folders to them")
    with tempfile.TemporaryDirectory(prefix="exsyncd-root-") as folder:
        os.mkdir(f"{folder}/etc")
        result = run("systemd-sysusers", f"--root={folder}", str(ROOT / "systemd/exsyncd.sysusers"))
        check_equal(result.returncode, 0, f"exit status ({result.stdout})")
        with open(f"{folder}/etc/passwd", encoding="utf-8") as file:
            users = {line.split(":")[0]: line.strip().split(":") for line in file}
        with open(f"{folder}/etc/group", encoding="utf-8") as file:
            groups = {line.split(":")[0]: line.strip().split(":") for line in file}
        check("nologin" in users["exsyncd"][6], f"shell: {users['exsyncd']}")
        check_equal(users["exsyncd"][3], groups["exsyncd"][2], "the user's first group")
        check_equal({name: groups[name][3] for name in ("exsync-submit", "exsync-admin")},
                    {"exsync-submit": "exsyncd", "exsync-admin": "exsyncd"}, "members")
        shutil.copy(ROOT / "systemd/exsyncd.tmpfiles", f"{folder}/exsyncd.conf")
        result = run("systemd-tmpfiles", f"--root={folder}", "--create", f"{folder}/exsyncd.conf")
        if not os.path.isdir(f"{folder}/var/lib/exsyncd"):
            raise Skipped(f"systemd-tmpfiles makes nothing here: {result.stdout}")
        name_of = {int(entry[2]): name for name, entry in groups.items()}
        found = {}
        for path, _, _ in os.walk(f"{folder}/var/lib/exsyncd"):
            status = os.stat(path)
            check_equal(status.st_uid, int(users["exsyncd"][2]), f"owner of {path}")
            found[path.removeprefix(f"{folder}/var/lib/")] = (oct(status.st_mode & 0o7777),
                                                             name_of[status.st_gid])
        check_equal(found, {"exsyncd": ("0o751", "exsyncd"), "exsyncd/mail": ("0o751", "exsyncd"),
                            "exsyncd/outbox": ("0o711", "exsyncd"),
                            "exsyncd/outbox/tmp": ("0o3730", "exsync-submit"),
                            "exsyncd/outbox/new": ("0o3730", "exsync-submit")}, "folders")


main()
