"""The tables of a PostgreSQL in which a rule finds test data, children before their parents.

Partitions are looked at one by one, since only in one table a row has an address of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from nomock.cleanup.rules import DEFAULT, TableRule
from nomock.errors import CleanupError
from nomock.errors.base import did_you_mean
from nomock.names import OWNER

if TYPE_CHECKING:  # psycopg is imported only by those who connect
    from nomock.adapters.postgres import Connection

# Category S has all texts: text, varchar, char(n), citext, and domains over them.
_TABLES = """
    select c.oid, n.nspname, c.relname,
           coalesce(pg_partition_root(c.oid)::regclass::text, ''),
           array_agg(a.attname::text order by a.attnum) filter (where t.typcategory = 'S')
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_type t on t.oid = a.atttypid
    where c.relkind = 'r' and c.relpersistence <> 't'
      and n.nspname !~ '^(pg_|nomock_snapshot_)' and n.nspname <> 'information_schema'
    group by 1, 2, 3, 4
    order by 2, 3
"""
_REFERENCES = "select conrelid, confrelid from pg_constraint where contype = 'f'"


@dataclass(frozen=True)
class Table:
    """A table with what finds test data in it: three pieces of SQL, and their values."""

    oid: int
    where: str
    """Its name for people: of a partition that of the whole."""
    quoted: str
    """Its name in SQL."""
    condition: str
    run: str
    """An expression: the run that made a row, "" where the row does not say."""
    example: str
    """An expression: the name of a row."""
    values: dict[str, Any] = field(default_factory=dict)


def tables_of(connection: Connection[Any], rules: Sequence[TableRule]) -> list[Table]:
    """Return the tables that rules are about, a table once for each; children come first.

    Raises CleanupError for a rule whose tables or columns are not there.
    """
    every = connection.execute(_TABLES).fetchall()
    found = [table for rule in rules for table in _of_rule(connection, rule, every)]
    return _children_first(found, connection.execute(_REFERENCES).fetchall())


def _of_rule(
    connection: Connection[Any], rule: TableRule, every: Iterable[tuple[Any, ...]]
) -> list[Table]:
    meant, found, columns_seen = 0, [], set[str]()
    names = []
    for oid, schema, name, root, columns in every:
        full = f"{schema}.{name}"
        names += [full, root]
        called = {full, name, root, root.rpartition(".")[2]}
        if not any(fnmatchcase(one, p) for one in called for p in rule.tables):
            continue
        meant += 1
        columns_seen.update(columns or ())
        table = _table(rule, oid, root or full, (schema, name), columns or ())
        if table is not None:
            found.append(table)
    if rule != DEFAULT and not meant:
        raise CleanupError(
            f"a rule is about tables that are not there: {', '.join(rule.tables)}",
            where="[[tool.nomock.cleanup]]",
            seen=f"tables: {', '.join(sorted({n for n in names if n})) or 'none'}",
            todo=did_you_mean(rule.tables[0], names),
        )
    if rule != DEFAULT and not found:
        raise CleanupError(
            f"a rule is about text columns that are not there: {', '.join(rule.columns)}",
            where=f"[[tool.nomock.cleanup]] tables = {list(rule.tables)}",
            seen=f"its text columns: {', '.join(sorted(columns_seen)) or 'none'}",
            todo=did_you_mean(rule.columns[0], columns_seen),
        )
    if rule.where:
        for table in found:
            _refuse_all(connection, table, rule)
    return found


def _table(
    rule: TableRule, oid: int, where: str, name: tuple[str, str], columns: Iterable[str]
) -> Table | None:
    quoted = ".".join(map(_quoted, name))
    if rule.where:
        row = f"{_quoted(name[1])}::text"  # the row as a whole goes by the table's name
        return Table(
            oid,
            where,
            quoted,
            # psycopg takes a single one for the beginning of a value's name
            f"({rule.where.replace('%', '%%')})",
            f"coalesce(substring({row} from %(run)s), '')",
            f"left({row}, 100)",
            {"run": OWNER.removeprefix("^")},
        )
    named = [c for c in columns if any(fnmatchcase(c, p) for p in rule.columns)]
    if not named:
        return None
    # As text: of char(n) without its blanks, of citext with its cases.
    texts = [f"{_quoted(column)}::text" for column in named]
    fitting = [f"case when {text} like %(like)s then {text} end" for text in texts]
    one = f"coalesce({', '.join(fitting)})"
    return Table(
        oid,
        where,
        quoted,
        "(" + " or ".join(f"{text} like %(like)s" for text in texts) + ")",
        f"coalesce(substring({one} from %(run)s), '')",
        one,
        {"run": OWNER, "like": rule.like},
    )


def _refuse_all(connection: Connection[Any], table: Table, rule: TableRule) -> None:
    """Raise CleanupError where PostgreSQL itself finds a condition to be true of every row."""
    from nomock.adapters.postgres import DatabaseError

    try:
        plan = connection.execute(
            f"explain (costs off) select from {table.quoted} where {table.condition}".encode(),
            table.values,
        ).fetchall()
    except DatabaseError as error:
        raise CleanupError(
            f"a rule's condition is none of table {table.where}",
            where=f"[[tool.nomock.cleanup]] where = {rule.where!r}",
            seen=str(error).strip(),
            todo="write it as behind WHERE, with columns that each of its tables has",
        ) from error
    text = " ".join(line for (line,) in plan)
    if not any(word in text for word in ("Filter:", "Cond:")):
        raise CleanupError(
            f"a rule's condition is true of every row of {table.where}",
            where=f"[[tool.nomock.cleanup]] where = {rule.where!r}",
            todo="name what only tests' rows have",
        )


def _children_first(tables: list[Table], references: Iterable[tuple[int, int]]) -> list[Table]:
    """Return tables so that who points to another one comes before it, as far as that can be."""
    pointing = defaultdict[int, set[int]](set)
    for child, parent in references:
        if child != parent:
            pointing[parent].add(child)
    left, ordered = tables, list[Table]()
    while left:
        oids = {table.oid for table in left}
        free = [table for table in left if not pointing[table.oid] & oids]
        ordered += free or left
        left = [table for table in left if table not in free] if free else []
    return ordered


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""').replace("%", "%%") + '"'
