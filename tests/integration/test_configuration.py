#!/usr/bin/python3
"""The configuration: checked as a whole, refused with all mistakes at once; one daemon at a time."""

import grp
import os
import pwd
import re
import struct

from daemon_process import NOBODY
from harness import ROOT, Skipped, case, check, check_equal, main, until
from scene import ANN, BEN, Scene

EX_OK, EX_USAGE, EX_TEMPFAIL, EX_CONFIG = 0, 64, 75, 78


@case("--check-config reports every mistake of every kind in one run and exits with 78")
def _():
    with Scene([ANN], exchange=False) as scene:
        scene.daemon.configuration.write_text(f"""\
[exsyncd]
state_directory = relative/path
log_levle = info
summary_interval = 5 parsecs

[profile Contoso]
url = ftp://mail.contoso.com/EWS/Exchange.asmx
auth = kerberos
username = svc
password_file = {scene.folder}/nowhere
max_connections = 1000
page_size = many

[mailbox-defaults]
after_processing = move
deliver = mbox:/var/mail
line_endings = cr

[mailbox not an address]
[mailbox ann@example.com]
profile = Nowhere
[mailbox ANN@example.com]
[colours]
""", encoding="utf-8")
        status, said = scene.daemon.run("--check-config")
        check_equal(status, EX_CONFIG, "exit status")
        lines = [line for line in said.splitlines() if line.startswith(str(scene.folder))]
        for line, word in ((2, "state_directory"), (3, "log_level"), (4, "summary_interval"),
                           (7, "url"), (8, "auth"), (10, "password_file"), (11, "max_connections"),
                           (12, "page_size"), (15, "after_processing"), (16, "deliver"),
                           (17, "line_endings"), (19, "address"), (21, "Nowhere"), (22, "22"),
                           (23, "colours")):
            check(any(text.startswith(f"{scene.daemon.configuration}:{line}:") and word in text
                      for text in lines), f"line {line} ({word}) is not reported: {said}")
        check(any(":3:" in text and "did you mean" in text.lower() for text in lines),
              f"the right key is not proposed: {said}")


@case("the daemon does not start on a configuration that --check-config refuses")
def _():
    with Scene([ANN], exchange=False) as scene:
        scene.profile_keys["pol_interval"] = "5m"
        scene.write_configuration()
        checked, said = scene.daemon.run("--check-config")
        status, said_at_start = scene.daemon.run()
        check_equal((checked, status), (EX_CONFIG, EX_CONFIG), "exit statuses")
        check_equal(said_at_start, said, "what is said at the start")
        check(not os.listdir(scene.folder / "state"), "something was written")


@case("--check-config accepts the example")
def _():
    with Scene([ANN], exchange=False) as scene:
        example = (ROOT / "conf/exsyncd.conf").read_text(encoding="utf-8")
        scene.daemon.configuration.write_text(example, encoding="utf-8")
        status, said = scene.daemon.run("--check-config")
        check_equal(status, EX_OK, f"exit status for conf/exsyncd.conf ({said})")


@case("--check-config says how many mailboxes and profiles a correct configuration has")
def _():
    with Scene([ANN, BEN], exchange=False) as scene:
        folder = scene.folder / "conf.d"
        folder.mkdir()
        (folder / "10-more.conf").write_text("[mailbox carla@example.com]\n", encoding="utf-8")
        (folder / "ignored.conf.old").write_text("[nonsense\n", encoding="utf-8")
        status, said = scene.daemon.run("--check-config")
        check_equal(status, EX_OK, f"exit status ({said})")
        check(said.endswith(": correct: 3 mailboxes on 1 profile\n"), f"it says {said!r}")
        (folder / "20-wrong.conf").write_text("[mailbox x@y.org]\nfolder = Inbox\n",
                                              encoding="utf-8")
        status, said = scene.daemon.run("--check-config")
        check_equal(status, EX_CONFIG, "exit status with a mistake in conf.d")
        check("conf.d/20-wrong.conf:2:" in said and "folders" in said, f"it says {said!r}")


