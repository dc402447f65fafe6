"""A snapshot of a database's rows and sequences, inside the database, and the way back to it.

Each table has a copy of its rows, with the place (ctid) and the transaction (xmin) of the original:
where both are the same the row is, too, so that only rows are written that a test has changed, and
however many others there are costs one look at the table. Which tables that are is counted by a
trigger for each statement, as the server's own counters come seconds late, and by a sequence, as
that makes nobody wait and is never rolled back.

Rows are written without triggers and checks of foreign keys: all of a snapshot fits together.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

from nomock.adapters.postgres import Connection, DatabaseError
from nomock.database.locks import when_locked
from nomock.database.state import State
from nomock.database.tables import Table, sequences_of, tables_of
from nomock.errors import NomockError

# Where tests have left so much dead in a table and its copy, room is made for the next ones.
_GROWN_BYTES = 500_000
_EQUIPMENT = """
    CREATE SCHEMA {schema};
    CREATE FUNCTION {schema}.touched() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
        'BEGIN PERFORM nextval((''{schema}.touched_'' || TG_RELID)::regclass); RETURN NULL; END';
"""
_COUNTED = """
    CREATE SEQUENCE {schema}.touched_{oid};
    CREATE TRIGGER {schema} AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table}
        FOR EACH STATEMENT EXECUTE FUNCTION {schema}.touched();
    ALTER TABLE {table} ENABLE ALWAYS TRIGGER {schema};
"""
_KEPT = """
    CREATE TABLE {schema}.rows_{oid} AS
        SELECT ctid AS nomock_ctid, xmin AS nomock_xmin, {columns} FROM ONLY {table}
"""
_NEW = """
    DELETE FROM ONLY {table} t WHERE NOT EXISTS (SELECT FROM {schema}.rows_{oid} kept
        WHERE kept.nomock_ctid = t.ctid AND kept.nomock_xmin = t.xmin)
"""
_GONE = """
    WITH gone AS (
        DELETE FROM {schema}.rows_{oid} kept WHERE NOT EXISTS (SELECT FROM ONLY {table} t
            WHERE kept.nomock_ctid = t.ctid AND kept.nomock_xmin = t.xmin)
        RETURNING {columns}),
    back AS (
        INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM gone
        RETURNING ctid, xmin, {columns})
    INSERT INTO {schema}.rows_{oid} SELECT * FROM back
"""
# What has put all rows of a table in other places has given it another file.
_MOVED = """
    DELETE FROM ONLY {table}; UPDATE {schema}.rows_{oid} SET nomock_ctid = '(0,0)'
