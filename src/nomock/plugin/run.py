"""One pytest run and its stack: looked at once a test uses it, made ready once a test needs it.

Under xdist the controller makes it ready after the workers have collected and before any of them
runs a test; the workers attach.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from nomock.config import Settings
from nomock.errors import LaneError, NomockError, NotHealedError
from nomock.lanes.lane import Lane
from nomock.lanes.replica import check
from nomock.paths import absolute
from nomock.plugin.chosen import settings_of
from nomock.plugin.coverage import Coverage, NoCoverage, SidecarCoverage, spied
from nomock.plugin.evidence import Evidence
from nomock.plugin.fault_sessions import FaultSessions
from nomock.plugin.history import History
from nomock.plugin.items import USUAL_LANE, needs_stack_of_run
from nomock.plugin.lanes import Lanes, kind_of
from nomock.plugin.mailbox import Mailbox
from nomock.plugin.options import given
from nomock.plugin.other_stack import other_stack
from nomock.plugin.preparing import Preparing
from nomock.plugin.serial import Turnstile
from nomock.plugin.statements import Statements, statements_of
from nomock.plugin.terminal import progress_of
from nomock.plugin.traces import Traces, traced, traces_of
from nomock.plugin.unasked import Unasked
from nomock.plugin.workers import Workers
from nomock.plugin.workers_lanes import WorkersLanes
from nomock.progress import Progress
from nomock.stack import Stack
from nomock.statefolder import make_state_dir
from nomock.target import Act

_CRASHED = "???"
"""The phase by which xdist reports the test of a worker that crashed."""
EXIT_NO_STACK = 6
"""pytest's exit code without a stack, or with lines of the app missing; its own end at 5."""


