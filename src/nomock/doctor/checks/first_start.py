"""Databases that are called healthy while they still make their data, which others wait for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from nomock.doctor.seen import Seen
from nomock.doctor.trouble import Trouble
from nomock.project import Project

# What asks by the socket, unless a host is named that is not `localhost`. On the first start the
# official images make the data by a server that listens on nothing else, and stop it then.
_ASKS = {
    "pg_isready": r"pg_isready(?!.*(\s-h|--host))",
    "mysqladmin": r"(mysqladmin|mariadb-admin)(?!.*(\s-h|--host)[ =]?(?!localhost)\S)",
}
_CURES = {
    "pg_isready": "let it ask as others do: pg_isready -h 127.0.0.1",
    "mysqladmin": "let it ask as others do: mysqladmin ping -h 127.0.0.1 --protocol tcp",
}


def look(seen: Seen) -> Iterator[Trouble]:
    """Yield each health check by a socket of a database whose health another service waits for."""
    for name in seen.wanted:
        service = seen.project.services[name]
        waiting = _waiting_for(seen.project, name)
        if not service.has_healthcheck or not waiting:
            continue
        test = " ".join(str(word) for word in service.config["healthcheck"]["test"])
        for program, asks in _ASKS.items():
            if re.search(asks, test):
                yield Trouble(
                    seen.place(service, "healthcheck"),
                    f"the health check of {name} passes while it still makes its data",
                    f"{', '.join(waiting)} may start too early, on its first start only, and finds "
                    "nobody there",
                    _CURES[program],
                    is_certain=False,
                )


def _waiting_for(project: Project, name: str) -> list[str]:
    """Return the services that wait until a service is healthy."""
    return [
        other.name
        for other in project.services.values()
        if (other.config.get("depends_on") or {}).get(name, {}).get("condition")
        == "service_healthy"
    ]
