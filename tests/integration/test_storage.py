#!/usr/bin/python3
"""This machine's side: a full disk, a Maildir that cannot be written or is not mounted, a locked
database. Told clearly, recorded, and over when it is over; nothing is lost or doubled."""

import contextlib
import errno
import os
import sqlite3
import subprocess

from harness import CORPUS, ROOT, Skipped, case, check, check_equal, main, program, until
from ledger import locked
from mail import message
from scene import ANN, BEN, Scene

MESSAGES = len(list(CORPUS.glob("*.eml")))


def load(*addresses):
    return [word for address in addresses for word in ("--load", f"{address}:Inbox:{CORPUS}")]


@contextlib.contextmanager
def small_disk(path, kilobytes):
    """A file system of its own at `path`."""
    path.mkdir(exist_ok=True)
    if os.geteuid() != 0:
        raise Skipped("only root can mount a small disk")
    result = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k,mode=0755",
                             "exsyncd-test", str(path)], capture_output=True, text=True, check=False)
    if result.returncode != 0:
        raise Skipped(f"no small disk can be mounted: {result.stderr.strip()}")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=False)


def fill(disk, leave=0):
    """A file that takes all the room but about `leave` bytes, whoever else writes meanwhile."""
    path = disk / "filler"
    with open(path, "wb", buffering=0) as file:
        while (room := os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize) > leave:
            try:
                file.write(bytes(min(room - leave, 65536)))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
    return path


def check_failure(scene, address, code, scope="mailbox"):
    row = until(lambda: [row for row in scene.ledger.unresolved(address) if row["scope"] == scope],
                "the failure is recorded")[0]
    check_equal((row["code"], row["category"]), (code, "storage"), "the failure")
    check(row["next_retry"] and row["sentence"], f"the failure's row is not complete: {row}")


def check_whole(scene, *counts):
    for address, count in counts:
        scene.until_delivered(address, count)
    until(lambda: not scene.ledger.unresolved(), "no failure is left")
    scene.until_polled(*[address for address, _ in counts])
    for address, _ in counts:
        scene.check_delivered(address)


@case("a full disk stops the mailboxes on it alone; when there is room again, all arrives")
def _():
    with Scene([ANN, BEN], load(ANN, BEN)) as scene:
        with small_disk(scene.folder / "small", 4096) as disk:
            scene.mailboxes[ANN]["deliver"] = f"maildir:{disk}/%u"
            scene.write_configuration()
            os.symlink(disk / ANN, scene.folder / "mail" / ANN)
            filler = fill(disk, leave=100_000)
            scene.daemon.start()
            line = scene.daemon.until_logged(f"{ANN}: incoming failed: deliver", "ENOSPC")
            check(str(disk) in line and "Next try" in line, f"it says {line!r}")
            check_failure(scene, ANN, "ENOSPC")
            scene.until_delivered(BEN, MESSAGES)
            check(scene.maildir(ANN).count() < MESSAGES, "the disk was not full")
            filler.unlink()
            check_whole(scene, (ANN, MESSAGES), (BEN, MESSAGES))
            scene.check_end()
            scene.exchange = None
            scene.daemon.kill()
            scene.may_be_unfinished = True  # it was checked while the disk was mounted


@case("a full disk under the database stops everything, loses nothing, and is over by itself")
def _():
    with Scene([ANN, BEN], load(ANN, BEN)) as scene:
        with small_disk(scene.folder / "small", 2048) as disk:
            scene.daemon_keys["state_directory"] = disk
            scene.write_configuration()
            scene.ledger.path = str(disk / "exsyncd.db")
            scene.daemon.start()
            for address in (ANN, BEN):
                scene.until_delivered(address, MESSAGES)
            filler = fill(disk)
            # The database has some room left of its own: more mail than that holds.
            count = MESSAGES
            while not scene.daemon.log_lines("all mailboxes wait"):
                for _ in range(25):
                    scene.exchange.add(ANN, message())
                count += 25
                check(count < 5000, "the disk was not full")
                until(lambda: scene.maildir(ANN).count() == count
                      or scene.daemon.log_lines("all mailboxes wait"), "it is delivered, or not")
            line = scene.daemon.until_logged("all mailboxes wait", "SQLITE_FULL")
            check("nothing is lost" in line.lower() and "Next try" in line, f"it says {line!r}")
            filler.unlink()
            scene.daemon.until_logged("the database can be written again")
            check_whole(scene, (ANN, count), (BEN, MESSAGES))
            scene.check_agreement(ANN)
            scene.daemon.stop()
            check_equal(scene.ledger.integrity(), "ok", "PRAGMA integrity_check")


