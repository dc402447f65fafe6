"""What a database is made of, by PostgreSQL's catalogue, and how two databases differ.

https://www.postgresql.org/docs/current/catalogs.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nomock.adapters.postgres import Connection
from nomock.database.tables import SCHEMA

Part = tuple[str, str, str]
"""Table, kind and name: ``("auth.users", "column", "name")``; a table itself has the kind table."""

# Each part as the server would write it down. Order of columns is none: a migration may add one.
_PARTS = """
    WITH tables AS (
        SELECT format('%%I.%%I', n.nspname, c.relname) AS name, c.*
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't'
            AND NOT n.nspname SIMILAR TO %s
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                AND d.objid = c.oid AND d.deptype = 'e'))
    SELECT name, 'table', '', concat_ws(' ',
            CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned table'
                WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END,
            CASE WHEN relrowsecurity THEN 'with row-level security' END,
            CASE WHEN relforcerowsecurity THEN 'forced' END,
            CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) END)
        FROM tables
    UNION ALL SELECT name, 'column', attname, concat_ws(' ', format_type(atttypid, atttypmod),
            CASE WHEN attnotnull THEN 'not null' END,
            CASE attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity' END,
            CASE WHEN attgenerated <> '' THEN 'generated' END,
            'default ' || pg_get_expr(adbin, adrelid))
        FROM tables JOIN pg_attribute ON attrelid = tables.oid AND attnum > 0 AND NOT attisdropped
        LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE relkind IN ('r', 'p', 'f')
    UNION ALL SELECT name, 'constraint', conname, pg_get_constraintdef(pg_constraint.oid)
        FROM tables JOIN pg_constraint ON conrelid = tables.oid WHERE contype <> 'n'
    UNION ALL SELECT name, 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid)
        FROM tables JOIN pg_index ON indrelid = tables.oid
        WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid
            AND conrelid = indrelid)
    UNION ALL SELECT name, 'policy', polname, concat_ws(' ', polcmd,
            CASE WHEN NOT polpermissive THEN 'restrictive' END,
            'to ' || array_to_string(array(SELECT r::regrole::text FROM unnest(polroles) r
                ORDER BY 1), ','),
            'using ' || pg_get_expr(polqual, polrelid),
            'check ' || pg_get_expr(polwithcheck, polrelid))
        FROM tables JOIN pg_policy ON polrelid = tables.oid
    UNION ALL SELECT name, 'trigger', tgname, pg_get_triggerdef(pg_trigger.oid)
        FROM tables JOIN pg_trigger ON tgrelid = tables.oid AND NOT tgisinternal
        JOIN pg_proc p ON p.oid = tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE NOT n.nspname SIMILAR TO %s
"""
_OURS = f"pg\\_%|information\\_schema|{SCHEMA}%"


def parts_of(connection: Connection[Any]) -> dict[Part, str]:
    """Return each part of each table and view of a database, with its definition."""
    # Triggers of a snapshot are on the user's own tables.
    rows = connection.execute(_PARTS, [_OURS, f"{SCHEMA}%"]).fetchall()
    return {(table, kind, name): definition for table, kind, name, definition in rows}


@dataclass(frozen=True)
class Makers:
    """Who made the other database, as words of a sentence."""

    all: str
    none: str


MIGRATIONS = Makers("the migrations", "no migration")
MODELS = Makers("the models", "no model")


def differences(
    made: Mapping[Part, str],
    live: Mapping[Part, str],
    ignored: Iterable[str] = (),
    makers: Makers = MIGRATIONS,
) -> Iterator[str]:
    """Yield how a live database differs from one that was made anew, in the order of tables.

    Of a table that only one has its parts are not named. ``ignored`` are tables, with their schema.
    """
    left_out = set(ignored)
    tables = {table for table, kind, _ in made if kind == "table"}
    live_tables = {table for table, kind, _ in live if kind == "table"}
    for part in sorted({*made, *live}):
        table, kind, name = part
        if table in left_out or made.get(part) == live.get(part):
            continue
        shown = f"{table}: {kind} {name}" if name else table
        if kind != "table" and not (table in tables and table in live_tables):
            continue
        if part not in live:
            yield f"{shown} is made by {makers.all}, and the live database has none"
        elif part not in made:
            yield f"{shown} is in the live database, and {makers.none} makes it"
        else:
            yield f"{shown} is {live[part]}, and {makers.all} make {made[part]}"
