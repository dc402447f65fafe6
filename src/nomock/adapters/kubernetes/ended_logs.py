"""What pods logged that are gone: a cluster forgets it with the pod, an engine with the container.

A service that is stopped and started again has the same container on an engine, so its log goes on
from life to life. Here it is read to its end by whoever ends the pods, and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from threading import Thread

from nomock.adapters.kubernetes.reading import seconds
from nomock.errors import ClusterError

_MOST_LINES = 50_000
_ENDS_WITHIN_S = 10.0


@dataclass(frozen=True)
class EndedLogs:
    """The logs of the pods that this process has ended, by their services."""

    follow: Callable[[str], Iterator[str]]
    """Yields all lines of a container, each behind its time stamp, until it ends."""
    _kept: dict[str, list[str]] = field(default_factory=dict)

    @contextmanager
    def kept(self, service: str, ids: Iterable[str]) -> Iterator[None]:
        """Keep what some containers log until they have ended, which they are to in the block."""
        ids = [*ids]
        lines: list[list[str]] = [[] for _ in ids]
        threads = [
            Thread(target=self._read, args=(id_, own), name="nomock-logs", daemon=True)
            for id_, own in zip(ids, lines, strict=True)
        ]
        for thread in threads:
            thread.start()
        yield
        for thread in threads:
            thread.join(_ENDS_WITHIN_S)
        found = [*self._kept.get(service, ()), *(line for own in lines for line in own)]
        self._kept[service] = found[-_MOST_LINES:]

    @property
    def services(self) -> list[str]:
        """The services of which anything is kept."""
        return [*self._kept]

    def of(self, service: str, since_s: float | None) -> list[str]:
        """Return what is kept of a service, from some time on."""
        kept = self._kept.get(service, ())
        if since_s is None:
            return [*kept]
        return [line for line in kept if (seconds(line.partition(" ")[0]) or 0.0) >= since_s]

    def _read(self, id_: str, into: list[str]) -> None:
        with suppress(ClusterError):  # it was gone before it was heard to its end
            into.extend(islice(self.follow(id_), _MOST_LINES))
