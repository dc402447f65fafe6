"""Races at the start: services that do not wait for what they need."""

from __future__ import annotations

from collections.abc import Iterator

from nomock.doctor.seen import Seen
from nomock.doctor.trouble import Trouble
from nomock.project import ServiceConfig


def look(seen: Seen) -> Iterator[Trouble]:
    """Yield each dependency that is only waited for until its container has been started."""
    for name in seen.wanted:
        service = seen.project.services[name]
        for other, how in (service.config.get("depends_on") or {}).items():
            if how.get("condition") != "service_started" or other not in seen.project.services:
                continue
            target = seen.project.services[other]
            if other in seen.project.one_shots or other not in seen.wanted:
                continue
            what = f"{name} starts as soon as the container of {other} does, ready or not"
            cure = f"depends_on: {{{other}: {{condition: service_healthy}}}}"
            if not _has_health(seen, target):
                if not _is_server(seen, target):
                    continue
                what += f", and {other} has no health check to wait for"
                cure = f"give {other} a healthcheck, and {name} {cure}"
            yield Trouble(
                seen.place(service, "depends_on"),
                what,
                f"{name} may fail at its start, on a busy machine more often",
                cure,
                is_certain=False,
            )


def _has_health(seen: Seen, service: ServiceConfig) -> bool:
    """Tell whether something asks a service how it is: the compose file, or else its image."""
    if "healthcheck" in service.config:
        return service.has_healthcheck
    image = seen.images[service.name]
    return image is not None and (image.healthcheck.get("Test") or ["NONE"])[0] != "NONE"


def _is_server(seen: Seen, service: ServiceConfig) -> bool:
    image = seen.images[service.name]
    named = bool(image and image.exposed)
    return bool(service.published_ports or service.exposed_ports or named)
