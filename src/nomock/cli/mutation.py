"""``nomock test-mutation``: put small defects into the services, and see whether tests notice."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from time import monotonic, time

from nomock.cli.mutants import show
from nomock.cli.show import progress
from nomock.config import Settings
from nomock.coverage.automatic import with_own_overlay
from nomock.coverage.session import RUN_VARIABLE
from nomock.errors import MutationError
from nomock.filelock import FileLock
from nomock.mutation import NOTICED
from nomock.mutation.aside import FILE, Aside, read_asides, stale_asides
from nomock.mutation.live.job import LANE_VARIABLE, ROUNDS, Job, Round, Task
from nomock.mutation.live.judged import judged, keep_last
from nomock.mutation.live.plan import Plan, Planned, plan
from nomock.mutation.live.results import Result, Results, results_file
from nomock.mutation.live.session import MutationSession
from nomock.mutation.report import record_of, write_reports
from nomock.paths import standing
from nomock.progress import Progress
from nomock.project import resolve
from nomock.quality.left import leave
from nomock.statefolder import make_state_dir

_LIMIT_S = 5.0
"""How long a mutant may keep a processor busy before it is taken to hang."""
_NO_END_S = 10.0**12
_LOOK_S = 0.5
_AGAIN_S = 30.0
"""How long a worker may undo what it does before it is told to end once more."""
_MOST_LINES = 20


def mutation(settings: Settings, chosen: argparse.Namespace) -> int:
    """Try the mutants of some files, or of all that the services run; say which survive."""
    make_state_dir(settings.state_dir)
    lock = FileLock(settings.state_dir / "mutation" / "lock")
    lock.acquire(exclusive=True, timeout_s=0.0)
    lock.sign("nomock test-mutation")
    known = Results(results_file(settings.state_dir))
    asides = read_asides(settings.root / FILE)
    interrupt: KeyboardInterrupt | None = None
    with progress() as line:
        line.show("reading the services' sources")
        settings = with_own_overlay(settings, line)
        found = plan(settings, resolve(settings), chosen.paths, chosen.since)
        try:
            _try_all(found, known, asides, settings, chosen, line)
        except KeyboardInterrupt as error:  # what is known is shown all the same
            interrupt = error
    lock.close()
    results = judged(found, known.all(), asides)
    keep_last(settings.state_dir, results)
    leave(settings.state_dir, record_of(results))
    show(results)
    for entry in stale_asides(asides, (one.mutant for one in found.planned), set(results.sources)):
        print(f"set aside, and there no more: {entry.id} {entry.path} {entry.original}")
    for file in found.stale:
        shown = file.relative_to(settings.root)
        print(f"left out: {shown}: it has changed since it was covered (--nomock-sidecar-coverage)")
    if so_far := len(_left(found, known.all(), asides, ROUNDS[-1])):
        print(f"{so_far} survivors have tests left to run: the same command goes on with them")
    if results.left:
        print(f"{len(results.left)} mutants are left: the same command goes on with them")
    print(f"report: {write_reports(results, settings.root / settings.coverage_report)}")
    if interrupt is not None:
        raise interrupt
    return 0


def _try_all(
    found: Plan,
    known: Results,
    asides: Sequence[Aside],
    settings: Settings,
    chosen: argparse.Namespace,
    line: Progress,
) -> None:
    """Try what is still to be tried, in rounds; start nothing where that is nothing."""
    rounds = (ROUNDS[0], ROUNDS[-1])  # a mutant of another one is of the last one, too
    count = sum(len(_left(found, known.all(), asides, each)) for each in rounds)
    if not count:
        return
    until = _NO_END_S if chosen.budget is None else time() + chosen.budget
    session = MutationSession(settings, count, chosen.workers)
    try:
        session.begin(found.modules, limit_s=_LIMIT_S, progress=line)
        for each in ROUNDS:
            left = _left(found, known.all(), asides, each)
            if left and time() < until:
                about = {"by_restart": chosen.restart, "is_last": each.is_last}
                tasks = found.tasks(left, session.owners, known.all(), **about)
                _do(_job(session, found, tasks, until, each), session, chosen, line)
    finally:
        session.end()


def _left(
    found: Plan, known: Mapping[str, Result], asides: Sequence[Aside], each: Round
) -> list[Planned]:
    """Return the mutants of a round: after the first one those that have survived so far."""
    done = {aside.id for aside in asides}
    left: list[Planned] = []
    for one in found.planned:
        result = known.get(one.mutant.id)
        is_known = result is not None and found.is_known(result, one)
        if result is None or not is_known:
            is_left = each is ROUNDS[0]
        else:
            has_time = found.spent_s(result) < each.each_s
            is_left = each is not ROUNDS[0] and has_time and bool(found.left(result, one))
        if is_left and one.mutant.id not in done:
            left.append(one)
    return left


def _job(
    session: MutationSession,
    found: Plan,
    pieces: Sequence[tuple[Task, ...]],
    until: float,
    each: Round,
) -> Job:
    """Return what workers need to know to try some mutants."""
    settings = session.settings
    tests = {test for piece in pieces for task in piece for test in (*task.tests, *task.others)}
    return Job(
        pieces=tuple(pieces),
        limit_s=_LIMIT_S,
        round=each,
        until_s=until,
        root=str(settings.root),
        results=str(results_file(settings.state_dir)),
        parent=os.getpid(),
        seconds={test: found.choice.seconds(test) for test in tests},
        tests=found.tests_digest,
        test_files=found.test_files,
    )


def _do(job: Job, session: MutationSession, chosen: argparse.Namespace, line: Progress) -> None:
    """Let workers do a job."""
    settings = session.settings
    folder = settings.state_dir / "mutation"
    job.write(folder / "job")
    workers = _Workers(settings, folder, session.runs, chosen.rest)
    try:
        workers.wait(job, line)
    finally:
        workers.end()


class _Workers:
    """The pytest processes that do the work."""

    def __init__(
        self, settings: Settings, folder: Path, runs: Sequence[str], rest: Sequence[str]
    ) -> None:
        # In this process alone, and each test as often as it is told: whatever the options say.
        command = [sys.executable, "-m", "pytest", f"--nomock-mutation-job={folder / 'job'}"]
        command += ["-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:rerunfailures"]
        if find_spec("xdist"):
            command += ["-n0"]
        environ = dict(os.environ)
        environ["NOMOCK_COVERAGE_OVERLAY"] = settings.coverage_overlay
        environ["NOMOCK_EVIDENCE"] = "off"
        self._logs = [folder / f"worker-{number}.log" for number in range(1, len(runs) + 1)]
        self._all = []
        for number, (run, log) in enumerate(zip(runs, self._logs, strict=True), 1):
            environ |= {RUN_VARIABLE: run, LANE_VARIABLE: str(number)}
            with log.open("wb") as file:
                self._all.append(
                    subprocess.Popen(
                        [*command, *rest],
                        cwd=standing(),
                        env=environ,
                        stdin=subprocess.DEVNULL,
                        stdout=file,
                        stderr=subprocess.STDOUT,
                    )
                )

    def wait(self, job: Job, line: Progress) -> None:
        """Return when all are done; raise MutationError where one could not do its work."""
        results = Results(Path(job.results))
        shown = ""
        while any(worker.poll() is None for worker in self._all):
            Event().wait(_LOOK_S)
            if (now := _how_far(job, results.all())) != shown:
                line.show(now)
                shown = now
        for worker, log in zip(self._all, self._logs, strict=True):
            if worker.returncode != 0:
                said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
                raise MutationError(
                    f"a worker ended with {worker.returncode}",
                    where=str(log),
                    seen="\n".join(said[-_MOST_LINES:]),
                    todo="what is known stays: mend that, and run again",
                )

    def end(self) -> None:
        """End those that are still at work."""
        while at_work := [worker for worker in self._all if worker.poll() is None]:
            for worker in at_work:
                worker.send_signal(signal.SIGINT)
            # Again, then: one that comes in a destructor is only printed by Python.
            until = monotonic() + _AGAIN_S
            while monotonic() < until and any(worker.poll() is None for worker in at_work):
                Event().wait(_LOOK_S)


def _how_far(job: Job, known: Mapping[str, Result]) -> str:
    """Return how much of a job is done, in words."""
    tasks = [task for piece in job.pieces for task in piece]
    done = [(task, known[task.mutant]) for task in tasks if task.mutant in known]
    if job.round is ROUNDS[0]:
        return f"trying mutants: {len(done)} of {len(tasks)}"
    survive = [(task, result) for task, result in done if result.status not in NOTICED]
    had = sum(len(result.ran) + len(result.unable) - len(task.ran) for task, result in survive)
    have = sum(len(task.tests) + len(task.others) for task, _ in survive)
    if not job.round.is_last:
        return f"running the likeliest tests with {len(survive)} survivors: {had} so far"
    return f"running all tests with {len(survive)} survivors: {have - had} are left, summed up"