def complaints(said):
    """The lines that are no warnings about the configuration."""
    return [line for line in said.splitlines() if ": warning: " not in line]


def check_warns(scene, *wanted):
    """--check-config accepts the configuration and warns in these lines; `wanted` has the words of
    each. They name the user who runs it."""
    status, said = scene.daemon.run("--check-config")
    check_equal(status, EX_OK, f"exit status ({said})")
    check(": correct: " in said, f"it says {said!r}")
    user = pwd.getpwuid(scene.daemon.user or os.geteuid()).pw_name
    lines = [line for line in said.splitlines() if line.startswith("warning: ")]
    check_equal(len(lines), len(wanted), f"warnings in {said!r}")
    for line, words in zip(lines, wanted):
        check(all(word in line for word in (f"user {user}", *map(str, words))),
              f"it says {line!r}, wanted {words}")


def install_unit(folder, user, more=""):
    unit = (ROOT / "systemd/exsyncd.service").read_text(encoding="utf-8")
    (folder / "exsyncd.service").write_text(
        re.sub("(?m)^User=.*$", f"User={user}", re.sub("(?m)^Group=.*$", more, unit)), encoding="utf-8")


def key_table():
    """One entry, of svc-sync@CONTOSO.COM, in the format of MIT Kerberos (version 0x0502)."""
    def counted(data):
        return struct.pack(">H", len(data)) + data
    entry = (struct.pack(">H", 1) + counted(b"CONTOSO.COM") + counted(b"svc-sync")
             + struct.pack(">IIBH", 1, 0, 1, 18) + counted(bytes(32)))
    return b"\x05\x02" + struct.pack(">i", len(entry)) + entry


@case("--check-config warns of a state directory that is missing, in the way, or not writable")
def _():
    with Scene([ANN], unprivileged=True, exchange=False) as scene:
        check_warns(scene)
        state = scene.folder / "state"
        state.chmod(0o500)
        check_warns(scene, [f"state directory {state} cannot be written", "chown"])
        state.chmod(0o700)
        for name, words in (("elsewhere", ["does not exist", "install -d -o"]),
                            ("password", ["is no folder", "state_directory"])):
            scene.daemon_keys["state_directory"] = scene.folder / name
            scene.write_configuration()
            check_warns(scene, [f"state directory {scene.folder / name} ", *words])
        check(not (scene.folder / "elsewhere").exists(), "it was made")
        del scene.daemon_keys["state_directory"]
        scene.write_configuration()
        scene.daemon.environment["STATE_DIRECTORY"] = str(state)
        check_warns(scene)


@case("--check-config warns once of each folder for mail that is missing or not writable")
def _():
    with Scene([ANN, BEN], unprivileged=True, exchange=False) as scene:
        mail, archive = scene.folder / "mail", scene.folder / "archive"
        mail.chmod(0o500)
        scene.mailboxes = {ANN: {}, BEN: {}, "carla@example.com": {"deliver": f"maildir:{archive}"},
                           "dora@example.com": {"deliver": "maildir:/nowhere", "incoming": "no"}}
        scene.write_configuration()
        check_warns(scene, [f"mail folder {archive} does not exist", "install -d -o"],
                    [f"mail folder {mail} cannot be written", "chown"])
        mail.chmod(0o000)
        scene.mailboxes = {ANN: {"deliver": f"maildir:{mail}/deeper/%u"}}
        scene.write_configuration()
        check_warns(scene, [f"mail folder {mail}/deeper cannot be reached", "deliver"])
        mail.chmod(0o700)


