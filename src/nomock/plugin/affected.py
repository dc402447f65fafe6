"""``--affected``: run the tests that a change needs; and what a covered run keeps for that."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from nomock.config import Settings
from nomock.coverage.affected import (
    Affected,
    Choice,
    Past,
    State,
    Suite,
    in_order,
    run_of,
    save_baseline,
    state_now,
)
from nomock.coverage.session import RUN_VARIABLE, data_dir
from nomock.errors import NomockError
from nomock.plugin.history import tests_before
from nomock.plugin.items import is_serial, uses_stack
from nomock.plugin.mailbox import Mailbox
from nomock.plugin.options import given
from nomock.plugin.run import Run
from nomock.project import resolve

_MOST_REASONS = 18
_SUBJECT = "choice"
_PAST = "nomock_past"


def register(run: Run) -> None:
    """Add the hooks that the options ask for."""
    config = run.config
    since = given(config, "affected-since")
    if given(config, "affected") or since is not None:
        config.pluginmanager.register(Choosing(run, since), "nomock-choosing")
    if given(config, "sidecar-coverage") and not run.is_worker:
        config.pluginmanager.register(Remembering(run), "nomock-remembering")


class Choosing:
    """Leaves out the tests that no change needs, and says why the others run, in which order.

    Under xdist each worker chooses, and writes to a file what it came to: the controller, which
    has no tests of its own, says it.
    """

    def __init__(self, run: Run, since: str | None) -> None:
        """Compare the files with those of the last covered run; a usage error without one."""
        self._run = run
        self._config = run.config
        self._said: list[str] = []
        self._needs_none = False
        given_by_controller = getattr(run.config, "workerinput", {}).get(_PAST)
        self._past = (
            tests_before(run.settings) if given_by_controller is None else given_by_controller
        )
        """How each test ended last: of all workers the same, so that they have one order."""
        self._mailbox: Mailbox | None = None
        """In the controller of xdist: where a worker leaves what it chose."""
        try:
            settings = _without_spy(run.settings)
            self._affected = Affected(settings, data_dir(settings), since)
        except NomockError as error:
            raise pytest.UsageError(str(error)) from error

    def pytest_sessionstart(self) -> None:
        """Begin with the services that changed, where a test will need them."""
        looks_only = self._config.option.collectonly or self._run.is_worker
        if not looks_only and not given(self._config, "sidecar-coverage"):
            known = self._affected.known
            if self._affected.choose(known, known).tests:
                self._run.preparing.ahead()

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests that are needed, of those that all other options chose."""
        on_stack = [item.nodeid for item in items if uses_stack(item)]
        tests = [item.nodeid for item in items]
        past = {test: Past(*how) for test, how in self._past.items()}
        failed = [test for test, how in past.items() if how.failed]
        choice = self._affected.choose(tests, on_stack, failed)
        order = in_order(choice, tests, past)
        each = order if self._config.get_verbosity() > 0 else None
        self._said = list(_said(choice, len(items), each))
        self._needs_none = bool(items) and not choice.tests
        left_out = [item for item in items if item.nodeid not in choice.tests]
        self._config.hook.pytest_deselected(items=left_out)
        place = {test: number for number, test in enumerate(order)}
        items[:] = sorted(
            (item for item in items if item.nodeid in place),
            # Under xdist serial tests stay the last ones.
            key=lambda item: (self._run.is_worker and is_serial(item), place[item.nodeid]),
        )

    def pytest_collection_finish(self) -> None:
        """In a worker: leave word for the controller."""
        if self._run.is_worker:
            word = {"said": self._said, "needs_none": self._needs_none}
            Mailbox.of(self._config).leave(_SUBJECT, word)

    def pytest_report_collectionfinish(self) -> list[str]:
        """Say what is chosen; under xdist this is never asked for."""
        return self._said

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """In the controller: see where the workers leave word, and tell them what is known."""
        self._mailbox = Mailbox.of(node)
        node.workerinput[_PAST] = dict(self._past)

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_xdist_node_collection_finished(self) -> None:
        """In the controller: say what the first worker chose; the others chose the same."""
        word = self._mailbox.read(_SUBJECT) if self._mailbox and not self._said else None
        if word is None:
            return
        self._said, self._needs_none = word["said"], word["needs_none"]
        terminal: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        terminal.ensure_newline()
        for line in self._said:
            terminal.write_line(line)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Be green where no test was needed; pytest calls a run without tests a failure."""
        if self._needs_none and session.exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            session.exitstatus = pytest.ExitCode.OK


class Remembering:
    """Writes down what a covered run saw, so that the next change can be held against it."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._outcomes: dict[str, bool] = {}
        self._begin: tuple[State, Suite] | None = None

    def pytest_sessionstart(self) -> None:
        """Look at the files before anything is built of them or run."""
        settings = _without_spy(self._run.settings)
        suite = _suite(self._run.config)
        try:
            self._begin = state_now(settings, resolve(settings), suite), suite
        except NomockError:
            self._begin = None  # the run itself is about to say so

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """See which tests pass, in all their phases."""
        passed = self._outcomes.get(report.nodeid, True)
        self._outcomes[report.nodeid] = passed and report.passed

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Write it down, once the harvest is done."""
        folder = data_dir(self._run.settings)
        if self._begin is None or run_of(folder) != os.environ[RUN_VARIABLE]:
            return  # no test needed the stack: the data there are another run's
        state, suite = self._begin
        # Where a service is missing from the harvest it is not known what a test needs of it: of
        # those that passed, what earlier runs know still holds.
        whole = self._run.coverage.is_whole
        passed = [test for test, passed in self._outcomes.items() if passed and whole]
        failed = [test for test, passed in self._outcomes.items() if not passed]
        with suppress(NomockError):  # there was no harvest, and the report has its error
            save_baseline(folder, state, suite, passed, failed)


def _said(choice: Choice, found: int, each: Sequence[str] | None) -> Iterator[str]:
    """Yield what is chosen and why, in about twenty lines, or of each of some tests."""
    if choice.tests:
        yield f"affected: {len(choice.tests)} of {found} tests"
    else:
        yield f"affected: none of {found} tests: nothing that a test ran has changed"
    if each is not None:
        for test in each:
            yield f"  {test}"
            yield from (f"    {reason}" for reason in choice.why(test))
    shown = [r for r in choice.reasons if each is None or not r.tests]
    for reason in shown[:_MOST_REASONS]:
        count = len(reason.tests)
        tests = "every test" if count == found else f"{count} tests" if count != 1 else "1 test"
        yield f"  {reason.text} -> {tests if count else 'no test'}"
    if len(shown) > _MOST_REASONS:
        yield f"  and {len(shown) - _MOST_REASONS} more changes; -v says each test's"


def _without_spy(settings: Settings) -> Settings:
    """Return the settings of the stack as it is without coverage: the spy concerns no test."""
    overlay = settings.root / settings.coverage_overlay
    return replace(settings, files=tuple(file for file in settings.files if file != overlay))


def _suite(config: pytest.Config) -> Suite:
    """Return where the tests of this run are, by its arguments: they are not collected yet."""
    here = config.invocation_params.dir
    named = [(here / argument.partition("::")[0]).resolve() for argument in config.args]
    folders = {path if path.is_dir() else path.parent for path in named}
    outermost = sorted(f for f in folders if not any(o in f.parents for o in folders))
    return Suite(
        config.rootpath.resolve(), tuple(outermost), config.inipath and config.inipath.resolve()
    )