class Run:
    """The state of one pytest process, and the hooks that need it."""

    def __init__(self, config: pytest.Config, settings: Settings, workers: Workers) -> None:
        """``workers`` are those of xdist, where this is its controller."""
        self.config = config
        self.settings = settings
        self.command = " ".join(["pytest", *sys.argv[1:]])
        self._workers = workers
        self._workers_lanes = WorkersLanes(workers, lambda: self.main)
        self.is_worker = hasattr(config, "workerinput")
        self.history = History(settings)
        self.evidence = Evidence(config, settings, workers, self.command)
        self.unasked = Unasked()
        self._is_shown = False
        self._errors_at_end: list[str] = []
        self._fault_sessions: dict[Stack, FaultSessions] = {}
        self.engine_is_gone = False
        """Whether the engine was found to be gone while tests ran."""
        self._not_healed: list[str] = []
        self.is_prepared_by_controller = False
        """Whether the controller of xdist makes the run's own stack ready before any test runs."""
        config.stash[USUAL_LANE] = settings.lanes
        self.preparing = Preparing(
            lambda: self.main,
            lambda: self.coverage,
            self._begin,
            self._workers_lanes,
            lambda: self.progress,
            self.command,
        )
        self.lanes = Lanes(config, lambda: self.main, self._prepare_lane)
        self.lane_kind = "shared"
        """The kind of lane that the test which runs needs."""
        self.lane_error: LaneError | None = None
        """Why this worker's own lane is not ready."""

    @classmethod
    def of(cls, config: pytest.Config, workers: Workers) -> Run:
        """Read the settings; a wrong one ends pytest with its usage error."""
        try:
            settings = settings_of(config)
            if given(config, "sidecar-coverage"):
                settings = spied(settings, begin=not hasattr(config, "workerinput"))
            if given(config, "traces"):
                settings = traced(settings, progress_of(config))
        except NomockError as error:
            raise pytest.UsageError(str(error)) from error
        return cls(config, settings, workers)

    @cached_property
    def turnstile(self) -> Turnstile:
        """The turnstile of serial tests; raises StateFolderError where it cannot be locked."""
        make_state_dir(self.settings.state_dir)
        return Turnstile(self.settings.state_dir)

    @property
    def stack(self) -> Stack:
        """The stack that the test which runs uses, not made ready by this."""
        return self.lanes.lane(self.lane_kind).stack

    def known_stack(self) -> Stack | None:
        """Return ``stack``; None where it is yet to be made: another thread may be at it."""
        lane = self.lanes.lane(self.lane_kind)
        return None if lane.is_own and not lane.is_made else lane.stack

    @cached_property
    def main(self) -> Stack:
        """The stack of the settings, not made ready by this."""
        stack = Stack.of(self.settings, self._run_process)
        self.fault_sessions(stack)
        return stack

    @cached_property
    def coverage(self) -> Coverage:
        """What this run does about coverage."""
        covers = given(self.config, "sidecar-coverage")
        return SidecarCoverage(self.settings, self.main) if covers else NoCoverage()

    @cached_property
    def traces(self) -> Traces:
        """What this run does about traces."""
        return traces_of(self.settings, on=given(self.config, "traces"))

    @cached_property
    def statements(self) -> Statements:
        """What this process does about the statements of databases."""
        return statements_of(self.settings)

    @property
    def _run_process(self) -> int | None:
        """The process that stands for the run: of workers, who are one run, the controller."""
        # xdist gives a worker's config this attribute, which pytest's type does not have.
        return self.config.workerinput["nomock_run"] if self.is_worker else None  # type: ignore[attr-defined]

    @property
    def acts(self) -> list[Act]:
        """What this process asked of the engine that starts or ends services, on any stack."""
        return [act for stack in self._fault_sessions for act in stack.target.acts]

    def fault_sessions(self, stack: Stack) -> FaultSessions:
        """Return what it takes to break a stack; from then on its requests pass the gate."""
        if stack not in self._fault_sessions:
            on_shared = given(self.config, "faults-on-shared")
            self._fault_sessions[stack] = FaultSessions(stack, on_shared=on_shared, warn=self._warn)
        return self._fault_sessions[stack]

    def release(self) -> None:
        """A test is over: it uses nothing any more."""
        for fault_sessions in self._fault_sessions.values():
            fault_sessions.gate.release()

    @cached_property
    def progress(self) -> Progress:
        """Progress on pytest's own terminal."""
        return progress_of(self.config)

    @contextmanager
    def stack_for(
        self, files: tuple[Path, ...], project: str | None, probes: Mapping[str, str]
    ) -> Iterator[Stack]:
        """Give the stack of the fixtures' inputs: the run's own, or another one made ready here."""
        files = tuple(absolute(self.config.rootpath / file) for file in files)
        settings = replace(self.settings, files=files, project=project, probes=probes)
        if settings == self.settings:
            if not self.is_prepared_by_controller:
                self.preparing.now()  # a test may ask for the fixture by its name, while it runs
            yield self._ready_lane()
            return
        if files != self.settings.files:  # these are named to compose, which then finds none
            root = files[0].parent if files else self.settings.root
            settings = replace(settings, found=None, root=root, folder=root)
        say, process = self.progress.show, self._run_process
        with other_stack(settings, process, self.fault_sessions, say, self.command) as other:
            try:
                yield other
            finally:
                self._fault_sessions.pop(other)

    def pytest_report_collectionfinish(self) -> list[str]:
        """Say which stack there is, what each service runs, and which settings are not default."""
        option = self.config.option
        quiet = self.config.get_verbosity() < 0 or option.no_header or option.collectonly
        if quiet or self.is_worker or not self.settings.files:
            return []
        from nomock.plugin.header import header

        return header(self.settings, lambda: self.main, self._workers.count)

    def begin_for_workers(self, *, needs: bool) -> None:
        """In the controller of xdist: do what a process does that has collected for itself.

        ``needs``: whether a test needs the run's own stack.
        """
        terminal: Any = self.config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None and not self._is_shown:
            self._is_shown = True
            terminal.ensure_newline()
            for line in self.pytest_report_collectionfinish():
                terminal.write_line(line)
        if needs:
            self._prepare_or_exit()

    def begin_lanes(self, items: Iterable[pytest.Item]) -> str:
        """Begin with the lanes of the tests that were collected; return why there can be none."""
        try:
            kinds = [kind_of(i) for i in items if needs_stack_of_run(i)]
            if self.is_worker and "stack" in kinds:
                check(self.main)
            if self.is_worker:
                Mailbox.of(self.config).leave("kinds", sorted(set(kinds)))
            self.lanes.begin(kinds)
        except NomockError as error:
            return str(error)
        return ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Without xdist: make the stack ready before the first test."""
        if session.config.option.collectonly or self.is_worker or session.testsfailed:
            return
        if any(map(needs_stack_of_run, session.items)):
            self._prepare_or_exit()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember what failed, for `nomock diagnose`."""
        self.history.add(report)
        if report.when == _CRASHED:
            self.evidence.crashed(report)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Harvest coverage, take an owned stack down, let it go."""
        tried, is_done = self.preparing.tried, self.preparing.is_done
        self.statements.close()
        self.preparing.end()
        for fault_sessions in self._fault_sessions.values():
            fault_sessions.close()
        if self.is_worker:
            self.lanes.end()
            if tried:
                tried.close()
            return
        lanes = self._workers_lanes
        if is_done and not self.engine_is_gone:
            self.unasked.look([self.main, *(lane.stack for lane in lanes.used)])
            lanes.measure()
        try:
            if is_done:
                self.coverage.harvest(allow_unmapped=given(self.config, "allow-unmapped"))
                if not self.coverage.is_whole and session.exitstatus == pytest.ExitCode.OK:
                    session.exitstatus = EXIT_NO_STACK
            is_own = self.settings.stack == "own" and not self.engine_is_gone
            if tried and tried.touched and is_own:
                lanes.remove(self.progress)
                tried.down(progress=self.progress.show, waiting=self.progress.show_waiting)
                self.progress.end()
        except NomockError as error:
            if session.exitstatus == pytest.ExitCode.OK:  # a red test says more
                session.exitstatus = EXIT_NO_STACK
            self._errors_at_end = [str(error)]
        finally:
            if tried:
                self.history.write(
                    session.exitstatus,
                    self.command,
                    self.config.rootpath,
                    self.evidence.left_by_run,
                )
            self.evidence.finish()
            if tried:
                tried.close()

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print what is still broken, and the table of coverage."""
        if self.evidence.page:
            terminalreporter.section("evidence")
            terminalreporter.write_line(self.evidence.page)
        if self._not_healed:
            terminalreporter.section("faults that are not healed")
            terminalreporter.write_line("\n".join(self._not_healed))
        covered = self.coverage.report if self.preparing.is_done else []
        if lines := self._errors_at_end or covered:
            terminalreporter.section("sidecar coverage")
            for line in lines:
                terminalreporter.write_line(line)

    def _warn(self, error: NotHealedError) -> None:
        """Say once, now and at the end, what earlier runs left broken: it ends no run."""
        if str(error) not in self._not_healed:
            self._not_healed.append(str(error))
            self.progress.say(str(error))

    def _prepare_or_exit(self) -> None:
        try:
            self._workers_lanes.check_room()
            self.preparing.now()
        except NomockError as error:
            self.progress.end()
            self.history.add_start(error)
            pytest.exit(f"the stack is not ready\n{error}", returncode=EXIT_NO_STACK)

    def _begin(self, stack: Stack, say: Callable[[str], None]) -> None:
        _ = self.turnstile  # on a full disk the run ends by it once, and not each of its tests
        self.fault_sessions(stack).heal_orphaned(say)

    def _ready_lane(self) -> Stack:
        """Return the stack of the test that runs, ready; else the run ends with this test."""
        try:
            return self.lanes.ready(self.lane_kind)
        except NomockError as why:
            name = self.lanes.lane(self.lane_kind).name
            self.lane_error = LaneError(name, self.lanes.number, why)
            raise pytest.fail.Exception(str(self.lane_error), pytrace=False) from None

    def _prepare_lane(self, lane: Lane) -> None:
        self.fault_sessions(lane.stack).heal_orphaned(lambda text: None)
        lane.prepare(who=f"{self.command}, worker {self.lanes.number}")
        self.coverage.prove(lane.stack)
