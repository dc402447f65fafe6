"""A container of a service, as a list of all of them has it."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from nomock.target.addresses import Address, Locator, Ports

_YOUNG_S = 10
# The engine counts by its own clock.
_ROUNDED_S = 1


@dataclass(frozen=True)
class Container:
    """What one request for a stack's containers says of each of them."""

    id: str
    service: str
    number: int
    """Which replica of its service it is, from 1."""
    image: str
    image_id: str
    state: str
    """created, running, paused, restarting, removing, exited or dead."""
    health: str | None
    """compose's healthcheck verdict: starting, healthy, unhealthy; None without one."""
    created_s: int
    """Seconds since the epoch."""
    config_files: str
    """The compose files, joined by commas, which may also stand in their names."""
    ports: Ports
    locator: Locator = field(compare=False, repr=False)
    steady_s: int | None = None
    """For how long it has run, or has ended, at the least; None where the engine does not say."""

    @property
    def is_young(self) -> bool:
        """Whether it was started less than ten seconds ago."""
        runs = self.state in {"running", "paused"}
        return runs and self.steady_s is not None and self.steady_s < _YOUNG_S

    def may_have_changed(self, within_s: float) -> bool:
        """Tell whether it may have ended or been started as long ago as that, or since."""
        if self.state == "created":
            return False
        return self.steady_s is None or self.steady_s <= within_s + _ROUNDED_S

    def published(self, port: int, protocol: str = "tcp") -> Address:
        """Return where this process reaches a port that is published.

        Raises UnpublishedError where it is not, UnreachableError where it cannot be reached.
        """
        return self.locator.published(self.service, self.ports, port, protocol)

    def reached(self, port: int, protocol: str = "tcp") -> Address:
        """Return where a port is published, else the container's own address if that is reached."""
        return self.locator.reached(self.service, self.ports, port, protocol)

    def shown_ports(self) -> list[str]:
        """Return each published port with where it is reached: ``8000->127.0.0.1:32768``."""
        return self.locator.shown(self.service, self.ports)

    def is_of(self, files: Iterable[Path]) -> bool:
        """Tell whether one of some compose files is among those that it was made of."""
        theirs = f",{self.config_files},"
        ours = [*map(str, files)]
        if any(f",{path}," in theirs for path in ours):
            return True
        # By another name of the folder: compose takes the one by which it was called.
        real = {os.path.realpath(path) for path in ours}
        return any(os.path.realpath(p) in real for p in re.split(r",(?=/|\w:)", self.config_files))


def names_of(containers: Iterable[Container]) -> dict[str, str]:
    """Return id -> how a container is called: its service, and where that has several its number.

    >>> names_of([])
    {}
    """
    containers = list(containers)
    count = Counter(container.service for container in containers)
    return {
        c.id: f"{c.service}-{c.number}" if count[c.service] > 1 else c.service for c in containers
    }