@case("--check-config prints the drop-in without which the service may not write")
def _():
    with Scene([ANN], exchange=False) as scene:
        units = scene.folder / "units"
        (units / "exsyncd.service.d").mkdir(parents=True)
        drop_in = units / "exsyncd.service.d/paths.conf"
        scene.daemon.environment["SYSTEMD_UNIT_PATH"] = f"/nowhere:{units}"
        check_warns(scene)  # no unit is installed
        install_unit(units, pwd.getpwuid(os.geteuid()).pw_name)
        mail, state = scene.folder / "mail", scene.folder / "state"
        wanted = ["may not write to folders", "systemctl edit exsyncd"]
        status, said = scene.daemon.run("--check-config")
        check_equal(status, EX_OK, "exit status")
        lines = [line.strip() for line in said.splitlines()]
        start = lines.index("[Service]")
        check(all(word in lines[start - 1] for word in wanted), f"it says {said!r}")
        check_equal(lines[start + 1:start + 3],
                    [f"ReadWritePaths={state}", f"ReadWritePaths={mail}"], "drop-in")
        drop_in.write_text("\n".join(lines[start:start + 3]))
        check_warns(scene)
        drop_in.write_text(f"[Service]\nReadWritePaths = /srv -{scene.folder}/\n")
        check_warns(scene)
        drop_in.write_text(f"[Service]\nReadWritePaths=/srv \\\n# home\n {scene.folder}\n")
        check_warns(scene)
        drop_in.write_text(f"[Service]\nReadWritePaths={scene.folder}\nReadWritePaths=\n")
        check("[Service]" in scene.daemon.run("--check-config")[1], "an empty value forgets all")
        drop_in.write_text("[Service]\nProtectSystem=full\n")
        check_warns(scene)
        scene.mailboxes = {ANN: {"deliver": "maildir:/home/%u/Maildir"}}
        scene.write_configuration()
        check("    ProtectHome=no\n" in scene.daemon.run("--check-config")[1], "homes are hidden")


@case("--check-config reads drop-ins in systemd's order, and the section of the service alone")
def _():
    with Scene([ANN], exchange=False) as scene:
        etc, lib = scene.folder / "etc", scene.folder / "lib"
        scene.daemon.environment["SYSTEMD_UNIT_PATH"] = f"{etc}:{lib}"
        for folder in (etc, lib):
            for name in ("exsyncd.service.d", "service.d"):
                (folder / name).mkdir(parents=True)
        install_unit(lib, pwd.getpwuid(os.geteuid()).pw_name)
        right = f"[Service]\nReadWritePaths={scene.folder}\n"
        wrong = "[Service]\nReadWritePaths=\n"

        def reads(allowed, **files):
            """`files`: what stands in NAME.conf of which folder."""
            paths = []
            for name, (folder, text) in files.items():
                paths.append(folder / f"{name.strip('_')}.conf")
                paths[-1].write_text(text)
            said = scene.daemon.run("--check-config")[1]
            check_equal("ReadWritePaths=" not in said, allowed, f"of {files}: {said!r}")
            for path in paths:
                path.unlink()
        own, vendor, everybody = etc / "exsyncd.service.d", lib / "exsyncd.service.d", etc / "service.d"
        reads(False)
        reads(True, _10=(own, right))
        reads(False, _10=(own, right), _90=(vendor, wrong))  # by names, not by folders
        reads(True, _10=(vendor, wrong), _90=(own, right))
        reads(True, _10=(own, wrong), _90=(everybody, right))
        reads(False, _10=(own, right.replace("[Service]", "[Unit]")))
        reads(False, _10=(own, right.replace("[Service]\n", "")))
        reads(True, _10=(own, right + "[Unit]\nReadWritePaths=\n"))
        (own / "50.conf").write_text(right)
        (vendor / "50.conf").write_text(wrong)  # hidden by its namesake
        reads(True)
        (own / "50.conf").unlink()
        (own / "50.conf").symlink_to("/dev/null")
        (vendor / "50.conf").write_text(right)
        reads(False)
        reads(False, _60=(own, "[Service]\nProtectSystem=\n"))  # no value: the one before stays
        reads(True, _60=(own, "[Service]\nProtectSystem=no\n"))


