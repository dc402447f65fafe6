"""Tests marked ``serial`` run alone, whatever runs the others: xdist's workers or a second run.

Each test passes a turnstile of all tests, and then one of the tests on its stack: it is alone in
the first one, or in the second where ``serial("stack")`` asks for no more.

Two locks make a turnstile: a test passes through the first and holds the second shared; a serial
one keeps the first, so that no other comes in, and waits until it has the second for itself.
Without the first a serial test could wait for ever while others take turns.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from nomock.filelock import FileLock


class Turnstile:
    """The turnstile of those who use one folder for it."""

    def __init__(self, folder: Path) -> None:
        """Open its locks; raise StateFolderError."""
        self._entry = FileLock(folder / "serial-entry.lock")
        self._room = FileLock(folder / "serial-room.lock")

    @contextmanager
    def passing(self, *, alone: bool) -> Iterator[None]:
        """Hold the place of one test."""
        self._entry.acquire(exclusive=True)
        try:
            self._room.acquire(exclusive=alone)
            if not alone:
                self._entry.release()
            yield
        finally:
            self._room.release()
            if alone:
                self._entry.release()
