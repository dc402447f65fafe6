"""The tables and sequences of a database that hold its data, as PostgreSQL's catalogue has them.

Left out are those of extensions and of the server itself. A partitioned table holds no rows: its
partitions do, each by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nomock.adapters.postgres import Connection

SCHEMA = "nomock_snapshot"
"""What the names of the schemas begin with in which snapshots are kept."""

# What no user has made, or what holds nothing: the pattern is of whole names of schemas.
_OURS = f"pg\\_%|information\\_schema|{SCHEMA}%"
# attgenerated: PostgreSQL 12 and newer.
_TABLES = """
    SELECT c.oid::int8, format('%%I.%%I', n.nspname, c.relname), c.relkind = 'r',
        array(SELECT quote_ident(attname) FROM pg_attribute
            WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
            ORDER BY attnum),
        array(WITH RECURSIVE above AS (
                SELECT inhparent AS oid FROM pg_inherits WHERE inhrelid = c.oid
                UNION SELECT inhparent FROM pg_inherits JOIN above ON inhrelid = above.oid)
            SELECT oid::int8 FROM above)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = ANY(%s) AND c.relpersistence <> 't' AND NOT n.nspname SIMILAR TO %s
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
            AND d.objid = c.oid AND d.deptype = 'e')
    ORDER BY 2
"""


@dataclass(frozen=True)
class Table:
    """A table as it stands in SQL; its names are quoted where they must be."""

    oid: int
    name: str
    """With its schema."""
    holds_rows: bool
    """Whether it has rows itself; a partitioned table has none."""
    columns: Sequence[str]
    """Those that can be written: not what the server computes."""
    above: frozenset[int]
    """The oids of those that it is a partition, or an heir, of."""


def tables_of(connection: Connection[Any]) -> list[Table]:
    """Return the tables of a database, in the order of their names."""
    rows = connection.execute(_TABLES, [["r", "p"], _OURS]).fetchall()
    return [
        Table(oid, name, holds, columns, frozenset(up)) for oid, name, holds, columns, up in rows
    ]


def sequences_of(connection: Connection[Any]) -> list[Table]:
    """Return the sequences of a database, likewise."""
    rows = connection.execute(_TABLES, [["S"], _OURS]).fetchall()
    return [Table(oid, name, False, (), frozenset()) for oid, name, *_ in rows]
