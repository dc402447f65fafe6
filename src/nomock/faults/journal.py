"""What is on, written down before it is done, so that a later run can undo it.

One file a process under ``.nomock/faults/``, locked for as long as the process lives: a file that
can be locked was left by one that was killed. One JSON object a line: a fault that goes on, with
all that is needed to heal it, or the number of one that went off.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from nomock.errors import FaultError, StateFolderError
from nomock.faults.fault import Fault, State
from nomock.filelock import FileLock
from nomock.statefolder import append_line, make_state_dir, writing


def folder_of(state_dir: Path, stack: str) -> Path:
    """Return the folder of the journals of one stack."""
    return state_dir / "faults" / stack


class Journal:
    """The journal of this process; its file is there only while a fault is on."""

    def __init__(self, state_dir: Path, stack: str) -> None:
        self._state_dir = state_dir
        # Another process may have had this number, and left its journal.
        self._path = folder_of(state_dir, stack) / f"{os.getpid()}-{os.urandom(4).hex()}.ndjson"
        self._lock: FileLock | None = None
        self._on: set[int] = set()
        self._count = 0

    def on(self, fault: Fault, state: State, test: str, *, engine: str = "") -> int:
        """Write down a fault before it begins, and on which engine; return its number.

        Raises FaultError where it cannot be written down: it must not begin then.
        """
        self._count += 1
        line: dict[str, Any] = {"on": self._count, "kind": fault.kind, "name": fault.name}
        try:
            line |= {"arguments": fault.arguments, "state": state, "test": test}
            with writing(self._path.parent):
                if self._lock is None:
                    self._open()
                self._write({**line, "engine": engine})
        except StateFolderError as error:
            if not self._on:
                self._remove()
            raise FaultError(
                "it was not put on, since it could not be written down how to undo it",
                where=f"fault {fault.name}",
                seen=error.seen,
                todo=f"let {self._path.parent} be written, on a disk that is not full",
            ) from error
        self._on.add(self._count)
        return self._count

    def off(self, number: int) -> None:
        """Write down that a fault has been healed."""
        self._on.discard(number)
        if not self._on:
            self._remove()
        else:
            with suppress(OSError):  # a full disk: it is healed once more than was needed
                self._write({"off": number})

    def close(self) -> None:
        """Let the file go; what is still on is for the next run to heal."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _open(self) -> None:
        make_state_dir(self._state_dir)
        # Under its name only once it is locked: nobody may take it for one that was left.
        new = self._path.with_suffix(".new")
        self._lock = FileLock(new)
        self._lock.acquire(exclusive=True)
        new.rename(self._path)

    def _remove(self) -> None:
        for path in (self._path, self._path.with_suffix(".new")):
            with suppress(OSError):
                path.unlink(missing_ok=True)
        self.close()

    def _write(self, line: dict[str, Any]) -> None:
        append_line(self._path, json.dumps(line))
