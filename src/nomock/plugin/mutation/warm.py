"""Running one test many times in a session: its own fixtures anew, those of wider scopes kept."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from types import FrameType
from typing import Any

import pytest


class TestHangsError(BaseException):
    """Raised in a test that does not end; no ``except Exception`` of it keeps that."""

    __test__ = False


@dataclass(frozen=True)
class Outcome:
    """How a test ended."""

    status: str
    """passed, failed or skipped; not started, where there were no services to ask."""
    seconds: float
    why: str = ""
    has_hung: bool = False


def not_started(error: Exception) -> Outcome:
    """Return how a test ends of which the services do not start."""
    why = str(error).partition("\n")[0]
    return Outcome("not started", 0.0, f"does not start: {why}")


class WarmTests:
    """The tests of a session, each run as often as it is asked for.

    pytest tears down what the next test does not need, and so keeps here what is of a test's module
    and wider. It reports nothing: a mutant's red test is no failure of the run.
    """

    def __init__(self, session: pytest.Session, before_teardown: Callable[[], None]) -> None:
        """``before_teardown`` is called between each test and what undoes it."""
        self._session = session
        self._before_teardown = before_teardown
        self._items = {item.nodeid: item for item in session.items}
        self._at: list[Any] = []
        """The collectors that are set up."""
        self._phases: list[pytest.CallInfo[Any]] = []

    def __contains__(self, test: str) -> bool:
        return test in self._items

    def item(self, test: str) -> pytest.Item:
        """Return a test of the session."""
        return self._items[test]

    def is_set_up(self, test: str) -> bool:
        """Tell whether the fixtures of a test that others use, too, are there already."""
        info: Any = getattr(self._items[test], "_fixtureinfo", None)
        is_at = self._around(test) == self._at
        return all(
            found[-1].scope == "function"
            or (found[-1].cached_result is not None and (is_at or found[-1].scope == "session"))
            for found in getattr(info, "name2fixturedefs", {}).values()
        )

    def leave(self) -> None:
        """Tear down what is set up, but for the session's own."""
        self._tear_down_to([self._session])
        self._at = []

    def leave_all(self) -> None:
        """Tear down everything: the next test sets up all that it needs."""
        self._tear_down_to([])
        self._at = []

    def run(self, test: str, *, most_s: float) -> Outcome:
        """Run a test once, and end it where it lasts longer than ``most_s``."""
        item = self._items[test]
        around = self._around(test)
        if around != self._at:
            self._tear_down_to(around)
        self._at = around
        if hasattr(item, "_initrequest"):  # a function's fixtures are those of one run
            item._initrequest()
        self._phases = []
        began = monotonic()
        has_hung = False
        try:
            with _at_most(most_s):
                item.ihook.pytest_runtest_protocol(item=item, nextitem=None)
        except TestHangsError:
            has_hung = True
        outcome = self._outcome(monotonic() - began, has_hung=has_hung)
        if outcome.status == "failed" and any(p.when != "call" for p in self._failed()):
            self._forget_failures(item)
        return outcome

    def phases(self, item: pytest.Item) -> None:
        """Set a test up, call it and tear it down; what pytest's own protocol does and reports."""
        hook = item.ihook
        if self._take("setup", lambda: hook.pytest_runtest_setup(item=item)):
            self._take("call", lambda: hook.pytest_runtest_call(item=item))
        self._before_teardown()
        stay = _Place(self._around(item.nodeid))
        self._take("teardown", lambda: hook.pytest_runtest_teardown(item=item, nextitem=stay))

    def _take(self, when: Any, what: Any) -> bool:
        reraise = (pytest.exit.Exception, KeyboardInterrupt)
        call: pytest.CallInfo[Any] = pytest.CallInfo.from_call(what, when=when, reraise=reraise)
        self._phases.append(call)
        return call.excinfo is None

    def _failed(self) -> list[pytest.CallInfo[Any]]:
        return [phase for phase in self._phases if phase.excinfo is not None]

    def _outcome(self, seconds: float, *, has_hung: bool) -> Outcome:
        failed = self._failed()
        for phase in failed:
            assert phase.excinfo is not None, "it failed"
            if phase.when != "teardown" and phase.excinfo.errisinstance(pytest.skip.Exception):
                return Outcome("skipped", seconds)
        if failed and failed[0].excinfo is not None:
            why = failed[0].excinfo.exconly(tryshort=True)
            has_hung = has_hung or failed[0].excinfo.errisinstance(TestHangsError)
            return Outcome("failed", seconds, why.partition("\n")[0][:200], has_hung)
        return Outcome("failed" if has_hung else "passed", seconds, has_hung=has_hung)

    def _around(self, test: str) -> list[Any]:
        return self._items[test].listchain()[:-1]

    def _tear_down_to(self, chain: list[Any]) -> None:
        state: Any = self._session._setupstate
        try:
            state.teardown_exact(_Place(chain))
        except Exception:
            state.teardown_exact(_Place([self._session]))

    def _forget_failures(self, item: pytest.Item) -> None:
        """Let fixtures of wider scopes that failed be set up again: pytest keeps how they ended."""
        self.leave()
        info: Any = getattr(item, "_fixtureinfo", None)
        for definitions in getattr(info, "name2fixturedefs", {}).values():
            for definition in definitions:
                cached = definition.cached_result
                if cached is not None and cached[2] is not None:
                    definition.cached_result = None


class _Place:
    """Stands for a test that would be the next one, as far as what is torn down goes."""

    def __init__(self, chain: list[Any]) -> None:
        self._chain = chain

    def listchain(self) -> list[Any]:
        return self._chain


@contextmanager
def _at_most(seconds: float) -> Iterator[None]:
    """End a block that lasts longer by raising TestHangsError in it."""

    def end(number: int, frame: FrameType | None) -> None:
        raise TestHangsError(f"it did not end within {seconds:.0f} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