"""


class Keeper(Protocol):
    """Whose a snapshot is."""

    def connection(self) -> Connection[Any]:
        """Return a connection that commits by itself; raise NomockError."""

    def drop(self, snapshot: Snapshot) -> None:
        """Take a snapshot away."""

    def error(self, what: str, seen: str, todo: str = "") -> NomockError:
        """Return the error of a database."""


class Snapshot:
    """What a database's rows were at one moment; ``restore`` brings them back.

    In a ``with`` block they are back at its end, and the snapshot is gone. It is of PostgreSQL
    alone: the rows of ordinary and partitioned tables, and sequences; not large objects,
    materialized views and changes of the schema.
    """

    def __init__(self, keeper: Keeper, schema: str) -> None:
        self._keeper = keeper
        self.schema = schema
        """The schema that keeps it, in the database itself."""
        self._tables: list[Table] = []
        self._sequences: list[Table] = []
        self._seen = State({}, {}, ())
        self._values: dict[int, tuple[int, bool]] = {}

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.restore()
        finally:
            self.drop()

    def restore(self) -> int:
        """Bring the database back to what it was; return how many tables had been written to.

        Raises SnapshotError where its schema is another one now, or where sessions go on writing
        to its tables for longer than 10 s.
        """
        connection = self._keeper.connection()
        try:
            state = self._state(connection)
            self._refuse_other_schema(state)
            touched = self._touched(state)
            self._reset_sequences(connection)
            if touched:
                self._write(connection, touched, state)
            return len(touched)
        except DatabaseError as error:
            raise self._keeper.error("the database was not brought back", str(error)) from error

    def drop(self) -> None:
        """Take the snapshot away; the rows stay as they are now."""
        self._keeper.drop(self)

    def take(self) -> None:
        """Keep the rows as they are now."""
        connection = self._keeper.connection()
        try:
            self._tables, self._sequences = tables_of(connection), sequences_of(connection)
            if held := when_locked(connection, self._tables, lambda: self._keep(connection)):
                raise self._keeper.error("sessions go on writing to the database", held)
        except DatabaseError as error:
            raise self._keeper.error("no snapshot was taken", str(error)) from error

    def _keep(self, connection: Connection[Any]) -> None:
        # A role that may not write as a restore does is to be told so before any test.
        connection.execute("SET LOCAL session_replication_role = replica")
        connection.execute(_EQUIPMENT.format(schema=self.schema))
        for table in self._tables:
            connection.execute(self._sql(_COUNTED, table))
        for table in self._holding:
            connection.execute(self._sql(_KEPT, table))
        self._seen = self._state(connection)
        self._values = self._sequence_values(connection)

    @property
    def _holding(self) -> list[Table]:
        return [table for table in self._tables if table.holds_rows and table.columns]

    def _touched(self, state: State) -> list[Table]:
        """Return the tables whose rows may be others now."""
        written = self._written(state)
        return [
            table
            for table in self._holding
            if {table.oid, *table.above} & written or self._has_moved(table, state)
        ]

    def _written(self, state: State) -> set[int]:
        return {oid for oid, count in state.counts.items() if count != self._seen.counts[oid]}

    def _has_moved(self, table: Table, state: State) -> bool:
        return state.files[table.oid][0] != self._seen.files[table.oid][0]

    def _write(self, connection: Connection[Any], tables: Sequence[Table], state: State) -> None:
        # In one message: each way to the server and back takes as long as a small statement.
        statements = "; ".join(
            self._sql(statement, table)
            for table in tables
            for statement in (_MOVED if self._has_moved(table, state) else _NEW, _GONE)
        )

        def write() -> None:
            connection.execute(f"SET LOCAL session_replication_role = replica; {statements}")
            # Read while nobody else can have written: what comes later is looked at next time.
            known = {table.oid for table in tables} | self._written(state)
            seen.append(self._with(self._state(connection), known))

        seen: list[State] = []
        if held := when_locked(connection, tables, write):
            raise self._keeper.error(
                "sessions go on writing to the database, so that it was not brought back", held
            )
        self._seen = seen[-1]
        for table in tables:
            if state.files[table.oid][2] > 2 * self._seen.files[table.oid][2] + _GROWN_BYTES:
                names = f"{table.name}, {self.schema}.rows_{table.oid}"
                with suppress(DatabaseError):  # it is only tidier
                    connection.execute(f"VACUUM (SKIP_LOCKED) {names}")

    def _with(self, state: State, oids: set[int]) -> State:
        """Return what has been seen, with the counts of some tables, and with all files, as now."""
        counts = {o: state.counts[o] if o in oids else n for o, n in self._seen.counts.items()}
        files = {o: (state.files[o][0], *known[1:]) for o, known in self._seen.files.items()}
        return State(counts, files, self._seen.all)

    def _state(self, connection: Connection[Any]) -> State:
        return State.of(connection, self.schema, [table.oid for table in self._tables])

    def _refuse_other_schema(self, state: State) -> None:
        if state.schema == self._seen.schema:
            return
        names = {found.oid: found.name for found in (*self._tables, *self._sequences)}
        gone = [names[oid] for oid in self._seen.all if oid not in state.all and oid in names]
        new = len(set(state.all) - set(self._seen.all))
        seen = [*(f"{name} is gone" for name in gone)]
        seen += [f"{new} tables or sequences are new"] if new else []
        raise self._keeper.error(
            "the schema is another one than that of the snapshot",
            "\n".join(seen) or "a table has other columns",
            "take a new snapshot once the schema is as it shall be",
        )

    def _reset_sequences(self, connection: Connection[Any]) -> None:
        now = self._sequence_values(connection)
        for oid, value in self._values.items():
            if now[oid] != value:
                connection.execute("SELECT setval(%s::oid::regclass, %s, %s)", [oid, *value])

    def _sequence_values(self, connection: Connection[Any]) -> dict[int, tuple[int, bool]]:
        asked = [f"SELECT {s.oid}, last_value, is_called FROM {s.name}" for s in self._sequences]
        if not asked:
            return {}
        rows = connection.execute(" UNION ALL ".join(asked)).fetchall()
        return {oid: (value, is_called) for oid, value, is_called in rows}

    def _sql(self, statement: str, table: Table) -> str:
        columns = ", ".join(table.columns)
        return statement.format(
            schema=self.schema, oid=table.oid, table=table.name, columns=columns
        )