def unwritable(scene, folder, spoil, mend, code):
    spoil(folder)
    scene.exchange.add(ANN, message("into a Maildir that cannot be written"))
    scene.exchange.add(BEN, message("into one that can"))
    line = scene.daemon.until_logged(f"{ANN}: incoming failed: deliver", code)
    check(str(scene.maildir(ANN).path) in line, f"the Maildir is not named: {line!r}")
    check_failure(scene, ANN, code)
    scene.until_delivered(BEN, MESSAGES + 1)
    mend(folder)
    check_whole(scene, (ANN, MESSAGES + 1), (BEN, MESSAGES + 1))


@case("a Maildir whose folders may not be written stops its mailbox alone until they may")
def _():
    with Scene([ANN, BEN], load(ANN, BEN), unprivileged=True) as scene:
        scene.daemon.start()
        for address in (ANN, BEN):
            scene.until_delivered(address, MESSAGES)
        unwritable(scene, scene.maildir(ANN).path / "exsyncd.spool",
                   lambda folder: folder.chmod(0o500), lambda folder: folder.chmod(0o700), "EACCES")


@case("a new/ that may not be written keeps what is committed, and it is published later")
def _():
    with Scene([ANN, BEN], load(ANN, BEN), unprivileged=True) as scene:
        scene.daemon.start()
        for address in (ANN, BEN):
            scene.until_delivered(address, MESSAGES)
        unwritable(scene, scene.maildir(ANN).path / "new",
                   lambda folder: folder.chmod(0o500), lambda folder: folder.chmod(0o700), "EACCES")


@case("a Maildir without its marker is not written: its file system may not be mounted")
def _():
    with Scene([ANN, BEN], load(ANN, BEN)) as scene:
        scene.daemon.start()
        for address in (ANN, BEN):
            scene.until_delivered(address, MESSAGES)
        maildir, away = scene.maildir(ANN).path, scene.folder / "mail/unmounted"
        maildir.rename(away)
        for folder in ("new", "cur", "tmp"):
            (maildir / folder).mkdir(parents=True)
        scene.exchange.add(ANN, message("while it is not mounted"))
        line = scene.daemon.until_logged(f"{ANN}: incoming failed: deliver", "MarkerMissing")
        check("mounted" in line and str(maildir) in line, f"it says {line!r}")
        check_failure(scene, ANN, "MarkerMissing")
        check_equal(scene.maildir(ANN).files(), [], "files where the file system is not")
        scene.daemon.stop()
        scene.daemon.start()
        scene.until_polled(BEN)
        check_equal([path.name for path in maildir.iterdir() if path.name not in
                     ("new", "cur", "tmp")], [], "what was made after a restart")
        for folder in ("new", "cur", "tmp"):
            (maildir / folder).rmdir()
        maildir.rmdir()
        away.rename(maildir)
        check_whole(scene, (ANN, MESSAGES + 1), (BEN, MESSAGES))


@case("a root folder that is missing is never created")
def _():
    with Scene([ANN], load(ANN)) as scene:
        root = scene.folder / "not-mounted/mail"
        scene.default_keys["deliver"] = f"maildir:{root}/%u"
        scene.write_configuration()
        scene.daemon.start()
        line = scene.daemon.until_logged(f"{ANN}: incoming failed: deliver", "ENOENT")
        check(str(root) in line, f"it says {line!r}")
        check(not root.exists(), "the root was created")
        root.mkdir(parents=True)
        until(lambda: len(list(root.glob("*/new/*"))) == MESSAGES, "all is delivered")
        until(lambda: not scene.ledger.unresolved(), "no failure is left")


@case("a file in the place of new/ is told, and mail flows once it is gone")
def _():
    with Scene([ANN], load(ANN)) as scene:
        maildir = scene.maildir(ANN).path
        maildir.mkdir()
        (maildir / "new").write_text("not a folder")
        scene.daemon.start()
        line = scene.daemon.until_logged(f"{ANN}: incoming failed: deliver")
        check("ENOTDIR" in line or "EEXIST" in line, f"it says {line!r}")
        (maildir / "new").unlink()
        check_whole(scene, (ANN, MESSAGES))


@case("a database that another program keeps locked stops everything, and is over by itself")
def _():
    with Scene([ANN, BEN], load(ANN, BEN)) as scene:
        scene.daemon.start()
        for address in (ANN, BEN):
            scene.until_delivered(address, MESSAGES)
            scene.daemon.until_logged(address, "delivered")
        with locked(scene.ledger.path):
            scene.exchange.add(ANN, message("while it is locked"))
            line = scene.daemon.until_logged("all mailboxes wait", "SQLITE_BUSY")
            check("locked" in line and "Next try" in line, f"it says {line!r}")
            check_equal(scene.maildir(ANN).count(), MESSAGES, "messages that were published")
        scene.until_delivered(ANN, MESSAGES + 1)
        scene.daemon.until_logged("the database can be written again")
        check_whole(scene, (ANN, MESSAGES + 1), (BEN, MESSAGES))


