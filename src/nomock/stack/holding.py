"""Who uses a stack: one run at a time changes it, and none while others use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from nomock.filelock import FileLock
from nomock.statefolder import make_state_dir


class Holding:
    """The lock of a stack, as one process holds it."""

    def __init__(self, state_dir: Path, stack: str, run: int) -> None:
        """``run``: the process that stands for this run, where it has several."""
        self.run = run
        self._state_dir = state_dir
        self._path = state_dir / f"{stack}.lock"
        self._lock: FileLock | None = None

    def hold(self, *, exclusive: bool, waiting: Callable[[str], None]) -> FileLock:
        """Hold the lock until ``close``; ``waiting`` is told once who has it."""
        if self._lock is None:
            self._lock = self._opened()
        self._lock.acquire(exclusive=exclusive, waiting=waiting)
        return self._lock

    def others(self) -> str:
        """Return one line for each other run that uses the stack."""
        with self._asked() as lock:
            return lock.holders(run=self.run)

    def is_by_run(self) -> bool:
        """Tell whether the process that stands for this run uses the stack, by another object."""
        with self._asked() as lock:
            return lock.is_signed_by(self.run)

    def close(self) -> None:
        """Let the stack go."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @contextmanager
    def _asked(self) -> Iterator[FileLock]:
        """Give the lock only to be asked."""
        with closing(self._opened()) as lock:
            yield lock

    def _opened(self) -> FileLock:
        make_state_dir(self._state_dir)
        return FileLock(self._path)