@case("--check-config warns of a key table that the service cannot read, where a profile needs one")
def _():
    with Scene([ANN], unprivileged=True, exchange=False) as scene:
        units, table = scene.folder / "units", scene.folder / "client.keytab"
        units.mkdir()
        scene.daemon.environment["SYSTEMD_UNIT_PATH"] = str(units)

        def says(*words, environment=f"KRB5_CLIENT_KTNAME={table}"):
            install_unit(units, "nobody", f"Environment=A=b '{environment}'")
            status, said = scene.daemon.run("--check-config")
            check_equal(status, EX_OK, f"exit status ({said})")
            warnings = [line for line in said.splitlines() if "has no password" in line]
            check_equal(len(warnings), 1 if words else 0, f"warnings in {said!r}")
            check(all(word in warnings[0] for word in words), f"it says {said!r}, wanted {words}")
        says()
        for key in ("username", "password_file"):
            del scene.profile_keys[key]
        scene.profile_keys["auth"] = "negotiate"
        scene.write_configuration()
        says("KRB5_KT_NOTFOUND", str(table))
        table.write_text("no key table\n", encoding="utf-8")
        table.chmod(0o644)
        says("KRB5_KEYTAB_BADVNO", "key table")
        table.chmod(0)
        says("EACCES", str(table), "chgrp exsyncd")
        says(environment="KRB5_CLIENT_KTNAME=%d/client.keytab")  # there while the service runs
        says(environment="KRB5CCNAME=KCM:")
        table.chmod(0o644)
        table.write_bytes(key_table())
        says()


@case("the drop-in that --check-config prints has paths with blanks and signs as systemd reads them")
def _():
    with Scene([ANN], exchange=False) as scene:
        units = scene.folder / "units"
        drop_in = units / "exsyncd.service.d/paths.conf"
        drop_in.parent.mkdir(parents=True)
        install_unit(units, pwd.getpwuid(os.geteuid()).pw_name)
        scene.daemon.environment["SYSTEMD_UNIT_PATH"] = str(units)
        folder = scene.folder / 'of "all" 100%\\s'
        folder.mkdir()
        scene.mailboxes = {ANN: {"deliver": f"maildir:{folder}/%u".replace("%\\", "%%\\")}}
        scene.write_configuration()
        quoted = str(folder).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
        status, said = scene.daemon.run("--check-config")
        check(f'    ReadWritePaths="{quoted}' in said, f"it says {said!r}")
        drop_in.write_text("[Service]\n" + "\n".join(line.strip() for line in said.splitlines()
                                                     if "ReadWritePaths=" in line))
        check("ReadWritePaths" not in scene.daemon.run("--check-config")[1], "it is not read back")
        drop_in.write_text(f"[Service]\nReadWritePaths='{scene.folder}' \"-{scene.folder}/state\" \n")
        check("ReadWritePaths" not in scene.daemon.run("--check-config")[1], "other quotes")


@case("--check-config by root sees with the eyes of the user who runs the service")
def _():
    if os.geteuid() != 0:
        raise Skipped("only root can become another user")
    with Scene([ANN], exchange=False) as scene:
        scene.daemon.environment["ASAN_OPTIONS"] = "detect_leaks=0"
        scene.daemon.environment["SYSTEMD_UNIT_PATH"] = str(scene.folder)
        scene.folder.chmod(0o755)

        def checked(wanted, *words):
            status, said = scene.daemon.run("--check-config")
            check_equal(status, wanted, f"exit status ({said})")
            check(all(word in said for word in words), f"it says {said!r}, wanted {words}")
        checked(EX_OK)
        install_unit(scene.folder, "nobody")
        scene.daemon.configuration.chmod(0o644)
        checked(EX_CONFIG, "password", "Permission denied", "user nobody", "checked as user nobody")
        os.chown(scene.password_file, NOBODY, NOBODY)
        checked(EX_OK, "checked as user nobody", f"chown nobody {scene.folder}/state")
        # What the service is a member of counts, by the unit as well.
        os.chown(scene.daemon.configuration, 0, grp.getgrnam("daemon").gr_gid)
        scene.daemon.configuration.chmod(0o640)
        checked(EX_CONFIG, "Permission denied")
        for more in ("Group=daemon", "SupplementaryGroups=mail daemon"):
            install_unit(scene.folder, NOBODY, more)
            checked(EX_OK, f"checked as user {NOBODY}")
        install_unit(scene.folder, "nobody", "Group=daemon")
        scene.profile_keys["password_credential"] = scene.profile_keys.pop("password_file").name
        scene.write_configuration()
        scene.daemon.environment["CREDENTIALS_DIRECTORY"] = str(scene.folder)
        scene.password_file.chmod(0o600)
        checked(EX_OK)
        os.chown(scene.password_file, 0, 0)
        checked(EX_CONFIG, "$CREDENTIALS_DIRECTORY: Permission denied; let user nobody read")
        os.chown(scene.password_file, NOBODY, NOBODY)
        install_unit(scene.folder, "nobody-of-this-name")
        checked(EX_OK, "checked as root", "no user nobody-of-this-name", "systemd-sysusers")
        install_unit(scene.folder, "root")
        check("checked as" not in scene.daemon.run("--check-config")[1], "root stays root")


