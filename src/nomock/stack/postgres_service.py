"""Which service of a stack is its PostgreSQL."""

from __future__ import annotations

import re
from collections.abc import Iterable

from nomock.errors import ConfigError
from nomock.project import Project, ServiceConfig
from nomock.stack.credentials import VARIABLES, port_of

# The last part of an image's name, without what stands beside a server.
_IMAGE = re.compile(r"(^|[-_.])(postgres(ql)?|postgis|pgvector|timescaledb|citus)([-_.]|$|\d)")
_BESIDE = re.compile(r"exporter|backup|bouncer|pgpool|pooler|operator|admin|client|dump")
_DATA = re.compile(r"/var/lib/(postgresql|pgsql)(/|$)|/bitnami/postgresql(/|$)")


def postgres_service(project: Project, setting: str | None) -> str:
    """Return the name of the PostgreSQL service: the setting's, or the only one that looks so.

    Raises ConfigError where there is none, or more than one.
    """
    if setting is not None:
        return project.service(setting).name
    candidates = postgres_candidates(project)
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        what, todo = "which service is the PostgreSQL database?", "name it"
    else:
        what, todo = "no service looks like a PostgreSQL database", "where there is one, name it"
    raise ConfigError(
        what,
        where=f"stack {project.name}",
        seen=f"{'candidates' if candidates else 'its services'}: "
        f"{', '.join(candidates or project.services)}",
        todo=f'{todo}: postgres = "…" in [tool.nomock]',
    )


def postgres_candidates(project: Project) -> list[str]:
    """Return the services that may be the stack's PostgreSQL; where it is one alone, it is that."""
    candidates: list[str] = []
    services = project.services.values()
    for found in (
        [s for s in services if _is_server(s)],
        # Its clients may be told the same, by one file of variables.
        [s for s in services if s.environment.keys() & VARIABLES and not s.published_ports],
    ):
        published = [s.name for s in found if s.publishes(postgres_port(s))]
        if len(published) == 1:
            return published
        if len(found) == 1 and not published:
            return [found[0].name]
        candidates = candidates or [s.name for s in found]
    return candidates


def _is_server(service: ServiceConfig) -> bool:
    """Tell whether a service is a PostgreSQL by its image, its data or its healthcheck."""
    # The image's own name: a registry's address before it may have a colon as well.
    image = service.image.rpartition("/")[2].partition("@")[0].partition(":")[0]
    # The name that compose gives to what is built says only what the service is called.
    if "image" in service.config and _IMAGE.search(image) and not _BESIDE.search(image):
        return True
    targets: Iterable[str] = (v.get("target", "") for v in service.config.get("volumes") or ())
    told = service.environment.keys() & VARIABLES
    return bool(told) and (
        any(_DATA.match(target) for target in targets)
        or "pg_isready" in str((service.config.get("healthcheck") or {}).get("test"))
        or service.publishes(port_of(service.environment))
    )


def postgres_port(service: ServiceConfig) -> int:
    """Return the port that it listens on."""
    port = port_of(service.environment)
    published = service.published_ports
    # Another one that only its command names, as `-p 5433`, is the only one to be published.
    return published[0] if port not in published and len(published) == 1 else port
