"""The journals that processes left which were killed, whatever has become of the files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nomock.faults.journal import folder_of
from nomock.filelock import FileLock, lives

_BEGIN = '{"o'
"""How each line of a journal begins."""
_PARTS = {"kind": str, "name": str, "arguments": dict, "state": dict, "test": str}


@dataclass(frozen=True)
class Entry:
    """A fault that was on; or what of a journal cannot be read, so that it may be any."""

    kind: str
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=dict)
    """What its kind needs to heal it; a run without a fault need not load which that is."""
    test: str = ""
    engine: str = ""
    """What tells the engine on which it was put on from others; "" where that is not known."""
    unreadable: str = ""
    """Why it cannot be read; "" for a fault."""


def any_left(state_dir: Path, stack: str) -> bool:
    """Tell whether there is a journal, which may be of a process that lives."""
    return any(folder_of(state_dir, stack).glob("*.ndjson"))


def on_elsewhere(state_dir: Path, stack: str) -> Iterator[Entry]:
    """Yield the faults that other processes have on a stack at this moment."""
    for path in folder_of(state_dir, stack).glob("*.ndjson"):
        if path.name.partition("-")[0] != str(os.getpid()):
            yield from (entry for entry in _entries(path) if not entry.unreadable)


def other_stacks(state_dir: Path, stack: str) -> list[str]:
    """Return the other stacks of which journals are here: the project may have been renamed."""
    found = {path.parent.name for path in folder_of(state_dir, "").glob("*/*.ndjson")}
    return sorted(found - {stack})


@contextmanager
def orphaned_journals(state_dir: Path, stack: str) -> Iterator[Iterator[tuple[Path, list[Entry]]]]:
    """Give the journals of processes that have ended, each with the faults that it left on.

    They are locked until the block ends, so that two runs never heal the same at once. What cannot
    be opened cannot be locked either: it counts as left unless the process lives that it names.
    """
    locks: list[FileLock] = []

    def found() -> Iterator[tuple[Path, list[Entry]]]:
        for path in sorted(folder_of(state_dir, stack).glob("*.ndjson")):
            try:
                lock = FileLock(path, create=False)
            except FileNotFoundError:
                continue  # its process lives, and has healed all meanwhile
            except OSError as error:
                if not _names_a_process_that_lives(path):
                    yield path, [_unreadable(path, "", error)]
                continue
            locks.append(lock)
            # It may have done so since, and have its next fault in a new file of the same name.
            if lock.acquires_at_once(exclusive=True) and lock.is_of_its_path:
                yield path, _entries(path)

    try:
        yield found()
    finally:
        for lock in locks:
            lock.close()


def _names_a_process_that_lives(path: Path) -> bool:
    number = path.name.partition("-")[0]
    return number.isdecimal() and number != "0" and lives(int(number))


def _entries(path: Path) -> list[Entry]:
    """Return what is on, the newest first: faults are undone in reverse."""
    on: dict[object, Entry] = {}
    try:
        text = path.read_bytes().decode(errors="surrogateescape")
    except OSError as error:
        return [_unreadable(path, "", error)]
    *lines, cut_off = text.split("\n")
    if not _is_cut_off(cut_off):
        lines.append(cut_off)
    for number, line in enumerate(lines, 1):
        try:
            told = json.loads(line)
            if "off" in told:
                on.pop(told["off"], None)
            else:
                on[told["on"]] = _entry(told)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            on[f"line {number}"] = _unreadable(path, f"line {number} of ", error)
    return list(reversed(on.values()))


def _is_cut_off(last: str) -> bool:
    """Tell whether the end of its process cut a line off: what it was to tell had not begun."""
    try:
        json.loads(last)
    except (ValueError, RecursionError):
        return _BEGIN.startswith(last[: len(_BEGIN)])
    return False


def _entry(told: dict[str, Any]) -> Entry:
    parts = {name: told[name] for name in _PARTS}
    for name, type_ in _PARTS.items():
        if not isinstance(parts[name], type_):
            raise TypeError(f"{name} is {parts[name]!r}")
    return Entry(**parts, engine=str(told.get("engine") or ""))


def _unreadable(path: Path, part: str, error: Exception) -> Entry:
    why = error.strerror if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
    return Entry("", f"{part}{path.name}", unreadable=f"{path} cannot be read: {why}")
