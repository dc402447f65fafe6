"""What is on, written down before it is done, so that a later run can undo it.

One file a process under ``.nomock/faults/``, locked for as long as the process lives: a file that
can be locked was left by one that was killed. One JSON object a line: a fault that goes on, with
all that is needed to heal it, or the number of one that went off.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nomock.faults.fault import Fault, State
from nomock.project import make_state_dir
from nomock.runlock import FileLock


@dataclass(frozen=True)
class Entry:
    """A fault that was on."""

    kind: str
    name: str
    arguments: dict[str, Any]
    state: State
    test: str


def folder_of(state_dir: Path, stack: str) -> Path:
    """Return the folder of the journals of one stack."""
    return state_dir / "faults" / stack


class Journal:
    """The journal of this process; its file is there only while a fault is on."""

    def __init__(self, state_dir: Path, stack: str) -> None:
        self._state_dir = state_dir
        self._path = folder_of(state_dir, stack) / f"{os.getpid()}.ndjson"
        self._lock: FileLock | None = None
        self._on: set[int] = set()
        self._count = 0

    def on(self, fault: Fault, state: State, test: str) -> int:
        """Write down a fault before it begins; return its number."""
        if self._lock is None:
            self._open()
        self._count += 1
        self._on.add(self._count)
        line = {"on": self._count, "kind": fault.kind, "name": fault.name}
        self._write({**line, "arguments": fault.arguments, "state": state, "test": test})
        return self._count

    def off(self, number: int) -> None:
        """Write down that a fault has been healed."""
        self._write({"off": number})
        self._on.discard(number)
        if not self._on:
            self._path.unlink()
            self.close()

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

    def _write(self, line: dict[str, Any]) -> None:
        # To the system at once: what a killed process has written this way is there.
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


@contextmanager
def left_behind(state_dir: Path, stack: str) -> Iterator[Iterator[tuple[Path, list[Entry]]]]:
    """Give the journals of processes that have ended, each with the faults that it left on.

    They are locked until the block ends, so that two runs never heal the same at once.
    """
    locks: list[FileLock] = []

    def found() -> Iterator[tuple[Path, list[Entry]]]:
        for path in sorted(folder_of(state_dir, stack).glob("*.ndjson")):
            try:
                lock = FileLock(path, create=False)
            except FileNotFoundError:
                continue  # its process lives, and has healed all meanwhile
            locks.append(lock)
            # It may have done so since, and have its next fault in a new file of the same name.
            if lock.acquires_at_once(exclusive=True) and lock.is_of_its_path:
                yield path, _entries(path)

    try:
        yield found()
    finally:
        for lock in locks:
            lock.close()


def on_elsewhere(state_dir: Path, stack: str) -> Iterator[Entry]:
    """Yield the faults that other processes have on a stack at this moment."""
    for path in folder_of(state_dir, stack).glob("*.ndjson"):
        if path.stem != str(os.getpid()):
            with suppress(FileNotFoundError):  # all of them healed since
                yield from _entries(path)


def _entries(path: Path) -> list[Entry]:
    """Return what is on, the newest first: faults are undone in reverse."""
    on: dict[int, Entry] = {}
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue  # cut off by the end of its process: what it was to tell had not begun
        if "off" in line:
            on.pop(line["off"], None)
        else:
            number = line.pop("on")
            on[number] = Entry(**line)
    return list(reversed(on.values()))
