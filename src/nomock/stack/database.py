"""The stack's PostgreSQL, as tests connect to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nomock.errors import ConfigError
from nomock.project import Project
from nomock.stack.service import Service

if TYPE_CHECKING:  # psycopg is imported only by those who connect
    from nomock.adapters.postgres import Connection

_PORT = 5432


class Postgres:
    """Opens connections to the stack's database, with the credentials of its compose file."""

    def __init__(self, service: Service) -> None:
        self.service = service
        environment = service.config.environment
        self.user = environment.get("POSTGRES_USER") or "postgres"
        self.password = environment.get("POSTGRES_PASSWORD") or ""
        self.dbname = environment.get("POSTGRES_DB") or self.user

    def connect(
        self, user: str | None = None, password: str | None = None, **options: Any
    ) -> Connection[Any]:
        """Open a connection, as the superuser by default; ``options`` are psycopg's own.

        The connection is a context manager: it commits at the end of its block, or rolls back.
        """
        from nomock.adapters.postgres import connect

        return connect(
            self.service.name,
            self.service.port(_PORT),
            **{
                "dbname": self.dbname,
                "user": self.user if user is None else user,
                "password": self.password if password is None else password,
                **options,
            },
        )


def postgres_service(project: Project, setting: str | None) -> str:
    """Return the name of the PostgreSQL service: the setting's, or the only one that looks so.

    Raises ConfigError where there is none, or more than one.
    """
    if setting is not None:
        return project.service(setting).name
    found = [
        name
        for name, service in project.services.items()
        # The image's own name: a registry's address before it may have a colon as well.
        if "POSTGRES_PASSWORD" in service.environment
        or "postgres" in service.image.rpartition("/")[2].partition(":")[0]
        if _PORT in service.published_ports
    ]
    if len(found) != 1:
        raise ConfigError(
            "which service is the PostgreSQL database?",
            where=f"stack {project.name}",
            seen=f"candidates that publish port {_PORT}: {', '.join(found) or 'none'}",
            todo='name it: postgres = "…" in [tool.nomock]',
        )
    return found[0]
