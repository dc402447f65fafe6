"""Tests marked ``serial`` run alone, whatever runs the others: xdist's workers or a second run.

Two locks make a turnstile: a test passes through the first and holds the second shared; a serial
one keeps the first, so that no other comes in, and waits until it has the second for itself.
Without the first a serial test could wait for ever while others take turns.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from nomock.project import make_state_dir
from nomock.runlock import FileLock


class Turnstile:
    """The turnstile of one state folder."""

    def __init__(self, state_dir: Path) -> None:
        self._state_dir = state_dir

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

    @cached_property
    def _entry(self) -> FileLock:
        make_state_dir(self._state_dir)
        return FileLock(self._state_dir / "serial-entry.lock")

    @cached_property
    def _room(self) -> FileLock:
        return FileLock(self._state_dir / "serial-room.lock")
