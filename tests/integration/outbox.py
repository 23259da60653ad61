"""The outbox as programs use it: a file is written in tmp/ and renamed into new/."""

import itertools
import os
import pathlib

_numbers = itertools.count(1)


class Outbox:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)

    def submit(self, content, name=None):
        name = name or f"{next(_numbers):08d}.{os.getpid()}"
        written = self.folder / "tmp" / name
        written.write_bytes(content)
        written.rename(self.folder / "new" / name)

    def _names(self, folder, suffix=""):
        try:
            return sorted(name for name in os.listdir(self.folder / folder) if name.endswith(suffix))
        except FileNotFoundError:
            return []

    def ready(self):
        return (self.folder / "new").is_dir()

    def new(self):
        return self._names("new")

    def intake(self):
        return self._names("intake")

    def queue(self):
        return self._names("queue")

    def kept(self):
        return self._names("kept")

    def failed(self):
        """The messages that wait for a person, with the reason beside each."""
        return {name: (self.folder / "failed" / name.replace(".eml", ".reason"))
                .read_text(encoding="utf-8") for name in self._names("failed", ".eml")}

    def leftover(self):
        """Everything that is still on its way."""
        return self.new() + self.intake() + self.queue()
