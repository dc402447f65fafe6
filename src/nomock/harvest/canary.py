"""The canaries: whether the spy of every container reports what runs, before a test relies on it.

Each process that the spy is in runs a few lines of which it is known which run. A container that
delivers nothing, or a process that delivers something else, would show as 0 % or as nonsense.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from time import monotonic

from nomock.adapters.engine import Container, Engine
from nomock.errors import CanaryError
from nomock.harvest.folder import read_all
from nomock.harvest.records import Process
from nomock.harvest.silence import Cause, why_no_file

_TIMEOUT_S = 10.0
_PAUSE_S = 0.05


def check_canaries(
    data_dir: Path,
    services: Iterable[str],
    run: str,
    engine: Engine,
    containers: Iterable[Container],
    *,
    timeout_s: float = _TIMEOUT_S,
) -> None:
    """Return when the spies of all containers of the services have proved that they record.

    A container that runs may not have come to start its Python: ``timeout_s`` is how long it may
    take. Raises CanaryError, which names each service that does not deliver, and why.
    """
    ours = set(services)
    hosts = [
        (container, started.hostname)
        for container in containers
        if container.service in ours and container.state != "created"
        if (started := engine.started(container.id)) is not None
    ]
    deadline = monotonic() + timeout_s
    while True:
        processes = read_all(data_dir, run).processes
        failures = [f for c, host in hosts if (f := _failure(c, host, processes)) is not None]
        if not failures:
            return
        if monotonic() > deadline:
            # Of several containers of a service the last is said: they are alike.
            raise CanaryError({f.container.service: f.explained(engine, run) for f in failures})
        Event().wait(_PAUSE_S)


@dataclass(frozen=True)
class _Failure:
    """What is wrong with a container; ``process`` is None where none of it wrote anything."""

    container: Container
    process: Process | None

    def explained(self, engine: Engine, run: str) -> Cause:
        """Return what was seen, and what to do."""
        if self.process is None:
            seen, todo = why_no_file(engine, self.container, run)
        else:
            seen = f"its process {self.process.pid}: {self.process.canary_failure()}"
            if self.process.engine is None:
                todo = "give it a Python that the spy can record, or take it out of the overlay"
            else:
                todo = f"nomock logs {self.container.service} shows what the spy said"
        return f"container {self.container.id[:12]}: {seen}", todo


def _failure(container: Container, host: str, processes: Iterable[Process]) -> _Failure | None:
    """Return what is wrong with a container's processes; None when all proved themselves."""
    own = [p for p in processes if p.service == container.service and host in ("", p.host)]
    if not own:
        return _Failure(container, None)
    failing = (process for process in own if process.canary_failure())
    return next((_Failure(container, process) for process in failing), None)
