"""What a worker of xdist tells the controller before its first test, by a file for each subject.

xdist lets a worker send nothing of its own before that.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from tempfile import gettempdir
from typing import Any

_KEY = "nomock_mailbox"


class Mailbox:
    """The mailbox of one run: all workers leave word, and the last one counts."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def new(cls) -> Mailbox:
        """Return the mailbox of a controller; nothing is on disk before a worker leaves word."""
        return cls(Path(gettempdir()) / f"nomock-{os.getpid()}-{os.urandom(8).hex()}")

    @classmethod
    def of(cls, of_worker: Any) -> Mailbox:
        """Return the mailbox that a worker was given: by its config, or by the controller's node.

        Neither type of pytest has the attribute that xdist gives them both.
        """
        return cls(Path(of_worker.workerinput[_KEY]))

    def give_to(self, node: Any) -> None:
        """Tell a worker where it is, before it starts."""
        node.workerinput[_KEY] = str(self._path)

    @property
    def room(self) -> Path:
        """A folder that all workers of the run have in common; it need not exist."""
        return self._path.with_suffix(".room")

    def leave(self, subject: str, word: Any) -> bool:
        """Leave word, a JSON value; return whether that was possible: the disk may be full."""
        path = self._path.with_suffix(f".{subject}")
        own = path.with_suffix(f"{path.suffix}.{os.getpid()}")
        try:
            own.write_text(json.dumps(word), encoding="utf-8")
            own.replace(path)  # nobody sees half of it
        except OSError:
            with suppress(OSError):
                own.unlink()
            return False
        return True

    def read(self, subject: str) -> Any:
        """Return the word that was left; None without one."""
        try:
            return json.loads(self._path.with_suffix(f".{subject}").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None

    def remove(self) -> None:
        """Remove all that was left."""
        for left in self._path.parent.glob(f"{self._path.name}.*"):
            if left == self.room:
                rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)
