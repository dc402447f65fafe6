"""Who may use which part of a stack: tests share what they use, a fault holds what it breaks alone.

Locks on files, so that they end with their process. Three rules keep tests from waiting for one
another for ever:

- one test at a time breaks something, however many workers and runs there are;
- whoever else waits holds nothing: a test that has to wait for one part lets go of all others;
- who wants a part alone goes into its queue first, and nobody passes a queue: so no stream of
  others keeps it waiting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from threading import Event, RLock
from time import monotonic
from urllib.parse import quote

from nomock.errors import LockedError
from nomock.filelock import FileLock
from nomock.statefolder import make_state_dir

# Longer than all faults of a large suite, one after the other, may take.
_PATIENCE_S = 900.0
_PAUSE_S = 0.01
# What takes less is no wait.
_WAIT_S = 0.05

_waits: list[tuple[float, float]] = []


def waited_between(begin_s: float, end_s: float) -> float:
    """Return for how many seconds this process has waited for others, by the monotonic clock.

    What it had asked a service meanwhile may have met the fault of another test.
    """
    waited_s, upto_s = 0.0, begin_s
    for begin, end in sorted(_waits):
        begin, end = max(begin, upto_s), min(end, end_s)
        if end > begin:  # threads wait at the same time
            waited_s, upto_s = waited_s + end - begin, end
    return waited_s


@contextmanager
def _waiting() -> Iterator[None]:
    began_s = monotonic()
    yield
    if monotonic() - began_s > _WAIT_S:
        _waits.append((began_s, monotonic()))


class Claims:
    """The claims of one process on one stack. Parts are edges and services, by name."""

    def __init__(self, state_dir: Path, stack: str, *, patience_s: float = _PATIENCE_S) -> None:
        """``patience_s``: how long to wait for others before giving up."""
        self._state_dir = state_dir
        self._patience_s = patience_s
        self._folder = state_dir / "claims" / stack
        self._parts: dict[str, _Part] = {}
        self._shared: set[str] = set()
        self._alone: set[str] = set()
        self._breaks = False
        # Also for the threads of a test: while one waits, the others' requests do, too.
        self._turn = RLock()

    def acquire_shared(self, parts: Iterable[str]) -> None:
        """Use parts together with others, until ``release``; wait where one of them is broken.

        Raises LockedError after 15 minutes, StateFolderError where there can be no locks.
        """
        wanted = set(parts)
        if wanted - self._shared - self._alone:
            with _waiting(), self._turn:
                self._share(self._shared | wanted)

    def acquire_exclusive(self, parts: Iterable[str], who: str) -> None:
        """Hold parts alone until ``release``; wait until nobody else uses them.

        Not only until they are healed: what uses them takes a moment to recover. Raises
        LockedError after 15 minutes, and holds then what it held before, but shares nothing;
        StateFolderError where there can be no locks.
        """
        with _waiting(), self._turn:
            wanted, shared = set(parts) - self._alone, set(self._shared)
            if not wanted:
                return
            for name in wanted:
                self._part(name)  # where its locks cannot be made, nothing is taken yet
            if not self._breaks:
                self._leave_shared()
                self._begin_to_break(who)
            # From here on nobody else waits with anything in hand.
            self._breaking.sign(who)
            taken: list[str] = []
            try:
                for name in sorted(wanted):
                    taken.append(name)
                    self._enter_alone(name)
            except BaseException:
                self._leave_alone(taken)
                raise
            self._share(shared)

    @property
    def alone(self) -> frozenset[str]:
        """The parts that are held alone."""
        return frozenset(self._alone)

    def give_back(self, parts: Iterable[str]) -> None:
        """Hold some parts no longer alone: nothing was broken there."""
        with self._turn:
            self._leave_alone([name for name in parts if name in self._alone])

    def release(self) -> None:
        """Use nothing any more: the test is over."""
        with self._turn:
            self._leave_shared()
            self._leave_alone(list(self._alone))

    def _begin_to_break(self, who: str) -> None:
        try:
            self._breaking.acquire(exclusive=True, timeout_s=self._patience_s)
        except LockedError as error:
            raise LockedError(
                f"another test has broken something for more than {self._patience_s:g} s",
                where=who,
                seen=error.seen,
                todo="let that test end, or end it",
            ) from error
        self._breaks = True

    def _enter_alone(self, name: str) -> None:
        self._alone.add(name)
        self._shared.discard(name)
        try:
            self._part(name).enter_alone(self._patience_s)
        except LockedError as error:
            raise LockedError(
                f"other tests have used it for more than {self._patience_s:g} s",
                where=name,
                seen=self._part(name).users(),
                todo="let them end, or end them",
            ) from error

    def _leave_alone(self, names: list[str]) -> None:
        for name in names:
            self._part(name).leave()
        self._alone.difference_update(names)
        if self._breaks and not self._alone:
            self._breaking.release()
            self._breaks = False

    def _leave_shared(self) -> None:
        for name in self._shared:
            self._part(name).leave()
        self._shared.clear()

    def _share(self, wanted: set[str]) -> None:
        deadline, pause = monotonic() + self._patience_s, Event()
        while missing := wanted - self._shared - self._alone:
            for name in sorted(missing):
                if not self._part(name).enters():
                    self._leave_shared()
                    if monotonic() > deadline:
                        raise self._given_up(name)
                    pause.wait(_PAUSE_S)
                    break
                self._shared.add(name)

    def _given_up(self, name: str) -> LockedError:
        return LockedError(
            f"it has been broken by another test for more than {self._patience_s:g} s",
            where=name,
            seen=self._breaking.holders(),
            todo="let that test end, or end it",
        )

    @cached_property
    def _breaking(self) -> FileLock:
        return self._file("breaking")  # which no part is named, whose files have a suffix

    def _part(self, name: str) -> _Part:
        if name not in self._parts:
            safe = quote(name, safe="")
            self._parts[name] = _Part(self._file(f"{safe}.queue"), self._file(f"{safe}.lock"))
        return self._parts[name]

    def _file(self, name: str) -> FileLock:
        make_state_dir(self._state_dir)
        return FileLock(self._folder / name)


class _Part:
    """One part's lock, which is shared or held alone, and the queue before it."""

    def __init__(self, queue: FileLock, lock: FileLock) -> None:
        self._queue = queue
        self._lock = lock

    def enters(self) -> bool:
        """Share the lock with others; return whether that was possible at once."""
        if not self._queue.acquires_at_once(exclusive=False):
            return False
        try:
            return self._lock.acquires_at_once(exclusive=False)
        finally:
            self._queue.release()

    def enter_alone(self, patience_s: float) -> None:
        """Wait in the queue until all others have left; raise LockedError at the end."""
        self._queue.acquire(exclusive=True, timeout_s=patience_s)
        self._lock.acquire(exclusive=True, timeout_s=patience_s)

    def users(self) -> str:
        """Return one line for each process that has the lock."""
        return self._lock.lockers()

    def leave(self) -> None:
        """Give the lock back, and the place in the queue."""
        self._lock.release()
        self._queue.release()
