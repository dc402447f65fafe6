"""What surrounds each test: its place in the turnstile, its name in requests, its evidence."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import pytest

from nomock import context
from nomock.errors import NotPossibleError
from nomock.plugin.gone import Gone
from nomock.plugin.items import is_serial, now
from nomock.plugin.run import Run
from nomock.plugin.serial import Turnstile


class Around:
    """The hooks around the tests of one pytest process."""

    def __init__(self, run: Run, gone: Gone) -> None:
        self._run = run
        self._turnstile = Turnstile(run.settings.state_dir)
        self._gone = gone
        self._began = now()
        self._any_serial = False

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """See whether any test has to run alone."""
        self._any_serial = any(map(is_serial, session.items))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Name the test in the requests it makes, and keep serial ones alone."""
        with self._passing(item):
            context.set_current_test(item.nodeid)
            self._began = now()
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
        """Put into a failing test's report what befell the services while it ran."""
        report = yield
        if report.failed:
            from nomock.plugin.failing import Failing  # a green run needs none of it

            Failing(self._run, self._gone).take(item, report, self._began)
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
