"""The file of one process and one stack in which it writes down what its tests make.

One JSON object a line under ``.nomock/ledger/STACK/``: first of which run and worker it is, then a
line for each thing before it is made, and one for each that is undone. A line is on the disk before
this returns. The file is locked for as long as the process lives: one that can be locked is of a
process that was killed.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import Any

from nomock.errors import LedgerError, StateFolderError
from nomock.filelock import FileLock
from nomock.statefolder import append_line, make_state_dir, writing

VERSION = 1
_SUFFIX = ".ndjson"


def folder_of(state_dir: Path, stack: str) -> Path:
    """Return the folder of the ledgers of one stack."""
    return state_dir / "ledger" / stack


class Book:
    """The ledger of this process for a stack; its file is there from ``open`` on."""

    def __init__(self, state_dir: Path, stack: str, run: str, worker: int) -> None:
        self._state_dir = state_dir
        name = f"{run}-{worker}-{os.getpid()}-{os.urandom(2).hex()}{_SUFFIX}"
        self.path = folder_of(state_dir, stack) / name
        self._head = {"ledger": VERSION, "run": run, "worker": worker}
        self._lock: FileLock | None = None
        self._count = 0
        self._open = set[int]()
        self._alone = RLock()
        """A test's threads make things, too."""

    def open(self) -> None:
        """Have the file, so that others see that the run is alive; raise LedgerError."""
        with self._alone:
            if self._lock is None:
                self._lock = self._made()

    def _made(self) -> FileLock:
        try:
            make_state_dir(self._state_dir)
            # Under its name only once it is locked: nobody may take it for one that was left.
            new = self.path.with_suffix(".new")
            lock = FileLock(new)
            try:
                lock.acquire(exclusive=True)
                with writing(new):
                    new.chmod(0o600)  # an undo by HTTP has the headers that it needs, tokens too
                    append_line(new, json.dumps(self._head), sync=True)
                    new.rename(self.path)
            except StateFolderError:
                lock.close()
                with suppress(OSError):
                    new.unlink()
                raise
        except StateFolderError as error:
            raise _unwritten(self.path, error) from error
        return lock

    def add(self, kind: str, key: str, test: str, undo: dict[str, Any] | None, **more: Any) -> int:
        """Write a thing down that is about to be made; return its number.

        Raises LedgerError where it cannot be: it must not be made then.
        """
        with self._alone:
            self.open()
            number = self._count + 1
            told = {"n": number, "kind": kind, "key": key, "test": test, "undo": undo, **more}
            self._write(told)
            self._count = number
            self._open.add(number)
            return number

    def tell(self, number: int, undo: dict[str, Any]) -> None:
        """Write down how a thing is undone that was made meanwhile; raise LedgerError."""
        with self._alone:
            self._write({"n": number, "undo": undo})

    def _write(self, told: dict[str, Any]) -> None:
        try:
            with writing(self.path):
                append_line(self.path, json.dumps(told, default=str), sync=True)
        except StateFolderError as error:
            raise _unwritten(self.path, error) from error

    def done(self, number: int) -> None:
        """Write down that a thing is undone."""
        self._open.discard(number)
        with self._alone, suppress(OSError):  # a full disk: it is undone once more than was needed
            append_line(self.path, json.dumps({"done": number}))

    def close(self) -> None:
        """Let the file go, and remove it where all is undone; else a later run tries again."""
        if self._lock is None:
            return
        if not self._open:
            with suppress(OSError):
                self.path.unlink()
        self._lock.close()
        self._lock = None


def _unwritten(path: Path, error: StateFolderError) -> LedgerError:
    return LedgerError(
        "it was not made, since it could not be written down how to undo it",
        where=f"ledger {path}",
        seen=error.seen,
        todo=f"let {path.parent} be written, on a disk that is not full",
    )
