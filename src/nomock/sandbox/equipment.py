"""The equipment of tests: what must never be in a stack that is promoted to anyone else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nomock.errors import NotPromotableError
from nomock.project.intention import exposed_ports, tcp_ports

_SPY = "NOMOCK_SPY_"
_TRACER = "NOMOCK_TRACER"
# The control ports of Toxiproxy and of the proxy of HTTP faults.
_CONTROL = {8474: "Toxiproxy", 8475: "the proxy of HTTP faults"}


def refuse_equipment(config: Mapping[str, Any]) -> None:
    """Raise NotPromotableError where a resolved configuration has the spy or a proxy of faults.

    Or a tracer that is mounted into services. It is asked for targets that are marked
    ``promote = "release"``.
    """
    if found := list(equipment(config)):
        raise NotPromotableError(
            "equipment of tests is not promoted to a release",
            where="compose files",
            seen="\n".join(found),
            todo="promote the compose files without the overlays of tests and without the services "
            "that break the network",
        )


def equipment(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield what of a configuration is equipment: the service, and what it has."""
    for name, service in (config.get("services") or {}).items():
        if any(variable.startswith(_SPY) for variable in service.get("environment") or {}):
            yield f"{name}: the coverage spy"
        if any(variable.startswith(_TRACER) for variable in service.get("environment") or {}):
            yield f"{name}: the tracer for services that know nothing of traces"
        ports = {*tcp_ports(service), *exposed_ports(service)} & _CONTROL.keys()
        for port in sorted(ports):
            yield f"{name}: {_CONTROL[port]}, by its port {port}"
        if not ports and "toxiproxy" in str(service.get("image") or ""):
            yield f"{name}: Toxiproxy, by its image"