@case("a password file that others can read is refused")
def _():
    with Scene([ANN], exchange=False) as scene:
        scene.password_file.chmod(0o644)
        status, said = scene.daemon.run("--check-config")
        check_equal(status, EX_CONFIG, "exit status")
        check("password" in said and str(scene.password_file) in said, f"it says {said!r}")
        check("right-password" not in said, "the password is shown")


@case("wrong options exit with 64, --version and --help with 0")
def _():
    with Scene([ANN], exchange=False) as scene:
        for options, wanted in ((["--nonsense"], EX_USAGE), (["argument"], EX_USAGE),
                                (["--version"], EX_OK), (["--help"], EX_OK)):
            status, said = scene.daemon.run(*options)
            check_equal(status, wanted, f"exit status with {options}")
            check(said, f"nothing is said with {options}")


@case("a missing configuration is named")
def _():
    with Scene([ANN], exchange=False) as scene:
        scene.daemon.configuration.unlink()
        status, said = scene.daemon.run()
        check_equal(status, EX_CONFIG, "exit status")
        check(str(scene.daemon.configuration) in said, f"it says {said!r}")


@case("a second daemon on the same state directory is refused with a clear sentence")
def _():
    with Scene([ANN]) as scene:
        scene.daemon.start()
        scene.until_polled(ANN)
        status, said = scene.daemon.run()
        check_equal(status, EX_TEMPFAIL, "exit status of the second")
        check("cannot start" in said and str(scene.folder / "state") in said
              and len(complaints(said)) == 1, f"it says {said!r}")
        scene.until_polled(ANN)


@case("a state directory that is missing or cannot be written is named")
def _():
    with Scene([ANN], unprivileged=True) as scene:
        state = scene.folder / "state"
        state.chmod(0o500)
        status, said = scene.daemon.run()
        check_equal(status, EX_TEMPFAIL, "exit status")
        check(str(state) in said and len(complaints(said)) == 1, f"it says {said!r}")
        state.chmod(0o700)
        scene.daemon_keys["state_directory"] = scene.folder / "elsewhere"
        scene.write_configuration()
        status, said = scene.daemon.run()
        check(status in (EX_TEMPFAIL, EX_CONFIG), f"exit status is {status}")
        check("elsewhere" in said, f"it says {said!r}")


@case("without state_directory the one that systemd names is used")
def _():
    with Scene([ANN]) as scene:
        del scene.daemon_keys["state_directory"]
        scene.write_configuration()
        scene.daemon.environment["STATE_DIRECTORY"] = str(scene.folder / "state")
        scene.daemon.start()
        scene.until_polled(ANN)
        check(os.path.exists(scene.ledger.path), "the database is elsewhere")


@case("the password is in no log, no database and no environment, even when all is logged")
def _():
    with Scene([ANN], daemon={"log_level": "debug"}) as scene:
        scene.exchange.fault(http=500, count=3)
        scene.daemon.start()
        until(lambda: scene.exchange.counter("status.200") > 0, "a request goes through")
        secret = b"right-password"
        with open(f"/proc/{scene.daemon.process.pid}/cmdline", "rb") as file:
            check(secret not in file.read(), "the password is on the command line")
        scene.daemon.stop()
        for path in [scene.daemon.log_path, *(scene.folder / "state").iterdir()]:
            check(secret not in path.read_bytes(), f"the password is in {path.name}")


main()
