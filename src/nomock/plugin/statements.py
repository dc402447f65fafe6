"""The setting ``evidence_database``: what the stack's PostgreSQL does while each test runs.

A run without it has the null object, and imports nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from nomock.config import Settings
from nomock.errors import EngineError, NomockError

if TYPE_CHECKING:  # loaded once it is looked at
    from nomock.adapters.postgres import Connection
    from nomock.evidence.sampler import Sampler
    from nomock.evidence.statements import Activity
    from nomock.stack import Postgres, Stack

_TEST = "test"
_FAULT = "a fault"
_LISTED_EVERY_S = 1.0
_CONNECTS_WITHIN_S = 2


class Statements(Protocol):
    """What a pytest process does about the statements of databases."""

    def begin(self, stack: Callable[[], Stack | None]) -> None:
        """The test that runs uses a stack: look at its database from now on.

        ``stack`` returns it, None where it is not known yet.
        """

    def seen(self, began_s: float) -> tuple[Activity | None, list[str]]:
        """Return what the test's database did, and what of that was not seen.

        ``began_s``: when it began, by the monotonic clock. None where nothing was looked at.
        """

    def end(self) -> None:
        """The test is over."""

    def close(self) -> None:
        """So are all: connect to no database any more."""


class NoStatements:
    """Of a run without the setting."""

    def begin(self, stack: Callable[[], Stack | None]) -> None:
        """Do nothing."""

    def seen(self, began_s: float) -> tuple[Activity | None, list[str]]:
        """Return nothing."""
        return None, []

    def end(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class SampledStatements:
    """Of a run with it: the database of one stack at a time is looked at."""

    def __init__(self) -> None:
        self._stack: Stack | None = None
        self._sampler: Sampler | None = None
        self._is_on = False

    def begin(self, stack: Callable[[], Stack | None]) -> None:
        """Look at a stack's database, unless that is done already."""
        from nomock.evidence.sampler import Sampler

        found: Stack | None = None
        with suppress(NomockError):  # there is no such stack: its fixture is about to say so
            found = stack()
        if found is None or (self._is_on and found is self._stack):
            return
        if self._sampler is None or found is not self._stack:
            self.close()
            self._stack, self._sampler = found, Sampler(StacksDatabase(found))
        self._sampler.begin()
        self._is_on = True

    def seen(self, began_s: float) -> tuple[Activity | None, list[str]]:
        """Look once more, and return all."""
        if self._sampler is None or not self._is_on:
            return None, []
        return self._sampler.seen(began_s)

    def end(self) -> None:
        """Rest; the connection stays for the next test."""
        if self._sampler is not None:
            self._sampler.end()
        self._is_on = False

    def close(self) -> None:
        """End the thread, and close its connection."""
        if self._sampler is not None:
            self._sampler.close()
        self._stack = self._sampler = None
        self._is_on = False


class StacksDatabase:
    """The PostgreSQL of a stack, in a lane the lane's own database."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._services: dict[str, str] = {}
        self._listed_s = 0.0

    @cached_property
    def _postgres(self) -> Postgres:
        return self._stack.postgres.aside()

    @cached_property
    def name(self) -> str:
        """The database's name."""
        return self._postgres.dbname

    def connect(self) -> Connection[Any]:
        """Connect, where there is one to the database that nobody drops or clones."""
        from nomock.evidence.sampler import APPLICATION

        how: dict[str, Any] = {
            "application_name": APPLICATION,
            "autocommit": True,
            "connect_timeout": _CONNECTS_WITHIN_S,
        }
        try:
            return self._postgres.connect(dbname="postgres", **how)
        except EngineError:
            return self._postgres.connect(**how)

    def who(self, application: str, address: str | None, user: str) -> str:
        """Return the service, by the session's own name, its address or its role.

        What comes through a proxy or a pooler has that one's address, and is known by its role;
        no address is a socket in the container itself. Who is outside of the stack is a test.
        """
        from nomock.faults.database.sessions import PREFIX

        if application.startswith(PREFIX):
            return _FAULT
        if application in self._stack.project.services:
            return application
        own = self._postgres.service.name
        found = own if address is None or address == "127.0.0.1" else self._at(address)
        if found in ("", own):
            return found or _TEST
        return self._by_role.get(user, found)

    def _at(self, address: str) -> str:
        """Return the service whose container has an address; "" where none has."""
        if address not in self._services and monotonic() - self._listed_s > _LISTED_EVERY_S:
            self._listed_s = monotonic()
            with suppress(NomockError):
                self._services = {
                    own: container.service
                    for container in self._stack.target.containers(self._stack.name)
                    for network in container.ports.networks
                    for own in network.addresses
                }
        return self._services.get(address, "")

    @cached_property
    def _by_role(self) -> dict[str, str]:
        """Role -> the only service that connects as that."""
        from nomock.faults.database.logins import logins_of

        found: dict[str, set[str]] = {}
        for name, service in self._stack.project.services.items():
            for login in logins_of(service):
                found.setdefault(login.role, set()).add(name)
        return {role: names.pop() for role, names in found.items() if len(names) == 1}


def statements_of(settings: Settings) -> Statements:
    """Return what a process does about the statements of databases."""
    is_on = settings.evidence_database and settings.evidence != "off" and settings.files
    return SampledStatements() if is_on else NoStatements()
