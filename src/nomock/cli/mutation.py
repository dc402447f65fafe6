"""``nomock test-mutation``: put small defects into the services, and see whether tests notice."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from time import time

from nomock.cli.mutants import show
from nomock.cli.show import progress
from nomock.config import Settings
from nomock.coverage.automatic import with_own_overlay
from nomock.errors import MutationError, NomockError
from nomock.filelock import FileLock
from nomock.mutation.aside import FILE, Aside, read_asides, stale_asides
from nomock.mutation.live.job import RESET, Job
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
_FIRST_ROUND_S = 3.0
"""How long tests may take with one mutant before all others had their turn."""
_LOOK_S = 0.5
_MOST_LINES = 20


def mutation(settings: Settings, chosen: argparse.Namespace) -> int:
    """Try the mutants of some files, or of all that the services run; say which survive."""
    make_state_dir(settings.state_dir)
    lock = FileLock(settings.state_dir / "mutation" / "lock")
    lock.acquire(exclusive=True, timeout_s=0.0)
    lock.sign("nomock test-mutation")
    known = Results(results_file(settings.state_dir))
    asides = read_asides(settings.root / FILE)
    with progress() as line:
        line.show("reading the services' sources")
        settings = with_own_overlay(settings, line)
        found = plan(settings, resolve(settings), chosen.paths, chosen.since)
        if _left(found, known.all(), asides):
            until = _NO_END_S if chosen.budget is None else time() + chosen.budget
            session = MutationSession(settings)
            try:
                session.begin(found.modules, limit_s=_LIMIT_S, progress=line)
                # One that survives takes all its tests, and so the time of many that do not.
                for each_s in (_FIRST_ROUND_S, _NO_END_S):
                    left = _left(found, known.all(), asides, is_first=each_s == _FIRST_ROUND_S)
                    if left and time() < until:
                        _try(session, found, left, known, (each_s, until), chosen, line)
            finally:
                session.end()
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
    ids = {one.mutant.id for one in found.planned}
    if so_far := sum(1 for one in known.all().values() if one.waiting and one.mutant in ids):
        print(f"{so_far} survivors have tests left to run: the same command goes on with them")
    if results.left:
        print(f"{len(results.left)} mutants are left: the same command goes on with them")
    print(f"report: {write_reports(results, settings.root / settings.coverage_report)}")
    return 0


def _left(
    found: Plan, known: dict[str, Result], asides: Sequence[Aside], *, is_first: bool = False
) -> list[Planned]:
    """Return the mutants that are still to be tried; of the first round those that never were."""
    done = {aside.id for aside in asides}
    for one in found.planned:
        result = known.get(one.mutant.id)
        if result is None:
            continue
        had_its_turn = is_first and result.waiting > 0 and found.is_of_now(result, one)
        if had_its_turn or found.still_known(result, one):
            done.add(one.mutant.id)
    return [one for one in found.planned if one.mutant.id not in done]


def _try(
    session: MutationSession,
    found: Plan,
    left: Sequence[Planned],
    known: Results,
    limits: tuple[float, float],
    chosen: argparse.Namespace,
    line: Progress,
) -> None:
    each_s, until = limits
    settings = session.settings
    folder = settings.state_dir / "mutation"
    tasks = found.tasks(left, session.owners, known.all(), by_restart=chosen.restart)
    tests = {test for piece in tasks for task in piece for test in (*task.tests, *task.others)}
    job = Job(
        run=session.run,
        pieces=tuple(tasks),
        limit_s=_LIMIT_S,
        each_s=each_s,
        has_faults=each_s == _NO_END_S,
        until_s=until,
        results=str(results_file(settings.state_dir)),
        parent=os.getpid(),
        seconds={test: found.choice.seconds(test) for test in tests},
        tests=found.tests_digest,
        test_files=found.test_files,
    )
    job.write(folder / "job")
    workers = _Workers(settings, folder, chosen.workers, chosen.rest)
    try:
        workers.wait(job, line, session.reset_data)
    finally:
        workers.end()


class _Workers:
    """The pytest processes that do the work."""

    def __init__(self, settings: Settings, folder: Path, count: int, rest: Sequence[str]) -> None:
        # In this process alone, and each test as often as it is told: whatever the options say.
        command = [sys.executable, "-m", "pytest", f"--nomock-mutation-job={folder / 'job'}"]
        command += ["-p", "no:randomly", "-p", "no:cacheprovider", "-p", "no:rerunfailures"]
        if find_spec("xdist"):
            command += ["-n0"]
        environ = dict(os.environ)
        environ["NOMOCK_COVERAGE_OVERLAY"] = settings.coverage_overlay
        environ["NOMOCK_EVIDENCE"] = "off"
        self._reset = folder / f"job{RESET}"
        self._logs = [folder / f"worker-{number}.log" for number in range(count)]
        self._all = []
        for log in self._logs:
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

    def wait(self, job: Job, line: Progress, reset_data: Callable[[], None]) -> None:
        """Return when all are done; raise MutationError where one could not do its work."""
        ids = {task.mutant for piece in job.pieces for task in piece}
        results = Results(Path(job.results))
        shown = -1
        while any(worker.poll() is None for worker in self._all):
            Event().wait(_LOOK_S)
            if self._reset.exists():
                with suppress(NomockError):  # then their tests stay red, and say so
                    reset_data()
                self._reset.unlink()
            done = sum(1 for one in results.all().values() if one.mutant in ids)
            if done != shown:
                line.show(f"trying mutants: {done} of {len(ids)}")
                shown = done
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
        for worker in self._all:
            if worker.poll() is None:
                worker.send_signal(signal.SIGINT)
        for worker in self._all:
            worker.wait()
