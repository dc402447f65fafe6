"""By which Toxiproxy each call goes.

A caller knows its target by a name and a port that may stand in its image, in a file, anywhere. So
none of its settings is touched: for the caller alone the target's name leads to a Toxiproxy (by
compose's ``links``), which listens on the target's own ports. Two calls that need the same port
need two Toxiproxies.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nomock.faults.overlay.calls import Call
from nomock.project import Project

_DEFAULT = "default"
_FIRST_HTTP_PORT = 18000


@dataclass(frozen=True)
class Way:
    """One port of a call, and where it goes."""

    edge: str
    port: int
    target: str
    http_port: int | None = None
    """The one of the HTTP fault proxy that it goes through; None: it does not."""


@dataclass(frozen=True)
class Untaken:
    """A call that cannot go through Toxiproxy."""

    call: Call
    why: str


@dataclass(frozen=True)
class Plan:
    """All calls that were asked for: those with a way, and those without."""

    ways: Mapping[str, list[Way]]
    """By the name of the service that is the Toxiproxy."""
    proxy_of: Mapping[str, str]
    """Edge -> that name."""
    taken: list[Call]
    untaken: list[Untaken]
    networks: Mapping[str, list[str]] = field(default_factory=dict)
    """The networks that each Toxiproxy, and the HTTP fault proxy as "", must be in."""


def plan(project: Project, wanted: Iterable[Call], *, there: Iterable[str]) -> Plan:
    """Find a way for each call; ``there``: edges that a Toxiproxy of the project has already."""
    ways: defaultdict[str, list[Way]] = defaultdict(list)
    proxy_of: dict[str, str] = {}
    networks: defaultdict[str, dict[str, None]] = defaultdict(dict)
    taken, untaken = [], []
    there = {*there}
    http_port = _FIRST_HTTP_PORT
    for call in sorted(wanted, key=lambda call: call.edge):
        if why := _why_not(project, call, there):
            untaken.append(Untaken(call, why))
            continue
        proxy = next(
            name
            for name in _free_names(project)
            if not {way.port for way in ways[name]} & {*call.ports}
        )
        taken.append(call)
        proxy_of[call.edge] = proxy
        nets = dict.fromkeys([*_networks(project, call.caller), *_networks(project, call.target)])
        networks[proxy] |= nets
        for port in call.ports:
            first = port == call.ports[0]
            through = http_port if first and call.is_http else None
            if through is not None:
                http_port += 1
                networks[""] |= nets
            edge = call.edge if first else f"{call.edge}:{port}"
            ways[proxy].append(Way(edge, port, call.target, through))
    return Plan(
        {name: found for name, found in ways.items() if found},
        proxy_of,
        taken,
        untaken,
        {name: [*nets] for name, nets in networks.items()},
    )


def _free_names(project: Project) -> Iterable[str]:
    number = 1
    while True:
        name = "toxiproxy" if number == 1 else f"toxiproxy-{number}"
        if name not in project.services:
            yield name
        number += 1


def _why_not(project: Project, call: Call, there: set[str]) -> str:
    """Return why a call cannot go through Toxiproxy, empty where it can."""
    if call.edge in there:
        return "it goes through a Toxiproxy of the project's own"
    for name in (call.caller, call.target):
        config = project.services[name].config
        if mode := config.get("network_mode"):
            return f"{name} has no network of its own (network_mode: {mode})"
    if _has_udp(project.services[call.target].config):
        return f"{call.target} has a port of UDP, and Toxiproxy knows only TCP"
    if not call.ports:
        return f"no port of {call.target} is known: name it in the compose file, as expose"
    if not {*_networks(project, call.caller)} & {*_networks(project, call.target)}:
        return "the two share no network"
    return ""


def _has_udp(config: Mapping[str, Any]) -> bool:
    published = [str(port.get("protocol")) for port in config.get("ports") or []]
    return "udp" in published or any(str(p).endswith("/udp") for p in config.get("expose") or [])


def _networks(project: Project, service: str) -> list[str]:
    return [*(project.services[service].config.get("networks") or {_DEFAULT: None})]
