"""Is a database that calls itself healthy reached by others yet?"""

from __future__ import annotations

from nomock.errors import UnpublishedError, UnreachableError
from nomock.readiness.probe import Listens, ProbeAnswer
from nomock.target import Container

_POSTGRES = 5432
# On the first start the official images of PostgreSQL, MySQL, MariaDB and MongoDB make the data by
# a server that only its own container reaches, and stop it. A healthcheck that asks by the socket
# (`pg_isready`, `mysqladmin ping`) calls that one healthy.
_PORTS = (_POSTGRES, 3306, 27017)


class FirstStart:
    """The question that a published database is asked beside its healthcheck."""

    def __init__(self, published: list[int], listens: Listens) -> None:
        """``published``: the service's ports in the container."""
        self._ports = [port for port in published if port in _PORTS]
        self._listens = listens

    def ask(self, container: Container) -> ProbeAnswer | None:
        """Return the "no" of a database that others do not reach yet; None where nothing is wrong.

        One command in the container a port, and one connection to PostgreSQL.
        """
        for port in self._ports:
            if self._listens(container, port) is False:
                return ProbeAnswer(False, f"healthy, but nothing in it listens on {port} yet")
        if _POSTGRES in self._ports and _is_starting(container):
            return ProbeAnswer(False, "healthy, but PostgreSQL says that it is starting up")
        return None


def _is_starting(container: Container) -> bool:
    from nomock.adapters.postgres import is_starting

    try:
        return is_starting(container.published(_POSTGRES))
    except (UnpublishedError, UnreachableError):
        return False
