"""A container as the engine's list of containers has it."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nomock.adapters.engine.addresses import Address, Binding, Network, Ports
from nomock.adapters.engine.labels import PROJECT_LABEL, number_of
from nomock.adapters.engine.locator import Locator

# As the engine words it: https://github.com/docker/go-units/blob/master/duration.go
_STATUS = re.compile(r"(?:Up|\w+ \(-?\d+\)) (?:(\d+)|(Less than a|About an?)) ([a-z]+?)s?\b")
# Hours are rounded, and what is counted in longer units is counted in these.
_UNITS_S = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_UNITS_S |= {"month": 30 * 86400, "year": 365 * 86400}
_HALF_HOUR_S = 1800
_YOUNG_S = 10
# The engine counts by its own clock.
_ROUNDED_S = 1


@dataclass(frozen=True)
class Container:
    """What one request for a project's containers says of each of them."""

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


def container_of(found: Mapping[str, Any], locator: Locator) -> Container:
    """Read one entry of the list of containers; other engines leave out what is empty."""
    labels = found.get("Labels") or {}
    return Container(
        id=found["Id"],
        service=labels.get("com.docker.compose.service", ""),
        number=number_of(labels),
        image=found.get("Image") or "",
        image_id=found.get("ImageID") or "",
        state=found["State"].lower(),
        health=_health(found.get("Status") or ""),
        created_s=int(found.get("Created") or 0),
        steady_s=_steady_s(found.get("Status") or ""),
        config_files=labels.get(f"{PROJECT_LABEL}.config_files", ""),
        ports=_ports(found),
        locator=locator,
    )


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


def _ports(found: Mapping[str, Any]) -> Ports:
    ports = found.get("Ports") or ()
    networks = (found.get("NetworkSettings") or {}).get("Networks") or {}
    return Ports(
        bindings=[Binding.of(p) for p in ports if p.get("PublicPort")],
        exposed=[p["PrivatePort"] for p in ports if p.get("Type", "tcp") == "tcp"],
        networks=[Network.of(n) for n in networks.values()],
        is_on_host=(found.get("HostConfig") or {}).get("NetworkMode") == "host",
    )


def _steady_s(status: str) -> int | None:
    """Read the least time that the words of a status can mean.

    >>> [_steady_s(said) for said in ("Up 4 seconds (healthy)", "Exited (0) 2 hours ago")]
    [4, 5400]
    >>> [_steady_s(said) for said in ("Up Less than a second", "Up About an hour", "Created")]
    [0, 3600, None]
    """
    found = _STATUS.match(status)
    if found is None or found[3] not in _UNITS_S:
        return None
    number, word, unit = found.groups()
    if word:
        return 0 if word.startswith("Less") else _UNITS_S[unit]
    rounded = _HALF_HOUR_S if _UNITS_S[unit] >= _UNITS_S["hour"] else 0
    return int(number) * _UNITS_S[unit] - rounded


def _health(status: str) -> str | None:
    """Read health from the status text, where this API version has it: "Up 2 s (healthy)"."""
    for verdict, marks in {
        "healthy": "(healthy)",
        "unhealthy": "(unhealthy)",
        "starting": "(health: starting)",
    }.items():
        if marks in status:
            return verdict
    return None
