"""The ledgers that processes left which were killed, whatever has become of the files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nomock.filelock import FileLock
from nomock.ledger.book import VERSION, folder_of
from nomock.statefolder import append_line


@dataclass
class Entry:
    """A thing that was written down, and not undone."""

    number: int
    kind: str
    key: str
    test: str
    undo: dict[str, Any] | None
    """None where another process cannot undo it."""
    was_asked: bool = False
    """Whether it is not known if it was made: its process ended before it was answered."""


@dataclass
class Left:
    """The ledger of a process that has ended."""

    path: Path
    run: str
    entries: list[Entry] = field(default_factory=list)
    """What is not undone, the newest first."""
    trouble: str = ""
    """Why some of it cannot be read."""

    def done(self, entry: Entry) -> None:
        """Write down that an entry is undone; raise OSError."""
        append_line(self.path, json.dumps({"done": entry.number}))
        self.entries.remove(entry)


def any_left(state_dir: Path, stack: str) -> bool:
    """Tell whether there is a ledger, which may be of a process that lives.

    ``stack`` may be a pattern.
    """
    return any(folder_of(state_dir, "").glob(f"{stack}/*.ndjson"))


def alive_runs(state_dir: Path) -> set[str]:
    """Return the runs of which a process lives, on any stack."""
    alive = set()
    for path in folder_of(state_dir, "").glob("*/*.ndjson"):
        try:
            lock = FileLock(path, create=False)
        except FileNotFoundError:
            continue
        except OSError:  # another user's, perhaps: it may live
            alive.add(_run_of(path))
            continue
        try:
            if not lock.acquires_at_once(exclusive=False):
                alive.add(_run_of(path))
        finally:
            lock.close()
    return alive


@contextmanager
def left_ledgers(state_dir: Path, stack: str) -> Iterator[list[Left]]:
    """Give the ledgers of a stack whose processes have ended, the newest first.

    They are locked until the block ends, so that two runs never undo the same at once.
    """
    locks, found = list[FileLock](), list[Left]()
    try:
        for path in sorted(folder_of(state_dir, stack).glob("*.ndjson"), reverse=True):
            try:
                lock = FileLock(path, create=False)
            except FileNotFoundError:
                continue  # its process lives, or another one has undone it meanwhile
            except OSError as error:
                found.append(Left(path, _run_of(path), trouble=f"{path}: {error}"))
                continue
            locks.append(lock)
            if lock.acquires_at_once(exclusive=True) and lock.is_of_its_path:
                found.append(_read(path))
        yield found
    finally:
        for lock in locks:
            lock.close()


def _run_of(path: Path) -> str:
    return path.name.partition("-")[0]


def _read(path: Path) -> Left:
    """Return what a file tells; a last line that was cut off had not let anything be made."""
    left = Left(path, _run_of(path))
    try:
        head, *lines = path.read_bytes().decode(errors="replace").split("\n")
        version = json.loads(head)["ledger"]
        if version != VERSION:
            left.trouble = f"{path} is of version {version!r}: the nomock that wrote it undoes it"
            return left
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        left.trouble = f"{path} cannot be read: {type(error).__name__}: {error}"
        return left
    entries = dict[int, Entry]()
    for number, line in enumerate(lines[:-1], 2):
        try:
            _take(json.loads(line), entries)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            left.trouble = f"line {number} of {path} cannot be read: {type(error).__name__}"
    left.entries = list(reversed(entries.values()))
    return left


def _take(told: dict[str, Any], entries: dict[int, Entry]) -> None:
    if "done" in told:
        entries.pop(told["done"], None)
    elif told["n"] in entries:
        entries[told["n"]].undo, entries[told["n"]].was_asked = told["undo"], False
    else:
        entries[told["n"]] = Entry(
            told["n"],
            str(told["kind"]),
            str(told["key"]),
            str(told["test"]),
            told["undo"],
            bool(told.get("asked")),
        )
