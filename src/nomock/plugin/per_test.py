"""What surrounds each test: its place in the turnstile, its name in requests, its evidence."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from nomock.moments import now
from nomock.plugin.items import (
    WAS_SKIPPED,
    faults_of,
    is_serial,
    is_serial_on_stack,
    needs_stack_of_run,
)
from nomock.plugin.use import Use

if TYPE_CHECKING:  # loaded once a stack is used
    from nomock.plugin.run import Run
    from nomock.stack import Stack
    from nomock.target import Act


class PerTest:
    """The hooks around the tests of one pytest process; they do nothing until it uses a stack."""

    def __init__(self, use: Use) -> None:
        self._use = use
        self._item: pytest.Item | None = None
        self._began = now()
        self._has_passed = False
        """Whether the test that runs has, so far."""
        self._attempts = 0
        """How often the test that runs was set up: plugins that repeat a failed one do so again."""
        self._not_apart = ""
        """Why the test that runs cannot be kept apart from others."""
        self._told: set[Act] = set()
        """What was asked of the engine, and is in a report."""
        self._surrounded = ExitStack()
        use.when_begun.append(self._begin)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Name the test in the requests it makes, and keep serial ones alone."""
        with self._surrounded:
            self._item, self._began, self._not_apart = item, now(), ""
            self._has_passed, self._attempts = False, 0
            try:
                self._keep_apart(item)
            except Exception as error:
                if not _is_ours(error, "StateFolderError"):
                    raise
                self._not_apart = str(error)
            if self._use.run:
                self._name(self._use.run)
                if needs_stack_of_run(item):
                    self._use.run.make_lane_ready()
            try:
                return (yield)
            finally:
                self._item = None

    def _begin(self, run: Run) -> None:
        """Keep apart, and name, the test that runs and is the first to use a stack."""
        if self._item is not None:
            if run.settings.files:  # else it is in the turnstile of a run without a stack
                self._keep_apart(self._item)
            self._name(run)

    def _keep_apart(self, item: pytest.Item) -> None:
        if not (of_all := self._use.turnstile):
            return
        # A stack of overridden inputs is known to its fixture alone: nothing runs beside it.
        on_stack = is_serial_on_stack(item) and needs_stack_of_run(item)
        self._surrounded.enter_context(of_all.passing(alone=is_serial(item) and not on_stack))
        if self._use.run and self._use.run.settings.files and self._use.uses_stack:
            from nomock.plugin.lanes import kind_of

            of_stack = self._use.run.lanes.turnstile(kind_of(item))
            self._surrounded.enter_context(of_stack.passing(alone=on_stack))

    def _name(self, run: Run) -> None:
        from nomock import baggage
        from nomock.plugin.lanes import kind_of

        assert self._item is not None, "a test runs"
        self._surrounded.callback(run.faults.release)
        run.lane_kind = kind_of(self._item)
        self._surrounded.callback(baggage.set_current_test, None)
        baggage.set_current_test(self._item.nodeid)
        self._begin_attempt(run, self._item)
        self._surrounded.callback(run.statements.end)
        if needs_stack_of_run(self._item):
            run.statements.begin(run.known_stack)

    @staticmethod
    def _begin_attempt(run: Run, item: pytest.Item) -> None:
        run.traces.begin(item)
        run.evidence.begin()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        """Skip a test whose fault is not possible here, with the reason: a fixture may break."""
        self._attempts += 1
        if self._attempts > 1 and self._use.run:
            self._began = now()
            self._begin_attempt(self._use.run, item)
        if self._not_apart:
            pytest.fail(self._not_apart, pytrace=False)
        self._reset()
        with self._skipping():
            yield

    def _reset(self) -> None:
        run = self._use.run
        if run is not None and self._item is not None and run.resets.is_wanted:
            try:
                run.resets.before(self._item, run.lanes.lane(run.lane_kind))
            except Exception as error:
                if not _is_ours(error, "NomockError"):
                    raise
                pytest.fail(str(error), pytrace=False)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, None, None]:
        """Skip a test whose fault is not possible here, with the reason."""
        stack = self._stack()
        if self._use.run and stack is not None:  # it may be another one than the run's
            self._use.run.statements.begin(lambda: stack)
        with self._skipping():
            yield
        self._has_passed = True

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Generator[None, None, None]:
        """Undo what the test made; look at its trace once its fixtures hold no request open."""
        run, stack = self._use.run, self._stack()
        try:
            yield
        except BaseException as error:
            if run and (left := run.ledgers.end_test()):
                error.add_note(left)
            raise
        if run and (left := run.ledgers.end_test()):
            pytest.fail(left, pytrace=False)
        if self._has_passed and run and stack is not None and self._item is not None:
            run.traces.check(self._item, stack)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put into a failing test's report what befell the services while it ran."""
        report = yield
        run, early_end = self._use.run, self._use.early_end
        if run is None or early_end is None:
            return report
        is_over = report.when == "teardown"
        if is_over:
            self._tell_deeds(run, item, report)
        if report.failed and run.lane_error is not None:
            error = run.lane_error
            early_end.end(item, report, "a lane is not ready", error, place=error.stack)
        elif report.failed:
            from nomock.plugin.failing import Failing  # a green run needs none of it

            found = Failing(run, early_end).take(item, report, self._began)
            run.evidence.failed(item, report, self._began, found)
        elif is_over and run.evidence.is_of_all and not run.evidence.has_record:
            from nomock.plugin.failing import Failing

            found = Failing(run, early_end).glance(item, self._began)
            run.evidence.passed(item, self._began, found)
        if is_over:
            run.evidence.end(item)
            run.traces.end(self._stack())  # its evidence has the trace
        return report

    def _stack(self) -> Stack | None:
        """Return the stack of the test that runs, which may be one of its own; None without one."""
        found = getattr(self._item, "funcargs", {}).get("stack")
        module = sys.modules.get("nomock.stack")
        return found if module is not None and isinstance(found, module.Stack) else None

    def _tell_deeds(self, run: Run, item: pytest.Item, report: pytest.TestReport) -> None:
        """Let the report carry what the test did to services."""
        if run.is_worker and run.settings.files:
            from nomock.plugin.deeds import tell_lane

            tell_lane(report, run.lanes.lane(run.lane_kind).name)
        acts = [act for act in run.faults.acts if act not in self._told]
        self._told.update(acts)
        faults = faults_of(item)
        spans = faults.spans if faults is not None else []
        if acts or spans:
            from nomock.plugin.deeds import tell

            tell(report, acts=acts, spans=spans)

    @contextmanager
    def _skipping(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if not _is_ours(error, "NotPossibleError"):
                raise
            if self._item is not None:
                self._item.stash[WAS_SKIPPED] = True
            pytest.skip(str(error))


def _is_ours(error: Exception, name: str) -> bool:
    """Tell whether it is an error of nomock of some kind: where these are not loaded it is none."""
    errors = sys.modules.get("nomock.errors")
    return errors is not None and isinstance(error, getattr(errors, name))
