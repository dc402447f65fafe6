"""Who may use which part of a stack: tests share what they use, a fault holds what it breaks alone.

Two tests break things at the same time where their faults cannot meet: what one has broken is
nothing that the other uses, or may use, of what its own faults are about (``around``). Locks on
files, so that they end with their process. These rules keep tests from waiting for one another for
ever:

- a test that has broken nothing yet waits with nothing in hand: it lets go of all that it shares,
  and gets what it wants to break, and what is around that, all at once or not at all;
- who wants a part alone goes into its queue first, queues in the order of their names, and no test
  that has broken nothing passes a queue: so no stream of others keeps it waiting;
- a test that has broken something passes queues. Where it has to wait all the same, for what
  another one has broken, it first looks whether that one waits for it, over any number of others
  (``circles``): that is an error at once, and the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from functools import cached_property
from pathlib import Path
from threading import Event, RLock
from time import monotonic
from urllib.parse import quote

from nomock.errors import LockedError
from nomock.faults.locking.circles import Board, Wait
from nomock.faults.locking.part import Part
from nomock.faults.locking.waited import waiting
from nomock.filelock import FileLock
from nomock.statefolder import make_state_dir

# Longer than all faults of a large suite, one after the other, may take.
_PATIENCE_S = 900.0
_PAUSE_S = 0.01

Around = Callable[[frozenset[str]], frozenset[str]]


class Claims:
    """The claims of one process on one stack. Parts are edges and services, by name."""

    def __init__(
        self,
        state_dir: Path,
        stack: str,
        *,
        around: Around = lambda parts: frozenset(),
        patience_s: float = _PATIENCE_S,
        pause: Callable[[], object] = lambda: Event().wait(_PAUSE_S),
    ) -> None:
        """``around`` says what a test may use that breaks some parts.

        ``patience_s``: how long to wait for others before giving up; ``pause`` waits a moment.
        """
        self._state_dir = state_dir
        self._patience_s = patience_s
        self._pause = pause
        self._around = around
        self._folder = state_dir / "claims" / stack
        self._parts: dict[str, Part] = {}
        self._shared: set[str] = set()
        self._alone: set[str] = set()
        # Also for the threads of a test: while one waits, the others' requests do, too.
        self._turn = RLock()

    @property
    def alone(self) -> frozenset[str]:
        """The parts that are held alone."""
        return frozenset(self._alone)

    def acquire_shared(self, parts: Iterable[str]) -> None:
        """Use parts together with others, until ``release``; wait where one of them is broken.

        Raises LockedError after 15 minutes, or at once where that test waits for this one;
        StateFolderError where there can be no locks.
        """
        wanted = set(parts)
        if wanted - self._shared - self._alone:
            with waiting(), self._turn:
                if self._alone:
                    self._have_more(frozenset(), wanted - self._shared - self._alone, "")
                else:
                    self._share(self._shared | wanted)

    def acquire_exclusive(self, parts: Iterable[str], who: str) -> None:
        """Hold parts alone until ``release``; wait until nobody else uses them.

        Not only until they are healed: what uses them takes a moment to recover. Raises
        LockedError after 15 minutes, or at once where the tests would wait for each other; what
        was held alone before still is then, and one that had broken nothing shares nothing.
        StateFolderError where there can be no locks.
        """
        with waiting(), self._turn:
            wanted, shared = frozenset(parts) - self._alone, frozenset(self._shared)
            if not wanted:
                return
            for name in wanted:
                self._part(name)  # where its locks cannot be made, nothing is taken yet
            beside = (shared | self._around(wanted)) - wanted - self._alone
            if self._alone:
                self._have_more(wanted, set(beside - self._shared), who)
            else:
                self._leave_shared()
                self._have_first(wanted, beside, who)

    def give_back(self, parts: Iterable[str]) -> None:
        """Hold some parts no longer alone: nothing was broken there."""
        with self._turn:
            self._leave_alone([name for name in parts if name in self._alone])

    def release(self) -> None:
        """Use nothing any more: the test is over."""
        with self._turn:
            self._leave_shared()
            self._leave_alone(list(self._alone))

    def _have_first(self, wanted: frozenset[str], beside: Set[str], who: str) -> None:
        """Hold what this test is the first to break, having nothing in hand."""
        queued: list[str] = []
        try:
            for name in sorted(wanted):
                self._until(self._part(name).queues, {name})
                queued.append(name)
            self._until(lambda: self._takes(wanted, beside, who), wanted, beside)
        finally:
            if not wanted <= self._alone:
                for name in queued:
                    self._part(name).leave()

    def _have_more(self, wanted: frozenset[str], beside: Set[str], who: str) -> None:
        """Hold more, with something broken in hand."""
        wait = Wait(frozenset(self._alone), frozenset(self._shared), wanted, beside)

        def takes() -> bool:
            if self._takes(wanted, beside, who):
                return True
            if self._board.closes_circle(wait):
                raise self._circle(wanted | beside)
            return False

        try:
            self._until(takes, wanted, beside)
        finally:
            self._board.wipe()

    def _takes(self, wanted: frozenset[str], beside: Set[str], who: str) -> bool:
        """Take all of it at once, or nothing; return whether that was possible."""
        tried: list[str] = []
        with self._board.alone():  # two that take in turns would keep each other from it
            for name in sorted(wanted | beside):
                tried.append(name)
                if not self._part(name).takes(alone=name in wanted):
                    for back in tried:
                        self._part(back).gives_back(shared=back in self._shared)
                    return False
        for name in wanted:
            self._part(name).sign(who)
        self._alone |= wanted
        self._shared = (self._shared | beside) - self._alone
        return True

    def _share(self, wanted: set[str]) -> None:
        """Share parts; whoever has to wait for one lets go of all others."""

        def shares() -> bool:
            for name in sorted(wanted - self._shared):
                if not self._part(name).enters():
                    self._leave_shared()
                    return False
                self._shared.add(name)
            return True

        self._until(shares, (), wanted)

    def _until(
        self, takes: Callable[[], bool], alone: Iterable[str], beside: Iterable[str] = ()
    ) -> None:
        deadline = monotonic() + self._patience_s
        while not takes():
            if monotonic() > deadline:
                raise self._given_up(alone, beside)
            self._pause()

    def _given_up(self, alone: Iterable[str], beside: Iterable[str]) -> LockedError:
        """Return the error of having waited too long; the part is the first that others have."""
        since = f"for more than {self._patience_s:g} s"
        for name in sorted({*alone, *beside}):
            if holders := self._part(name).breakers():
                return LockedError(
                    f"it has been broken by another test {since}",
                    where=name,
                    seen=holders,
                    todo="let that test end, or end it",
                )
        name = min((n for n in alone if self._part(n).users()), default=min([*alone, *beside]))
        return LockedError(
            f"other tests have used it {since}",
            where=name,
            seen=self._part(name).users(),
            todo="let them end, or end them",
        )

    def _circle(self, wanted: Set[str]) -> LockedError:
        name = min((n for n in wanted if self._part(n).breakers()), default=min(wanted))
        return LockedError(
            "another test has broken it, and waits for what this one has broken",
            where=name,
            seen=self._part(name).breakers(),
            todo="let the test say it before its fault begins, so that only one of the two does: "
            f'with faults.none("{name}")',
        )

    def _leave_alone(self, names: Iterable[str]) -> None:
        for name in names:
            self._part(name).leave()
            self._alone.discard(name)

    def _leave_shared(self) -> None:
        for name in self._shared:
            self._part(name).leave()
        self._shared.clear()

    @cached_property
    def _board(self) -> Board:
        make_state_dir(self._state_dir)
        return Board(self._folder)

    def _part(self, name: str) -> Part:
        if name not in self._parts:
            safe = quote(name, safe="")
            self._parts[name] = Part(self._file(f"{safe}.queue"), self._file(f"{safe}.lock"))
        return self._parts[name]

    def _file(self, name: str) -> FileLock:
        make_state_dir(self._state_dir)
        return FileLock(self._folder / name)
