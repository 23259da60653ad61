"""Maildirs as another program sees them."""

import collections
import os
import pathlib

SPOOL = "exsyncd.spool"


class Maildir:
    def __init__(self, path):
        self.path = pathlib.Path(path)

    def _files(self, folder):
        try:
            return sorted(entry.path for entry in os.scandir(self.path / folder) if entry.is_file())
        except FileNotFoundError:
            return []

    def files(self):
        """Paths of all delivered messages, in new/ and cur/."""
        return self._files("new") + self._files("cur")

    def count(self):
        return len(self.files())

    def contents(self):
        """How often each content is there."""
        return collections.Counter(pathlib.Path(path).read_bytes() for path in self.files())

    def spool_names(self):
        try:
            return sorted(os.listdir(self.path / SPOOL))
        except FileNotFoundError:
            return []

    def unfinished(self):
        """What lies in the spool beside the marker."""
        return [name for name in self.spool_names() if not name.startswith(".")]

    def markers(self):
        return [name for name in self.spool_names() if name.startswith(".")]
