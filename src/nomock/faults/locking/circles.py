"""Whether tests that have broken something would wait for each other, in a circle of any length.

Only such a test waits with something in hand. It writes down what it has and what it wants on a
board that all processes of a stack see; the last one of a circle finds the others there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from nomock.filelock import FileLock, lives
from nomock.statefolder import writing

_numbers = count()


@dataclass(frozen=True)
class Wait:
    """What a test has and what it waits for; each alone, or beside others."""

    has_alone: Set[str]
    has_beside: Set[str]
    wants_alone: Set[str]
    wants_beside: Set[str]

    def is_for(self, other: Wait) -> bool:
        """Tell whether it cannot go on before the other one ends."""
        return bool(
            self.wants_alone & (other.has_alone | other.has_beside)
            or self.wants_beside & other.has_alone
        )


def is_in_circle(wait: Wait, others: list[Wait]) -> bool:
    """Tell whether a test waits for itself, by way of others that wait."""
    todo, seen = [wait], list[Wait]()
    while todo:
        one = todo.pop()
        for other in others:
            if other not in seen and one.is_for(other):
                if other.is_for(wait):
                    return True
                seen.append(other)
                todo.append(other)
    return False


class Board:
    """The waits of the processes that use a stack."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "waits"
        self._own = self._folder / f"{os.getpid()}-{next(_numbers)}.json"
        self._taking = FileLock(folder / "taking")  # no part is named so: its files have a suffix

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep others from taking anything, for a moment."""
        self._taking.acquire(exclusive=True)
        try:
            yield
        finally:
            self._taking.release()

    def closes_circle(self, wait: Wait) -> bool:
        """Write a wait down, and tell whether it closes a circle."""
        with self.alone(), writing(self._folder):
            if not self._own.exists():
                self._folder.mkdir(parents=True, exist_ok=True)
                parts = [wait.has_alone, wait.has_beside, wait.wants_alone, wait.wants_beside]
                self._own.write_text(json.dumps([sorted(part) for part in parts]))
            return is_in_circle(wait, list(self._others()))

    def wipe(self) -> None:
        """Wait no longer."""
        self._own.unlink(missing_ok=True)

    def _others(self) -> Iterator[Wait]:
        for path in self._folder.glob("*.json"):
            if path == self._own:
                continue
            if not lives(int(path.name.partition("-")[0])):
                path.unlink(missing_ok=True)
                continue
            with suppress(FileNotFoundError):  # it has just got what it wanted
                yield Wait(*(frozenset(part) for part in json.loads(path.read_text())))
