"""The records of spies in pods, copied to this machine while the pods run.

All there is comes with the first look; then one thread a pod has what is new a moment after it was
written, so that a pod that is gone has lost no more than that moment; and the last look has all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event, Lock, Thread

from nomock.adapters.kubernetes import Collectors, PodName
from nomock.coverage.harvest.copies import Copies
from nomock.errors import ClusterError, NomockError

_LOOK_S = 1.0
_AT_ONCE = 4


class Following:
    """Copies what the collectors of a namespace hand out, from ``begin`` to ``end``."""

    def __init__(self, collectors: Collectors, copies: Copies) -> None:
        self._collectors = collectors
        self._copies = copies
        self._is_over = Event()
        self._watching = Thread(target=self._watch, name="nomock-records", daemon=True)
        self._lock = Lock()
        self._followed: set[PodName] = set()
        self._read: set[PodName] = set()
        self._failure: NomockError | None = None

    def begin(self) -> None:
        """Take all there is, and go on taking what comes. Raises ClusterError, StateFolderError."""
        self._look()
        self._copies.begin()
        found = self._collectors.found()
        self._follow_each(found)
        with ThreadPoolExecutor(_AT_ONCE) as pool:  # the first test may end a pod at once
            for _ in pool.map(self._until_followed, (name for name, runs in found if runs)):
                pass
        self._watching.start()

    def end(self) -> None:
        """Take all there is, and stop; raises as ``begin``, also for what went wrong meanwhile."""
        self._is_over.set()
        if self._watching.ident is not None:
            self._watching.join()
        self._look()
        if self._failure is not None:
            raise self._failure

    def _look(self) -> None:
        """Take what is new of each pod, once."""
        found = self._collectors.found()
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(self._take, found):
                pass

    def _take(self, found: tuple[PodName, bool]) -> None:
        name, runs = found
        if name in self._read:
            return
        try:
            if runs:
                self._copies.take(self._collectors.all(name, self._copies.offsets(name.pod)))
                return
            self._copies.take(self._collectors.last(name))
            self._read.add(name)
        except ClusterError:
            # Who is gone by now is no failure: what it wrote came while it was there.
            if (name, runs) in self._collectors.found():
                raise

    def _watch(self) -> None:
        """Follow each pod as it comes."""
        while not self._is_over.wait(_LOOK_S):
            try:
                found = self._collectors.found()
            except ClusterError:
                continue  # the next look may be answered; the last one says so
            self._follow_each(found)

    def _follow_each(self, found: Sequence[tuple[PodName, bool]]) -> None:
        for name, runs in found:
            self._begin(name, self._follow if runs else self._read_last)

    def _until_followed(self, name: PodName) -> None:
        with suppress(ClusterError):  # it is gone
            self._collectors.until_followed(name)

    def _begin(self, name: PodName, what: Callable[[PodName], None]) -> None:
        with self._lock:
            if name in self._followed:
                return
            self._followed.add(name)
        Thread(target=self._run, args=(name, what), name=f"nomock {name.pod}", daemon=True).start()

    def _run(self, name: PodName, what: Callable[[PodName], None]) -> None:
        try:
            what(name)
        except ClusterError:
            pass  # it is gone, or is begun again
        except NomockError as error:  # nothing can be written here
            self._failure = error
        finally:
            with self._lock:
                self._followed.discard(name)

    def _follow(self, name: PodName) -> None:
        offsets = self._copies.offsets(name.pod)
        for piece in self._collectors.follow(name, offsets, self._is_over.is_set):
            self._copies.take([piece])

    def _read_last(self, name: PodName) -> None:
        self._take((name, False))
