"""A worker: it takes mutants piece by piece, and finds out of each whether a test notices it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nomock.baggage import set_current_mutants
from nomock.coverage.session import RUN_VARIABLE, data_dir
from nomock.errors import NomockError
from nomock.mutation.live.folder import MutantsFolder
from nomock.mutation.live.job import LANE_VARIABLE, Job
from nomock.mutation.live.results import Results
from nomock.plugin.items import USUAL_LANE
from nomock.plugin.mutation.services import Services
from nomock.plugin.mutation.singly import Singly
from nomock.plugin.mutation.together import Together
from nomock.plugin.mutation.trials import Trials
from nomock.plugin.mutation.warm import WarmTests
from nomock.plugin.run import Run
from nomock.stack import Stack


class Worker:
    """Does what a job says, in a session whose tests have been collected.

    The first one has the stack of the settings, each other one a lane with the same services.
    """

    def __init__(self, run: Run, path: Path) -> None:
        self._run = run
        self._path = path
        self._tests: WarmTests | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try mutants in place of running the tests."""
        if session.testsfailed:  # not collected: what is there then is not what was covered
            return False
        try:
            stack = self._stack()
        except NomockError as error:
            pytest.exit(f"the stack of this worker is not ready\n{error}", returncode=1)
        job = Job.read(self._path)
        # What a test undoes waits until it is done: with a mutant that might be long.
        tests = self._tests = WarmTests(session, lambda: set_current_mutants(()))
        folder = MutantsFolder(data_dir(self._run.settings), os.environ[RUN_VARIABLE])
        with Services(stack, Path(job.root), folder) as services:
            trials = Trials(job, tests, services, folder, Results(Path(job.results)))
            round_ = Together(trials) if job.round.is_last else Singly(trials)
            for piece in job.taken(self._path):
                round_.try_all(piece)
            tests.leave_all()
        return True

    def _stack(self) -> Stack:
        """Make the stack of this worker ready, and let its tests use that."""
        run, number = self._run, int(os.environ[LANE_VARIABLE])
        if number == 1:
            run.preparing.now()
            return run.main
        run.lanes.number = number
        run.config.stash[USUAL_LANE] = "stack"
        run.is_prepared_by_controller = True  # the first one's services are told another run
        return run.lanes.ready("stack")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> bool:
        """Run a test without a report."""
        assert self._tests is not None, "the session has begun"
        self._tests.phases(item)
        return True
