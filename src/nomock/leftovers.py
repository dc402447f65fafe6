"""Test data that is still in the stack's database: rows whose name starts with "TEST ".

Tests name what they make that way. Every text column that is called ``name`` or ``…_name`` is
looked at, in every table that is not PostgreSQL's own, so that this knows no schema.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nomock.errors import NomockError

if TYPE_CHECKING:  # psycopg is imported only by those who connect
    from nomock.adapters.postgres import Connection

# PostgreSQL quotes the names itself (%I, %L), so that no name can break out of a statement.
_STATEMENTS = """
    select format('select %L, %I::text from %I.%I where %I like ''TEST %%''',
                  table_schema || '.' || table_name, column_name,
                  table_schema, table_name, column_name),
           format('delete from %I.%I where %I like ''TEST %%''',
                  table_schema, table_name, column_name)
    from information_schema.columns join information_schema.tables
         using (table_catalog, table_schema, table_name)
    where table_type = 'BASE TABLE'
      and table_schema not in ('pg_catalog', 'information_schema')
      and data_type in ('text', 'character varying')
      and (column_name = 'name' or column_name like '%%\\_name')
    order by 1
"""


@dataclass(frozen=True)
class Leftover:
    """One row that a test left."""

    table: str
    name: str


def find(connection: Connection[Any]) -> list[Leftover]:
    """Return the rows that tests left."""
    found = []
    for select, _ in connection.execute(_STATEMENTS).fetchall():
        found += [Leftover(*row) for row in connection.execute(select.encode()).fetchall()]
    return sorted(found, key=lambda leftover: (leftover.table, leftover.name))


def remove(connection: Connection[Any]) -> int:
    """Delete these rows, and by its own cascades what hangs on them; all or, on an error, none.

    Returns how many were found before. Rows that others still point to are tried again after
    the others are gone. Raises NomockError where that does not end.
    """
    from nomock.adapters.postgres import ForeignKeyViolation

    with connection.transaction():
        found = find(connection)
        waiting = [delete for _, delete in connection.execute(_STATEMENTS).fetchall()]
        while waiting:
            refused: list[str] = []
            seen = ""
            for delete in waiting:
                try:
                    with connection.transaction():
                        connection.execute(delete.encode())
                except ForeignKeyViolation as error:
                    refused.append(delete)
                    seen = str(error)
            if refused == waiting:
                raise _refusal(refused, seen)
            waiting = refused
    return len(found)


def _refusal(statements: Sequence[str], seen: str) -> NomockError:
    return NomockError(
        "rows that tests left are still pointed to by others; nothing was deleted",
        where="database",
        seen="\n".join([*statements, seen]),
        todo="delete what points to them first, or add ON DELETE CASCADE",
    )
