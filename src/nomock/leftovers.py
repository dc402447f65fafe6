"""Test data that is still in the stack's database: rows whose name starts with "TEST ".

Tests name what they make that way. Every text column that is called ``name`` or ``…_name`` is
looked at, in every table that is not PostgreSQL's own, so that this knows no schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nomock.errors import NomockError

if TYPE_CHECKING:  # psycopg is imported only by those who connect
    from nomock.adapters.postgres import Connection

# PostgreSQL quotes the names itself (%I, %L), so that no name can break out of a statement.
_STATEMENTS = """
    select table_schema || '.' || table_name,
           format('select %L, %I::text from %I.%I where %I like ''TEST %%''',
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
    """Return the rows that tests left; raise NomockError where PostgreSQL does not let it look."""
    found = []
    for table, select, _ in _statements(connection):
        with _said("cannot be looked for", f"database, {table}"):
            found += [Leftover(*row) for row in connection.execute(select.encode()).fetchall()]
    return sorted(found, key=lambda leftover: (leftover.table, leftover.name))


def remove(connection: Connection[Any]) -> int:
    """Delete these rows, and by its own cascades what hangs on them; all or, on an error, none.

    Returns how many were found before. Rows that others still point to are tried again after
    the others are gone. Raises NomockError where that does not end, and where a trigger or
    whatever else in PostgreSQL refuses or undoes it.
    """
    # What is put off to the end of a transaction speaks up behind the block.
    with _said("cannot be deleted; nothing was", "database"), connection.transaction():
        found = find(connection)
        waiting = [(table, delete) for table, _, delete in _statements(connection)]
        while waiting:
            refused = []
            seen = ""
            for table, delete in waiting:
                if said := _still_pointed_to(connection, table, delete, found):
                    refused.append((table, delete))
                    seen = said
            if refused == waiting:
                raise _refusal([delete for _, delete in refused], seen)
            waiting = refused
        if left := find(connection):
            raise NomockError(
                "rows that tests left are still there after PostgreSQL deleted them; nothing was",
                where=f"database, {', '.join(sorted({row.table for row in left}))}",
                seen="\n".join(row.name for row in left[:20]),
                todo="a trigger, a rule or row security keeps them: delete them as your "
                "application does",
            )
    return len(found)


def _still_pointed_to(
    connection: Connection[Any], table: str, delete: str, found: Sequence[Leftover]
) -> str:
    """Delete from a table; return PostgreSQL's words where rows of others point to its rows."""
    from nomock.adapters.postgres import ForeignKeyViolation, RestrictViolation

    count = sum(row.table == table for row in found)
    rows = "1 row" if count == 1 else f"{count} rows"
    with _said(f"({rows}) cannot be deleted; nothing was", f"database, {table}"):
        try:
            with connection.transaction():
                connection.execute(delete.encode())
        except (ForeignKeyViolation, RestrictViolation) as error:
            return str(error)
    return ""


def _statements(connection: Connection[Any]) -> list[tuple[str, str, str]]:
    """Return table, select and delete for each column that may have the name of a leftover."""
    with _said("cannot be looked for", "database"):
        return connection.execute(_STATEMENTS).fetchall()


@contextmanager
def _said(what: str, where: str) -> Iterator[None]:
    """Raise what PostgreSQL says in a block as a NomockError."""
    from nomock.adapters.postgres import DatabaseError

    try:
        yield
    except DatabaseError as error:
        raise NomockError(
            f"rows that tests left {what}",
            where=where,
            seen=str(error).strip() or type(error).__name__,
            todo="mend what PostgreSQL says there, or delete them as your application does; "
            "nomock cleanup lists them",
        ) from error


def _refusal(statements: Sequence[str], seen: str) -> NomockError:
    return NomockError(
        "rows that tests left are still pointed to by others; nothing was deleted",
        where="database",
        seen="\n".join([*statements, seen]),
        todo="delete what points to them first, or add ON DELETE CASCADE",
    )
