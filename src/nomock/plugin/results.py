"""Keeps how each test ended, by git tree, for ``nomock flaky``: in the controller alone.

Where there is no git nothing is kept: it would not be known whether the files were the same.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from threading import Thread
from time import time
from typing import Any

import pytest

from nomock.adapters.git import tree_of
from nomock.errors import NomockError
from nomock.hunting import conditions
from nomock.plugin.deeds import deeds_of
from nomock.plugin.history import outcome_of
from nomock.plugin.options import given
from nomock.plugin.run import Run
from nomock.plugin.workers import Workers
from nomock.quality.results import Ended, ResultsBook, RunFacts, RunTimes

_PATIENCE_S = 30.0
_RERUN = "rerun"
"""The outcome by which pytest-rerunfailures reports an attempt that is tried again."""
_CRASHED = "???"
"""The phase by which xdist reports the test of a worker that crashed."""


class Results:
    """The results of this run: kept from the moment on from which its git tree is known."""

    def __init__(self, run: Run, workers: Workers) -> None:
        self._run = run
        self._workers = workers
        self._trouble = ""
        """Why results are not kept, though there is git."""
        self._phases: defaultdict[str, list[pytest.TestReport]] = defaultdict(list)
        self._places: defaultdict[int, int] = defaultdict(int)
        self._waiting: list[Ended] = []
        self._book: ResultsBook | None = None
        self._number = 0
        self._tree = _Tree(run.settings.root)
        self._is_over = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep how a test ended, once its last phase has."""
        # Of an attempt that is tried again the teardown may never be reported.
        if report.when == "setup" and report.nodeid in self._phases:
            self._end(report.nodeid)
        self._phases[report.nodeid].append(report)
        if report.when in {"teardown", _CRASHED}:
            self._end(report.nodeid)

    def _end(self, test: str) -> None:
        self._waiting.append(self._ended(self._phases.pop(test)))
        if not self._tree.is_asked:
            self._write()

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Keep what is left, and how long the run took."""
        if self._waiting or self._book:
            self._tree.join()
            self._write()
        if self._book is not None:
            preparing = self._run.preparing
            is_warm = preparing.tried is None or not preparing.tried.touched
            took_s = time() - self._workers.began_s
            try:
                self._book.end_run(self._number, RunTimes(took_s, preparing.took_s, is_warm))
            except NomockError as error:
                self._trouble = str(error)
            self._book.close()
            self._book = None

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say why results are not kept."""
        if self._trouble:
            terminalreporter.write_line(f"nomock: {self._trouble}")

    def _ended(self, phases: list[pytest.TestReport]) -> Ended:
        last = phases[-1]
        worker = _number(getattr(last, "worker_id", ""))
        place = self._places[worker]
        self._places[worker] += 1
        outcomes = [outcome_of(phase)[0] for phase in phases]
        is_red = "failed" in outcomes or any(phase.outcome == _RERUN for phase in phases)
        outcome = "failed" if is_red else next((o for o in outcomes if o != "passed"), "passed")
        faults = sorted({str(span[0]) for phase in phases for span in deeds_of(phase)[1]})
        took_s = sum(phase.duration for phase in phases)
        load = os.getloadavg()[0]
        return Ended(last.nodeid, outcome, took_s, worker, place, load, ", ".join(faults))

    def _write(self) -> None:
        """Write what waits; where that fails nothing is kept from then on, and the run goes on."""
        waiting, self._waiting = self._waiting, []
        if self._is_over or not self._tree.name:
            return
        try:
            if self._book is None:
                self._book = ResultsBook.write(self._run.settings.state_dir)
                self._number = self._book.add_run(self._facts())
            for ended in waiting:
                self._book.add(self._number, ended)
        except NomockError as error:
            self._trouble, self._is_over = str(error), True

    def _facts(self) -> RunFacts:
        run, hunted = self._run, conditions()
        seed = given(run.config, "shuffle")
        if seed is None:  # pytest-randomly's
            seed = run.config.getoption("randomly_seed", None)
        return RunFacts(
            tree=self._tree.name,
            began_s=self._workers.began_s,
            command=run.command,
            seed=seed if isinstance(seed, int) else None,
            workers=self._workers.count,
            lanes=run.settings.lanes,
            target=run.settings.target,
            is_covered=given(run.config, "sidecar-coverage"),
            is_traced=given(run.config, "traces"),
            busy=hunted.busy,
            latency_ms=hunted.latency_ms,
        )


class _Tree:
    """The git tree, asked for while pytest collects."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.name = ""
        self._thread = Thread(target=self._ask, daemon=True)
        self._thread.start()

    @property
    def is_asked(self) -> bool:
        """Whether it is still being asked for."""
        return self._thread.is_alive()

    def join(self) -> None:
        self._thread.join(_PATIENCE_S)

    def _ask(self) -> None:
        self.name = tree_of(self._root)


def _number(worker: str) -> int:
    """Return the number of a worker of xdist, which calls the first one gw0; 0 without one."""
    number = worker.removeprefix("gw")
    return int(number) + 1 if number.isdecimal() else 0
