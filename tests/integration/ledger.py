"""What the daemon remembers, read from its database as an administrator could, changing nothing."""

import contextlib
import os
import pathlib
import shutil
import sqlite3

DELIVERING, DELIVERED, FAILED = 1, 2, 3


class Ledger:
    def __init__(self, path, mode="ro"):
        self.path, self.mode = str(path), mode

    def copy(self, folder):
        """A ledger of its own, as a kill has left it: looking at it recovers the copy, and what the
        daemon will find stays as it is."""
        folder = pathlib.Path(folder)
        folder.mkdir(exist_ok=True)
        for suffix in ("", "-wal"):
            target = folder / ("copy.db" + suffix)
            target.unlink(missing_ok=True)
            if os.path.exists(self.path + suffix):
                shutil.copy(self.path + suffix, target)
        return Ledger(folder / "copy.db", mode="rw")

    def rows(self, sql, *values):
        """The rows as dictionaries; none while there is no database yet."""
        if not os.path.exists(self.path):
            return []
        with contextlib.closing(sqlite3.connect(f"file:{self.path}?mode={self.mode}", uri=True,
                                                timeout=10)) as database:
            database.row_factory = sqlite3.Row
            try:
                return [dict(row) for row in database.execute(sql, values)]
            except sqlite3.OperationalError as error:
                if "no such table" in str(error):  # it is being created
                    return []
                raise

    def value(self, sql, *values):
        for row in self.rows(sql, *values):
            return next(iter(row.values()))
        return None

    def number(self, address):
        """The number that stands for a mailbox; None when it is not known."""
        return self.value("SELECT number FROM mailbox WHERE address = ?", address)

    def items(self, address, state):
        return self.rows("SELECT ledger.* FROM ledger JOIN mailbox ON number = mailbox"
                         " WHERE address = ? AND state = ?", address, state)

    def count(self, address, state):
        return len(self.items(address, state))

    def failures(self, address=None, resolved=None):
        """Rows about what went wrong, with the mailbox's address (None: of a profile)."""
        rows = self.rows("SELECT failure.*, address FROM failure"
                         " LEFT JOIN mailbox ON number = failure.mailbox ORDER BY id")
        return [row for row in rows
                if (address is None or row["address"] == address)
                and (resolved is None or (row["resolved_at"] is not None) == resolved)]

    def unresolved(self, address=None):
        return self.failures(address, resolved=False)

    def integrity(self):
        return self.value("PRAGMA integrity_check")

    def foreign_keys_broken(self):
        return self.rows("PRAGMA foreign_key_check")


@contextlib.contextmanager
def locked(path):
    """Another program that keeps the database locked."""
    database = sqlite3.connect(str(path), timeout=30, isolation_level=None)
    try:
        database.execute("BEGIN EXCLUSIVE")
        yield
        database.execute("ROLLBACK")
    finally:
        database.close()
