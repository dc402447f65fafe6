"""What is known of a database without a look into its tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nomock.adapters.postgres import Connection

_STATE = """
    SELECT (SELECT jsonb_object_agg(substr(relname, 9), coalesce(pg_sequence_last_value(oid), 0))
            FROM pg_class WHERE relnamespace = to_regnamespace(%(schema)s) AND relkind = 'S'),
        (SELECT jsonb_object_agg(oid, jsonb_build_array(
                relfilenode, relnatts, pg_relation_size(oid))) FROM pg_class
            WHERE oid = ANY(%(tables)s::oid[])),
        (SELECT array_agg(c.oid::int8 ORDER BY c.oid)
            FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
            WHERE c.relkind IN ('r', 'p', 'S') AND c.relpersistence <> 't'
            AND NOT n.nspname ~ '^(pg_|information_schema$|nomock_snapshot)')
"""


@dataclass(frozen=True)
class State:
    """What is known of a database at one moment without a look into its tables."""

    counts: Mapping[int, int]
    """Table -> how often it has been written to, by its oid."""
    files: Mapping[int, tuple[int, int, int]]
    """Table -> the number of its file, how many columns it ever had, its size in bytes."""
    all: Sequence[int]
    """The oids of all tables and sequences."""

    @property
    def schema(self) -> object:
        """What is another value where the schema is another one."""
        return self.all, {oid: columns for oid, (_, columns, _) in self.files.items()}

    @classmethod
    def of(cls, connection: Connection[Any], schema: str, tables: Sequence[int]) -> State:
        """Read it; ``schema`` is that of a snapshot, ``tables`` are the oids of its tables."""
        row = connection.execute(_STATE, {"schema": schema, "tables": tables}).fetchone()
        counts, files, every = row or ({}, {}, [])
        return cls(
            {int(oid): count for oid, count in (counts or {}).items()},
            {int(oid): tuple(found) for oid, found in (files or {}).items()},
            every or [],
        )
