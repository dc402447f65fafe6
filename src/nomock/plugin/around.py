"""What surrounds each test: its place in the turnstile, its name in requests, its evidence."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from time import time
from typing import Any

import pytest

from nomock import context
from nomock.errors import NomockError, NotPossibleError
from nomock.evidence import window_logs
from nomock.plugin.items import is_serial, uses_stack
from nomock.plugin.run import Run
from nomock.plugin.serial import Turnstile
from nomock.stack import Stack


class Around:
    """The hooks around the tests of one pytest process."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._turnstile = Turnstile(run.settings.state_dir)
        self._began_s = 0.0
        self._any_serial = False

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """See whether any test has to run alone."""
        self._any_serial = any(map(is_serial, session.items))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Name the test in the requests it makes, and keep serial ones alone."""
        with self._passing(item):
            context.set_current_test(item.nodeid)
            self._began_s = time()
            try:
                return (yield)
            finally:
                context.set_current_test(None)
                self._run.let_go()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Generator[None, None, None]:
        """Skip a test whose fault is not possible here, with the reason: a fixture may break."""
        with _skipping():
            yield

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, None, None]:
        """The same in the test itself."""
        with _skipping():
            yield

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Put what the services logged while a failing test ran into its report."""
        report = yield
        # A fixture of the test may have made a stack of its own.
        found = getattr(item, "funcargs", {}).get("stack")
        if report.failed and (faults := _faults_of(item)):
            lines = [f"{at_s - self._began_s:8.3f} s  {told}" for at_s, told in faults.story]
            report.sections.append(("Faults of the test", "\n".join(lines)))
        if report.failed and (isinstance(found, Stack) or uses_stack(item)):
            try:
                stack = found if isinstance(found, Stack) else self._run.stack
                text = window_logs(
                    stack.engine,
                    stack.engine.containers(stack.name),
                    since_s=self._began_s,
                    cap=self._run.settings.log_lines,
                )
            except NomockError as error:  # a broken engine must not hide the test's own failure
                text = str(error)
            report.sections.append(("Service logs in the test's window", text or "(none)"))
        return report

    def _passing(self, item: pytest.Item) -> AbstractContextManager[None]:
        if self._run.settings.files or self._any_serial:
            return self._turnstile.passing(alone=is_serial(item))
        return nullcontext()  # a run that has nothing to do with nomock leaves no trace of it


@contextmanager
def _skipping() -> Iterator[None]:
    try:
        yield
    except NotPossibleError as error:
        pytest.skip(str(error))


def _faults_of(item: pytest.Item) -> Any:
    """Return what a test breaks; a fixture of the user's may have the same name."""
    found = getattr(item, "funcargs", {}).get("faults")
    module = sys.modules.get("nomock.faults.faults")  # where it is not loaded nothing is broken
    return found if module is not None and isinstance(found, module.Faults) else None
