"""The option --leaks: what each test, and each fixture of a wider scope, leaves in the stores.

The stores are looked at before a test and after its fixtures have ended. What a fixture of a wider
scope makes is its own, and is to be gone once it has ended.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from nomock.errors import NomockError
from nomock.plugin.items import LEFT, needs_stack_of_run
from nomock.polling import wait_until

if TYPE_CHECKING:
    from nomock.leaks.difference import Look
    from nomock.leaks.looking import Stores
    from nomock.plugin.run import Run
    from nomock.stack import Stack

_MARK = "nomock_leaks"
# What a service does a moment after its answer is no leak.
_SETTLES_S = 0.5


class LeakWatch:
    """Watches the tests of one process; and in the process that stands for the run it reports."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._stores: dict[str, Stores] = {}
        self._before: Look | None = None
        self._item: pytest.Item | None = None
        self._made: dict[str, Look] = {}
        """What fixtures of a wider scope have made that have not ended."""
        self._ended: list[str] = []
        """Those that have ended since the last look."""
        self._found: list[str] = []
        self._reported: list[tuple[str, list[str]]] = []
        self._missing: dict[str, str] = {}

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        """Look before any fixture of the test."""
        self._item, self._found = item, []
        self._before = self._look()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, Any, Any]:
        """Tell what a fixture of a wider scope makes from what its first test does."""
        if fixturedef.scope == "function" or self._item is None:
            return (yield)
        from nomock.leaks.difference import minus

        before = self._look()
        try:
            return (yield)
        finally:
            after = self._look()
            if before is not None and after is not None and (made := minus(after, before)):
                self._made[f"fixture {fixturedef.argname} ({fixturedef.scope})"] = made
            self._before = after

    def pytest_fixture_post_finalizer(self, fixturedef: Any) -> None:
        """Remember that one has ended."""
        name = f"fixture {fixturedef.argname} ({fixturedef.scope})"
        if name in self._made:
            self._ended.append(name)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, None, None]:
        """Look once all fixtures of the test have ended, and those that end with it."""
        try:
            return (yield)
        finally:
            self._compare(item.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let the report of a test's end carry what was found."""
        report = yield
        if call.when == "teardown":
            if self._found:
                setattr(report, _MARK, self._found)
                report.user_properties += [("nomock_leak", text) for text in self._found]
            for stores in self._stores.values():
                self._missing.update(stores.missing)
            setattr(report, f"{_MARK}_missing", self._missing)
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Hear it, in the process that stands for the run."""
        if found := getattr(report, _MARK, None):
            self._reported.append((report.nodeid, found))
        self._missing.update(getattr(report, f"{_MARK}_missing", {}))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Name each test that left something."""
        if self._reported:
            terminalreporter.section("what tests left behind", yellow=True)
            for test, found in self._reported:
                terminalreporter.write_line(test)
                for text in found:
                    terminalreporter.write_line(f"  {text}")
        else:
            terminalreporter.write_line("nomock: no test left anything behind")
        for store, why in self._missing.items():
            if why:
                terminalreporter.write_line(f"nomock: {store} was not looked at: {why}")

    def pytest_sessionfinish(self) -> None:
        """Close the connections."""
        for stores in self._stores.values():
            stores.close()

    def _compare(self, test: str) -> None:
        from nomock.leaks.difference import leaks_of, minus

        before = self._before
        ended, self._ended = self._ended, []
        made = [self._made.pop(name) for name in ended]
        if before is None:
            return
        expected = before
        for one in made:
            expected = minus(expected, one)
        after: Look = before
        ignored = self._run.settings.leaks_ignore

        def look() -> bool:
            nonlocal after
            after = self._look() or before
            return not leaks_of(minus(after, expected), ignored)

        if wait_until(look, within_s=_SETTLES_S, pause_s=0.05):
            return
        left = minus(after, expected)
        for place, how in sorted(left.items()):
            # It is the fixture's where all that it has made is there yet.
            makers = [name for name, one in zip(ended, made, strict=True) if place in one]
            certain = [name for name, one in zip(ended, made, strict=True) if one.get(place) == how]
            named = f"{certain[0]} " if certain else ""
            after_whom = f", where {' and '.join(makers)} has ended" if makers and not named else ""
            self._found += [f"{named}{x}{after_whom}" for x in leaks_of({place: how}, ignored)]
        known = self._run.config.stash.setdefault(LEFT, [])
        known += [{"test": test, "text": text} for text in self._found]

    def _look(self) -> Look | None:
        """Return what there is, None where there is no stack that is ready yet."""
        item = self._item
        if item is None or not needs_stack_of_run(item):
            return None
        with suppress(NomockError):
            stack = self._run.known_stack()
            if stack is not None and (stack.ready_s is not None or self._is_by_controller(stack)):
                return self._of(stack).look()
        return None

    def _is_by_controller(self, stack: Stack) -> bool:
        """Whether the controller has made it ready, which a worker's own object does not know."""
        return self._run.is_prepared_by_controller and stack is self._run.main

    def _of(self, stack: Stack) -> Stores:
        if stack.name not in self._stores:
            from nomock.leaks.looking import Stores
            from nomock.plugin.statements import StacksDatabase

            database = StacksDatabase(stack)
            self._stores[stack.name] = Stores(stack, database.who)
        return self._stores[stack.name]
