"""The canaries: whether the spy of every container reports what runs, before a test relies on it.

Each process that the spy is in runs a few lines of which it is known which run. A container that
delivers nothing, or a process that delivers something else, would show as 0 % or as nonsense.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from posixpath import basename
from threading import Event
from time import monotonic, time

from nomock.coverage.harvest.folder import read_all
from nomock.coverage.harvest.records import Process
from nomock.coverage.harvest.silence import Cause, why_no_file
from nomock.coverage.harvest.unspied import HAND_ON, unspied
from nomock.errors import CanaryError
from nomock.target import Container, Target

_TIMEOUT_S = 10.0
_PAUSE_S = 0.05
_LOOK_PAUSE_S = 1.0
# Between the header of its records and its canary there are a few lines of Python.
_STARTS_WITHIN_S = 2.0
_AT_ONCE = 8


def check_canaries(
    data_dir: Path,
    services: Iterable[str],
    run: str,
    target: Target,
    containers: Iterable[Container],
    *,
    timeout_s: float = _TIMEOUT_S,
    told: str | None = None,
) -> list[Process]:
    """Return the processes when the spies of all containers have proved that they record.

    A container that runs may not have come to start its Python: ``timeout_s`` is how long it may
    take. ``told`` is the run that they were told, where it is another one. Raises CanaryError,
    which names each service that does not deliver, and why.
    """
    ours = set(services)
    hosts = [
        (container, started.hostname)
        for container in containers
        if container.service in ours and container.state != "created"
        if (started := target.container_config(container.id)) is not None
    ]
    deadline = monotonic() + timeout_s
    while True:
        processes = read_all(data_dir, run).processes
        own = [_Own(container, _own(container, host, processes)) for container, host in hosts]
        failures = [failure for each in own if (failure := each.failure()) is not None]
        pause_s, is_sure, is_late = _PAUSE_S, True, monotonic() > deadline
        if not failures or is_late:
            proved = [each for each in own if each.failure() is None]
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                looks = list(pool.map(lambda each: each.look(target), proved))
            failures += [failure for failure, _ in looks if failure is not None]
            pause_s, is_sure = _LOOK_PAUSE_S, not any(young for _, young in looks)
        if not failures and (is_sure or is_late):
            return processes
        if is_late:
            # Of several containers of a service the last is said: they are alike.
            by = run if told is None else told
            raise CanaryError({f.container.service: f.explained(target, by) for f in failures})
        Event().wait(pause_s)


@dataclass(frozen=True)
class _Failure:
    """What is wrong with a container; without a cause, none of it wrote anything."""

    container: Container
    cause: Cause | None

    def explained(self, target: Target, run: str) -> Cause:
        """Return what was seen, and what to do."""
        seen, todo = self.cause or why_no_file(target, self.container, run)
        return f"container {self.container.id[:12]}: {seen}", todo


@dataclass(frozen=True)
class _Own:
    """A container, and its processes that have a spy."""

    container: Container
    processes: Sequence[Process]

    def failure(self) -> _Failure | None:
        """Return what is wrong by their records; None when all proved themselves."""
        if not self.processes:
            return _Failure(self.container, None)
        one_proved = not all(process.canary_failure() for process in self.processes)
        for process in self.processes:
            # Killed as it started, as a healthcheck's Python may be: it ran nothing, and if it did
            # all the same the report of the run names it.
            # Nor is one of the future young: the clock was set back.
            is_old = not 0 <= time() - process.started <= _STARTS_WITHIN_S
            if process.wrote_nothing and one_proved and is_old:
                continue
            if failure := process.canary_failure():
                seen = f"its process {process.pid}: {failure}"
                if process.gave_up:
                    todo = "let its user write there; see whether the disk is full"
                elif process.core is None:
                    todo = "give it a Python that the spy can record, or take it out of the overlay"
                else:
                    todo = f"nomock logs {self.container.service} shows what the spy said"
                return _Failure(self.container, (seen, todo))
            if process.became and not any(map(process.is_followed_by, self.processes)):
                seen = f"its process {process.pid} became {process.became!r}, which has no spy"
                return _Failure(self.container, (seen, HAND_ON))
        return None

    def look(self, target: Target) -> tuple[_Failure | None, bool]:
        """Return what is wrong by its processes, and whether one is too young to tell."""
        if self.container.state != "running":
            return None, False
        # Not a server that has a Python in it: it would start once more.
        pythons = {p.executable for p in self.processes if "python" in basename(p.executable)}
        pids = {process.pid for process in self.processes}
        found, young = unspied(target, self.container, pids, sorted(pythons))
        return _Failure(self.container, (str(found[0]), HAND_ON)) if found else None, young


def _own(container: Container, host: str, processes: Iterable[Process]) -> list[Process]:
    return [p for p in processes if p.service == container.service and host in ("", p.host)]
