"""A container as the engine's list of containers has it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from nomock.adapters.engine.labels import PROJECT_LABEL, number_of
from nomock.target import ANY_IPV4, Binding, Container, Locator, Network, Ports

# As the engine words it: https://github.com/docker/go-units/blob/master/duration.go
_STATUS = re.compile(r"(?:Up|\w+ \(-?\d+\)) (?:(\d+)|(Less than a|About an?)) ([a-z]+?)s?\b")
# Hours are rounded, and what is counted in longer units is counted in these.
_UNITS_S = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_UNITS_S |= {"month": 30 * 86400, "year": 365 * 86400}
_HALF_HOUR_S = 1800


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


def _ports(found: Mapping[str, Any]) -> Ports:
    ports = found.get("Ports") or ()
    networks = (found.get("NetworkSettings") or {}).get("Networks") or {}
    return Ports(
        bindings=[_binding(p) for p in ports if p.get("PublicPort")],
        exposed=[p["PrivatePort"] for p in ports if p.get("Type", "tcp") == "tcp"],
        networks=[_network(n) for n in networks.values()],
        is_on_host=(found.get("HostConfig") or {}).get("NetworkMode") == "host",
    )


def _binding(found: Mapping[str, Any]) -> Binding:
    """Read an entry of the engine's list; Podman leaves the address out where it is any."""
    address, protocol = found.get("IP") or ANY_IPV4, found.get("Type", "tcp")
    return Binding(found["PrivatePort"], protocol, address, found["PublicPort"])


def _network(found: Mapping[str, Any]) -> Network:
    addresses = (found.get(key) for key in ("IPAddress", "GlobalIPv6Address"))
    return Network(found.get("NetworkID") or "", tuple(a for a in addresses if a))


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
