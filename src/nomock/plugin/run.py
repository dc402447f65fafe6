"""One pytest run and its stack: looked at once a test uses it, made ready once a test needs it.

Under xdist the controller makes it ready after the workers have collected and before any of them
runs a test; the workers attach.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import pytest

from nomock.config import Settings
from nomock.errors import LaneError, NomockError
from nomock.lanes.lane import Lane
from nomock.lanes.replica import check
from nomock.paths import absolute
from nomock.plugin.chosen import settings_of
from nomock.plugin.cleaning import clean_up, clean_up_lane
from nomock.plugin.coverage import Coverage, NoCoverage, SidecarCoverage, spied
from nomock.plugin.evidence import Evidence
from nomock.plugin.faults_by_stack import FaultsByStack
from nomock.plugin.header import Header
from nomock.plugin.history import History
from nomock.plugin.hunted import Hunted
from nomock.plugin.items import USUAL_LANE, USUAL_RESET, needs_stack_of_run
from nomock.plugin.lanes import Lanes, kind_of, refuse_lanes, refuse_leaks
from nomock.plugin.ledgers import Ledgers
from nomock.plugin.mailbox import Mailbox
from nomock.plugin.options import given
from nomock.plugin.other_stack import other_stack
from nomock.plugin.preparing import Preparing
from nomock.plugin.resets import Resets
from nomock.plugin.serial import Turnstile
from nomock.plugin.statements import Statements, statements_of
from nomock.plugin.terminal import progress_of
from nomock.plugin.traces import Traces, traced, traces_of
from nomock.plugin.unasked import Unasked
from nomock.plugin.workers import RUN_ID, Workers
from nomock.plugin.workers_lanes import WorkersLanes
from nomock.progress import Progress
from nomock.stack import Stack
from nomock.statefolder import make_state_dir

EXIT_NO_STACK = 6
"""pytest's exit code without a stack, or with lines of the app missing; its own end at 5."""


class Run:
    """The state of one pytest process, and the hooks that need it."""

    def __init__(self, config: pytest.Config, settings: Settings, workers: Workers) -> None:
        """``workers`` are those of xdist, where this is its controller."""
        self.config = config
        self.settings = settings
        self.command = " ".join(["pytest", *sys.argv[1:]])
        self.workers_lanes = WorkersLanes(workers, lambda: self.main)
        self.is_worker = hasattr(config, "workerinput")
        self.history = History(settings)
        self.evidence = Evidence(config, settings, workers, self.command)
        self.unasked = Unasked()
        self.header = Header(config, settings, lambda: self.main, workers)
        self.faults = FaultsByStack(
            on_shared=given(config, "faults-on-shared"), progress=lambda: self.progress
        )
        self.engine_is_gone = False
        """Whether the engine was found to be gone while tests ran."""
        self.is_prepared_by_controller = False
        """Whether the controller of xdist makes the run's own stack ready before any test runs."""
        config.stash[USUAL_LANE] = settings.lanes
        config.stash[USUAL_RESET] = settings.reset == "test"
        self.preparing = Preparing(
            lambda: self.main,
            lambda: self.coverage,
            self._begin,
            self.workers_lanes,
            lambda: self.progress,
            self.command,
            self._made_ready,
        )
        self.lanes = Lanes(config, lambda: self.main, self._prepare_lane)
        told = getattr(config, "workerinput", None) or {RUN_ID: workers.run_id}
        self.workers = told.get("workercount", 0)
        """Of how many workers this is one; 0 without xdist."""
        self.resets = Resets(workers=self.workers)
        self.hunted = Hunted()
        self.ledgers = Ledgers(told[RUN_ID], lambda: self.lanes.number)
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
                begin = not hasattr(config, "workerinput")
                settings = spied(settings, begin=begin, progress=progress_of(config))
            if given(config, "mutation-job"):
                settings = spied(settings, begin=False, progress=progress_of(config))
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
        self.faults.of(stack)
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
        if given(self.config, "mutation-job"):
            return os.getppid()  # the command itself uses the stack of the settings, too
        # xdist gives a worker's config this attribute, which pytest's type does not have.
        return self.config.workerinput["nomock_run"] if self.is_worker else None  # type: ignore[attr-defined]

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
            stack = self._ready_lane()
            self.ledgers.of(stack)
            yield stack
            return
        if files != self.settings.files:  # these are named to compose, which then finds none
            root = files[0].parent if files else self.settings.root
            settings = replace(settings, found=None, root=root, folder=root)
        say, process = self.progress.show, self._run_process
        with other_stack(settings, process, self.faults.of, say, self.command) as other:
            clean_up(other, self.progress.say)
            self.ledgers.of(other)
            try:
                yield other
            finally:
                self.faults.forget(other)

    def begin_for_workers(self, *, needs: bool) -> None:
        """In the controller of xdist: do what a process does that has collected for itself.

        ``needs``: whether a test needs the run's own stack.
        """
        self.header.show_once()
        if needs:
            self._prepare_or_exit()

    def begin_lanes(self, items: Iterable[pytest.Item]) -> str:
        """Begin with the lanes of the tests that were collected; return why there can be none."""
        try:
            items = list(items)
            kinds = [kind_of(i) for i in items if needs_stack_of_run(i)]
            self.resets.collected(items)
            self.lanes.is_reset = self.resets.is_wanted
            if given(self.config, "leaks"):
                refuse_leaks(items, self.workers)
            if self.is_worker and self.settings.target == "sandbox":
                refuse_lanes(kinds)
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

    def _prepare_or_exit(self) -> None:
        try:
            self.workers_lanes.check_room()
            self.preparing.now()
        except NomockError as error:
            self.progress.end()
            self.history.add_start(error)
            pytest.exit(f"the stack is not ready\n{error}", returncode=EXIT_NO_STACK)

    def _made_ready(self, stack: Stack) -> None:
        clean_up(stack, self.progress.show_lasting)
        self.hunted.begin(stack)

    def _begin(self, stack: Stack, say: Callable[[str], None]) -> None:
        _ = self.turnstile  # on a full disk the run ends by it once, and not each of its tests
        self.faults.of(stack).heal_orphaned(say)

    def make_lane_ready(self) -> None:
        """Make the lane of a test ready before others' hooks around it begin: a time limit, say.

        Where it does not become so, the test's fixture says why.
        """
        if self.is_prepared_by_controller:
            with suppress(NomockError):
                self.lanes.ready(self.lane_kind)

    def _ready_lane(self) -> Stack:
        """Return the stack of the test that runs, ready; else the run ends with this test."""
        try:
            stack = self.lanes.ready(self.lane_kind)
        except NomockError as why:
            name = self.lanes.lane(self.lane_kind).name
            self.lane_error = LaneError(name, self.lanes.number, why)
            raise pytest.fail.Exception(str(self.lane_error), pytrace=False) from None
        try:
            lane = self.lanes.lane(self.lane_kind)
            self.resets.ready(lane)
            if lane.is_own:
                self.hunted.begin(stack)
        except NomockError as why:
            raise pytest.fail.Exception(str(why), pytrace=False) from None
        return stack

    def _prepare_lane(self, lane: Lane) -> None:
        self.faults.of(lane.stack).heal_orphaned(lambda text: None)
        lane.prepare(who=f"{self.command}, worker {self.lanes.number}")
        clean_up_lane(lane)
        self.coverage.prove(lane.stack)
