"""How a thing is undone that a test made, as data: another process does it after a kill.

One class a way. Each is done as often as is needed: what is gone already is no error.
"""

from __future__ import annotations

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from nomock.errors import LedgerError
from nomock.stack import Postgres, Stack

_GONE = {404, 410}
_TIMEOUT_S = 10.0
_VARIABLE = re.compile(r"\$\$|\$\{?(\w+)\}?")


class Undo(ABC):
    """One way to undo something."""

    how: ClassVar[str]

    def told(self) -> dict[str, Any]:
        """Return what ``undo_of`` makes the same of again."""
        fields: Any = self  # a dataclass, which the base class is not
        return {"how": self.how, **asdict(fields)}

    @abstractmethod
    def run(self, stack: Stack, postgres: Postgres | None = None) -> None:
        """Undo it on a stack; ``postgres``: where its database is another one.

        Raises NomockError.
        """


@dataclass(frozen=True)
class Statement(Undo):
    """A statement of SQL in the stack's PostgreSQL."""

    how = "sql"
    statement: str
    values: Sequence[Any] = ()

    def run(self, stack: Stack, postgres: Postgres | None = None) -> None:
        """Execute it in a transaction of its own."""
        from nomock.adapters.postgres import DatabaseError

        with (postgres or stack.postgres.aside()).connect() as connection:
            try:
                connection.execute("set lock_timeout = '5s'")
                connection.execute(self.statement.encode(), list(self.values))
                connection.commit()
            except DatabaseError as error:
                raise LedgerError(
                    "PostgreSQL refuses to undo it",
                    where="database",
                    seen=str(error).strip(),
                    todo=self.statement,
                ) from error


@dataclass(frozen=True)
class Deletion(Undo):
    """A request to a service of the stack; 404 and 410 say that it is gone."""

    how = "http"
    service: str
    path: str
    method: str = "DELETE"
    headers: Mapping[str, str] = field(default_factory=dict)
    """``$NAME`` in a value is a variable of the environment, ``$$`` a dollar."""

    def run(self, stack: Stack, postgres: Postgres | None = None) -> None:
        """Send it."""
        from nomock.adapters.http import NETWORK_ERRORS

        where = f"{self.method} {self.path} of service {self.service}"
        headers = {key: expanded(value) for key, value in self.headers.items()}
        try:
            with stack[self.service].aside().client(timeout=_TIMEOUT_S) as client:
                reply = client.request(self.method, self.path, headers=headers)
        except NETWORK_ERRORS as error:
            raise LedgerError(
                "no answer to what undoes it",
                where=where,
                seen=str(error) or type(error).__name__,
                todo=f"nomock logs {self.service}",
            ) from error
        if reply.is_error and reply.status_code not in _GONE:
            raise LedgerError(
                f"the service answered {reply.status_code} to what undoes it",
                where=where,
                seen=reply.text[:500],
                todo=f"nomock logs {self.service}",
            )


@dataclass(frozen=True)
class Key(Undo):
    """A key of a Redis of the stack."""

    how = "redis"
    key: str
    service: str = ""
    db: int = 0

    def run(self, stack: Stack, postgres: Postgres | None = None) -> None:
        """Delete it."""
        from nomock.stack.redis import Redis

        Redis.of(stack, self.service).delete([self.key], db=self.db)


_WAYS: Mapping[str, type[Undo]] = {way.how: way for way in (Statement, Deletion, Key)}


def undo_of(told: Mapping[str, Any]) -> Undo:
    """Return what a ledger tells of; raise LedgerError where this version knows no such way."""
    given = dict(told)
    try:
        return _WAYS[given.pop("how")](**given)
    except (KeyError, TypeError) as error:
        raise LedgerError(
            "this version of nomock does not know how to undo it", where="ledger", seen=str(told)
        ) from error


def expanded(text: str) -> str:
    """Return a text with the variables of the environment that it names; raise LedgerError."""

    def value(found: re.Match[str]) -> str:
        if not found[1]:
            return "$"
        try:
            return os.environ[found[1]]
        except KeyError:
            raise LedgerError(
                f"the variable {found[1]} is not set",
                where="headers of a rule of clean-up",
                seen=text,
                todo=f"export {found[1]}=…",
            ) from None

    return _VARIABLE.sub(value, text)
