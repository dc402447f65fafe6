"""The log lines of every service in a test's time window."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import merge

from nomock.adapters.engine import Container, Engine, names_of

# The engine reads a log from its end: fast however long the stack has been running.
_MOST_READ = 10_000


def window_logs(
    engine: Engine, containers: Sequence[Container], *, since_s: float, cap: int
) -> str:
    """Return what all services logged since a moment, in order of time.

    Each line stands behind its service, or ``web-2`` where that has several containers.
    ``since_s`` is the engine's own time, in seconds since the epoch. At most ``cap`` lines, the
    newest; the first line says how many were cut, at least, where a service logged more than 10000.
    """
    names, logs = names_of(containers), []
    for container in containers:
        text = engine.logs(container.id, since_s=since_s, tail=_MOST_READ)
        logs.append([_stamped(line, names[container.id]) for line in text.splitlines()])
    lines = list(merge(*logs))
    kept = lines[-cap:] if cap else []
    width = max((len(service) for _, service, _ in kept), default=0)
    cut = [f"({len(lines) - len(kept)} older lines cut: log_lines)"] if len(lines) > cap else []
    return "\n".join(cut + [f"{service:<{width}} | {line}" for _, service, line in kept])


def _stamped(line: str, service: str) -> tuple[str, str, str]:
    stamp, _, rest = line.partition(" ")
    return stamp, service, rest