@case("a stop while the database is locked is orderly and loses nothing")
def _():
    with Scene([ANN], load(ANN)) as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        scene.daemon.until_logged(ANN, "delivered")  # what that cycle writes is written
        scene.until_polled(ANN, times=1)
        with locked(scene.ledger.path):
            scene.exchange.add(ANN, message("while it is locked"))
            scene.until_polled(ANN, times=1)
            scene.daemon.stop()
        scene.daemon.start()
        check_whole(scene, (ANN, MESSAGES + 1))


@case("a database that is locked at the start is named, and nothing is written meanwhile")
def _():
    with Scene([ANN], load(ANN)) as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        scene.daemon.stop()
        with locked(scene.ledger.path):
            scene.daemon.start()
            status = scene.daemon.ended()
            check_equal(status, 75, "exit status")
            lines = scene.daemon.log_lines("cannot start", "exsyncd.db")
            check(lines and "locked" in lines[-1], f"the log ends with {scene.daemon.log()[-300:]!r}")
        scene.daemon.start()
        check_whole(scene, (ANN, MESSAGES))


@case("a database that is damaged is refused, never replaced")
def _():
    with Scene([ANN], load(ANN)) as scene:
        scene.daemon.start()
        scene.until_delivered(ANN, MESSAGES)
        scene.daemon.stop()
        path = scene.folder / "state/exsyncd.db"
        good = path.read_bytes()
        path.write_bytes(b"this is no database at all" * 1000)
        scene.daemon.start()
        check_equal(scene.daemon.ended(), os.EX_DATAERR, "exit status")
        check(scene.daemon.log_lines("cannot start", str(path)), "the file is not named")
        check(path.read_bytes().startswith(b"this is no database"), "it was replaced")
        path.write_bytes(good)
        scene.daemon.start()
        check_whole(scene, (ANN, MESSAGES))


def sample(path, version):
    """A database of an earlier version."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.executescript((ROOT / f"tests/data/store/version_{version}.sql").read_text())


@case("a disk without room for the copy of the database refuses the upgrade, and changes nothing")
def _():
    with Scene([ANN], load(ANN)) as scene:
        with small_disk(scene.folder / "small", 1536) as disk:
            scene.daemon_keys["state_directory"] = disk
            scene.write_configuration()
            path = disk / "exsyncd.db"
            scene.ledger.path = str(path)
            sample(path, 4)
            before = path.read_bytes()
            filler = fill(disk, leave=len(before))
            scene.daemon.start()
            check_equal(scene.daemon.ended(), 75, "exit status")
            line = scene.daemon.log_lines("cannot start", "no room for a copy")[-1]
            check(str(path) in line and "KiB are free" in line, f"it says {line!r}")
            check_equal(path.read_bytes(), before, "the database")
            check(not (disk / "exsyncd.db.v4").exists(), "there is a copy")
            filler.unlink()
            scene.daemon.start()
            scene.daemon.until_logged("Brought the database", f"{path}.v4")
            scene.until_delivered(ANN, MESSAGES)
            check_equal((disk / "exsyncd.db.v4").stat().st_mode & 0o777, 0o600, "the copy's mode")
            scene.exchange = None
            scene.daemon.kill()
            scene.may_be_unfinished = True  # it was checked while the disk was mounted


@case("a database of a newer version is refused by the daemon and by exsyncctl, and not changed")
def _():
    with Scene([ANN]) as scene:
        path = scene.folder / "state/exsyncd.db"
        sample(path, 5)
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA user_version = 99")
        before = path.read_bytes()
        scene.daemon.start()
        check_equal(scene.daemon.ended(), os.EX_DATAERR, "exit status")
        line = scene.daemon.log_lines("cannot start", "newer version of exsyncd")[-1]
        check(f"{path} is of version 99, this program knows up to" in line, f"it says {line!r}")
        tool = subprocess.run([program("exsyncctl"), "--config", scene.folder / "exsyncd.conf",
                               "alerts"], capture_output=True, text=True, check=False)
        check_equal(tool.returncode, os.EX_DATAERR, "exit status of exsyncctl")
        check("is of version 99" in tool.stderr, f"exsyncctl says {tool.stderr!r}")
        check_equal(path.read_bytes(), before, "the database")
        path.unlink()
        scene.daemon.start()
        scene.until_polled(ANN)


main()
