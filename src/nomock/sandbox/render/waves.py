"""Waves: in which order services are applied, by what they wait for in ``depends_on``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nomock.errors import NotPromotableError

_FIRST = 1  # before it comes what belongs to no service
_WAITS = {"service_healthy", "service_completed_successfully"}


def waves(services: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    """Return the wave of each service: behind all whose health or end it waits for.

    Who waits only until another one has been started is in the same wave at the earliest: there
    Kubernetes, like compose, does not wait. Raises NotPromotableError where they wait in a circle.
    """
    found: dict[str, int] = {}

    def wave_of(name: str, way: tuple[str, ...]) -> int:
        if name in way:
            circle = (*way[way.index(name) :], name)
            raise NotPromotableError(
                "services wait for each other in a circle",
                where="compose file",
                seen=" -> ".join(circle),
                todo="take one out of depends_on",
            )
        if name not in found:
            needed = (services[name].get("depends_on") or {}).items()
            found[name] = max(
                (
                    wave_of(other, (*way, name)) + (how.get("condition") in _WAITS)
                    for other, how in needed
                    if other in services
                ),
                default=_FIRST,
            )
        return found[name]

    return {name: wave_of(name, ()) for name in services}
