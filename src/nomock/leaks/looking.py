"""Looks at all stores of a stack: its PostgreSQL and its Redis, as far as there are any."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nomock.errors import ConfigError, NomockError
from nomock.leaks.difference import Look
from nomock.stack import Stack
from nomock.stack.redis import Redis

if TYPE_CHECKING:  # psycopg is imported only by those who connect
    from nomock.adapters.postgres import Connection

APPLICATION = "nomock leaks"
"""The name of its connection, by which others know it."""

_MOST_BYTES = 4_000_000
_SIZES = "SELECT oid::int8, pg_relation_size(oid) FROM pg_class WHERE oid = ANY(%s::oid[])"
_COUNTED = """
    SELECT relid::int8, (n_tup_ins - n_tup_del)::int8, (n_tup_upd + n_tup_del + n_tup_ins)::int8
    FROM pg_stat_user_tables WHERE relid = ANY(%s::oid[])
"""
_SESSIONS = """
    SELECT coalesce(application_name, ''), host(client_addr), coalesce(usename::text, ''),
        coalesce(state, '') LIKE 'idle in transaction%%'
    FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend'
        AND pid <> pg_backend_pid() AND application_name NOT LIKE 'nomock%%'
"""

Who = Callable[[str, "str | None", str], str]
"""Whose a session is by its name, address and role: "test", or a service."""


class Stores:
    """The stores of one stack, and what cannot be looked at."""

    def __init__(self, stack: Stack, who: Who) -> None:
        self._stack = stack
        self._who = who
        self._connection: Connection[Any] | None = None
        self.missing: dict[str, str] = {}
        """Store -> why it is not looked at; "" where there is none."""

    def look(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Look once."""
        found: dict[tuple[str, str], tuple[int, int]] = {}
        for name, look in (("PostgreSQL", self._rows), ("Redis", self._keys)):
            if name not in self.missing:
                try:
                    found.update(look())
                except ConfigError as error:
                    # What there is none of has nothing left in it.
                    self.missing[name] = "" if error.what.startswith("no service") else error.what
                except NomockError as error:
                    self.missing[name] = f"{error.what}: {error.seen}"
        return found

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _rows(self) -> Look:
        from nomock.adapters.postgres import DatabaseError

        try:
            return self._rows_by(self._connected())
        except DatabaseError:  # the test may have ended it
            self.close()
        try:
            return self._rows_by(self._connected())
        except DatabaseError as error:
            self.close()
            raise NomockError(
                "it cannot be looked at", where=f"stack {self._stack.name}", seen=str(error)
            ) from error

    def _connected(self) -> Connection[Any]:
        if self._connection is None:
            postgres = self._stack.postgres.aside()
            self._connection = postgres.connect(autocommit=True, application_name=APPLICATION)
        return self._connection

    def _rows_by(self, connection: Connection[Any]) -> Look:
        from nomock.database.tables import tables_of

        tables = {table.oid: table for table in tables_of(connection) if table.holds_rows}
        sizes = dict(connection.execute(_SIZES, [list(tables)]).fetchall())
        small = [table for oid, table in tables.items() if sizes.get(oid, 0) <= _MOST_BYTES]
        found: dict[tuple[str, str], tuple[int, int]] = {}
        asked = " UNION ALL ".join(
            f"SELECT {t.oid}::int8, count(*), coalesce(sum(hashtextextended(t::text, 0)), 0)"
            f" FROM ONLY {t.name} t"
            for t in small
        )
        if asked:
            for oid, count, content in connection.execute(asked).fetchall():
                found["rows", tables[oid].name] = count, int(content)
        large = [table.oid for table in tables.values() if table not in small]
        # Theirs come a moment late, but nobody reads gigabytes after each test.
        for oid, count, content in connection.execute(_COUNTED, [large]).fetchall():
            found["rows", tables[oid].name] = count, content
        for application, address, user, is_open in connection.execute(_SESSIONS).fetchall():
            who = self._who(application, address, user)
            if who == "test" or is_open:
                whose = f"{who}, in a transaction" if is_open else who
                count, _ = found.get(("connections", whose), (0, 0))
                found["connections", whose] = count + 1, 0
        return found

    def _keys(self) -> Look:
        found: dict[tuple[str, str], tuple[int, int]] = {}
        for key, (kind, entries) in Redis.of(self._stack).lasting().items():
            name = key.decode(errors="replace")
            if kind in ("list", "stream"):
                found["entries", name] = entries, 0
            else:
                found["keys", name] = 1, entries
        return found
