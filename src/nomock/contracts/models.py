"""Two databases as models of a code see them: only what these can say is compared.

Left out are tables that no model has, policies, triggers, and names of constraints and indexes;
and of the live database alone also defaults, checks and exclusions: no code is wrong for these.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from nomock.contracts.schema import Part

Parts = Mapping[Part, str]

_COMPARED = {"table", "column", "constraint", "index"}
_INDEX = re.compile(r"^CREATE (UNIQUE )?INDEX \S+ ON (?:ONLY )?\S+ (.*)$")
_PLAIN = re.compile(r"USING btree \(([\w\", ]+)\)$")
_NUMBERED = re.compile(r" (identity( always)?|default nextval\(.*\))$")
_DEFAULT = re.compile(r" default .*$")
_OF_DATABASE = ("CHECK ", "EXCLUDE ")


@dataclass(frozen=True)
class Seen:
    """Both databases, as the models see them."""

    made: Parts
    live: Parts


def seen_by_models(made: Parts, live: Parts) -> Seen:
    """Return what to compare of the tables that the models make, and of the live ones."""
    tables = {table for table, kind, _ in made if kind == "table"}
    wanted, there = _normal(made, tables), _normal(live, tables)
    for part, definition in [*there.items()]:
        _, kind, name = part
        if kind == "constraint" and part not in wanted and name.startswith(_OF_DATABASE):
            del there[part]
        if kind == "column" and not _has_default(wanted.get(part, "")):
            there[part] = _DEFAULT.sub("", definition).removesuffix(" numbered")
    return Seen(wanted, there)


def _normal(parts: Parts, tables: set[str]) -> dict[Part, str]:
    found: dict[Part, str] = {}
    for (table, kind, name), definition in parts.items():
        if table not in tables or kind not in _COMPARED:
            continue
        match kind:
            case "table":
                found[table, kind, name] = ""
            case "column":
                found[table, kind, name] = _NUMBERED.sub(" numbered", definition)
            case "constraint":
                found[table, kind, definition] = ""  # all of it is in its name
            case _:
                found[_index(table, definition)] = ""
    return found


def _index(table: str, definition: str) -> Part:
    """Return an index without its name; one that is unique is what a constraint makes, too.

    >>> _index("t", "CREATE UNIQUE INDEX ix ON public.t USING btree (a, b)")
    ('t', 'constraint', 'UNIQUE (a, b)')
    """
    whole = _INDEX.match(definition)
    if whole is None:
        return table, "index", definition
    unique, rest = whole.groups()
    if unique and (plain := _PLAIN.match(rest)):
        return table, "constraint", f"UNIQUE ({plain[1]})"
    return table, "index", f"{unique or ''}{rest}"


def _has_default(definition: str) -> bool:
    return definition.endswith(" numbered") or " default " in definition
