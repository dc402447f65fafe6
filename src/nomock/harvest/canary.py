"""The canaries: whether the spy of every container reports what runs, before a test relies on it.

Each process that the spy is in runs a few lines of which it is known which run. A container that
delivers nothing, or a process that delivers something else, would show as 0 % or as nonsense.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from threading import Event
from time import monotonic

from nomock.adapters.engine import Container, Engine
from nomock.errors import CanaryError
from nomock.harvest.folder import read_all
from nomock.harvest.records import Process
from nomock.harvest.silence import why_no_file

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
    hosts: dict[Container, str] = {}
    for container in containers:
        if container.service in ours and container.state != "created":
            started = engine.started(container.id)
            if started is not None:
                hosts[container] = started.hostname
    deadline = monotonic() + timeout_s
    while True:
        processes = read_all(data_dir, run).processes
        failures = {c: why for c, host in hosts.items() if (why := _failure(c, host, processes))}
        if not failures:
            return
        if monotonic() > deadline:
            raise CanaryError(_explained(failures, engine, run))
        Event().wait(_PAUSE_S)


_NO_FILE = "no file"


def _failure(container: Container, host: str, processes: Iterable[Process]) -> str:
    """Return what is wrong with a container's processes; empty when all proved themselves."""
    verdicts: dict[tuple[str, int], list[str]] = defaultdict(list)
    for process in processes:
        if process.service == container.service and (not host or process.host == host):
            # A daemon closes the file it has, and begins another one without a canary.
            verdicts[process.host, process.pid].append(process.canary_failure())
    if not verdicts:
        return _NO_FILE
    for (_, pid), found in sorted(verdicts.items()):
        if all(found):
            return f"its process {pid}: {found[0]}"
    return ""


def _explained(
    failures: Mapping[Container, str], engine: Engine, run: str
) -> dict[str, tuple[str, str]]:
    explained: dict[str, tuple[str, str]] = {}
    for container, failure in failures.items():
        if failure == _NO_FILE:
            seen, todo = why_no_file(engine, container, run)
        else:
            seen = failure
            todo = f"nomock logs {container.service} shows what the spy said; " + _CAUSES
        # Of several containers of a service the first is said: they are alike.
        explained.setdefault(container.service, (f"container {container.id[:12]}: {seen}", todo))
    return explained


_CAUSES = "the causes there are: docs/coverage.md"
