"""A book of writes: what was acknowledged must be there, once; what was refused must not.

    acknowledged.send(name, lambda: http.post("/instances", json=order(name)))
    ...
    acknowledged.check(row[0] for row in connection.execute("SELECT name FROM …"))

A write ends in one of three ways, as in Jepsen, which calls them ok, fail and info: who has lost
the answer cannot know, so that an ``unknown`` one may be there or not.
https://github.com/jepsen-io/jepsen/blob/main/doc/tutorial/06-refining.md
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import IntEnum
from threading import Lock
from time import monotonic
from typing import TypeVar

from nomock.baggage import current_fault
from nomock.errors import UntrueAnswersError
from nomock.faults.checks.answers import described, status_of

T = TypeVar("T")


class Outcome(IntEnum):
    """How a write ended; of several attempts the highest counts.

    What is sent again, and refused because it is there already, was done all the same.
    """

    FAILED = 0
    UNKNOWN = 1
    OK = 2


@dataclass(frozen=True)
class Write:
    """An attempt at a write, and what was answered."""

    key: str
    end: Outcome
    seen: str

    def __str__(self) -> str:
        return f"{self.end.name.lower()}: {self.seen}".removesuffix(": ")


class Acknowledged:
    """The writes of a test, each by a key that no other has; safe to use from many threads.

    Keys are compared as text: the UUID of a database's row is the string of an API's JSON.
    """

    def __init__(self) -> None:
        self._writes: dict[str, list[Write]] = {}
        self._lock = Lock()
        self.is_checked = True
        """Whether ``check`` has been asked since the last write."""
        self._began_s = monotonic()

    def send(self, key: object, write: Callable[[], T]) -> T | None:
        """Write, and note what was answered; return the HTTP response, None where none came.

        ``write`` sends one request. Errors that are not of the network are noted, and raised.
        """
        from nomock.adapters.http import NETWORK_ERRORS

        try:
            answer = write()
        except BaseException as error:
            self.note(key, error)
            if isinstance(error, NETWORK_ERRORS):
                return None
            raise
        self.note(key, answer)
        return answer

    def note(self, key: object, answer: object) -> None:
        """Note the HTTP response, or the error in its place, of a write that was sent elsewhere."""
        under = f" under {fault}" if (fault := current_fault()) else ""
        seen = f"{described(answer)}, at {monotonic() - self._began_s:.2f} s{under}"
        self._add(key, _outcome_of(answer), seen)

    def ok(self, key: object, seen: str = "") -> None:
        """Note that a write was acknowledged; ``seen`` says how."""
        self._add(key, Outcome.OK, seen)

    def failed(self, key: object, seen: str = "") -> None:
        """Note that a write was refused, and certainly not done."""
        self._add(key, Outcome.FAILED, seen)

    def unknown(self, key: object, seen: str = "") -> None:
        """Note that a write was done or not, which nobody can tell."""
        self._add(key, Outcome.UNKNOWN, seen)

    def keys(self, end: Outcome) -> list[str]:
        """Return the keys of the writes that ended so."""
        return [key for key, ended in self._ends().items() if ended is end]

    def __str__(self) -> str:
        ends = Counter(self._ends().values())
        counts = ", ".join(f"{ends[end]} {end.name.lower()}" for end in reversed(Outcome))
        return f"{ends.total()} writes: {counts}"

    def check(self, found: Iterable[object], *, at_least: int = 1) -> None:
        """Compare with the keys that were found, once for each time that a write was done.

        Raises UntrueAnswersError where an acknowledged write is lost, one is there twice, or one
        that failed is there; and where fewer than ``at_least`` were acknowledged, so that nothing
        is shown. Keys that were never written are somebody else's.
        """
        self.is_checked = True
        times = Counter(map(str, found))
        wrong: dict[str, str] = {}
        for key, end in self._ends().items():
            if times[key] > 1:
                wrong[key] = f"there {times[key]} times"
            elif end is Outcome.OK and not times[key]:
                wrong[key] = "lost"
            elif end is Outcome.FAILED and times[key]:
                wrong[key] = "there, though refused"
        for key in wrong:
            wrong[key] += f" ({'; '.join(map(str, self._writes[key]))})"
        if wrong or len(self.keys(Outcome.OK)) < at_least:
            raise UntrueAnswersError(str(self), wrong)

    def _ends(self) -> dict[str, Outcome]:
        with self._lock:
            return {key: max(w.end for w in writes) for key, writes in self._writes.items()}

    def _add(self, key: object, end: Outcome, seen: str) -> None:
        with self._lock:
            self._writes.setdefault(str(key), []).append(Write(str(key), end, seen))
            self.is_checked = False


def _outcome_of(answer: object) -> Outcome:
    """Return what an answer says of its write; what says nothing for certain is unknown.

    A 4xx refuses before anything is done, but for 408: a proxy may say so of a request that it
    has passed on (RFC 9110, 15.5.9). A 3xx or 5xx says nothing, and neither does a time-out or a
    lost connection, unless the connection was never made.
    """
    from nomock.adapters.http import was_never_sent

    status = status_of(answer)
    if status is not None:
        if 200 <= status < 300:
            return Outcome.OK
        return Outcome.FAILED if 400 <= status < 500 and status != 408 else Outcome.UNKNOWN
    if not isinstance(answer, BaseException):
        raise TypeError(f"no HTTP response and no error: {answer!r}; say ok, failed or unknown")
    return Outcome.FAILED if was_never_sent(answer) else Outcome.UNKNOWN
