"""Races at the start: services that do not wait for what they need."""

from __future__ import annotations

from collections.abc import Iterator

from nomock.doctor.seen import Seen
from nomock.doctor.trouble import Trouble


def look(seen: Seen) -> Iterator[Trouble]:
    """Yield each dependency that is only waited for until its container has been started."""
    for name in seen.project.wanted:
        service = seen.project.services[name]
        for other, how in (service.config.get("depends_on") or {}).items():
            if how.get("condition") != "service_started" or other not in seen.project.services:
                continue
            target = seen.project.services[other]
            if other in seen.project.one_shots or not target.has_healthcheck:
                continue
            yield Trouble(
                seen.place(service, "depends_on"),
                f"{name} starts as soon as the container of {other} does, ready or not",
                f"{name} may fail at its start, on a busy machine more often",
                f"depends_on: {{{other}: {{condition: service_healthy}}}}",
                is_certain=False,
            )
