"""The rules of clean-up, as ``[[tool.nomock.cleanup]]`` has them: one class a kind.

Each raises ValueError for what it must not mean: all rows of a table, all keys of a store.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

_LIKE_ALL = re.compile(r"like\s+'%+'", re.IGNORECASE)


@dataclass(frozen=True)
class TableRule:
    """Rows of PostgreSQL: of tables by pattern, by a text column or by any condition."""

    tables: tuple[str, ...]
    """Patterns of ``table`` or ``schema.table``, as of files."""
    columns: tuple[str, ...] = ("name", "*_name")
    """Patterns of the text columns that are looked at."""
    like: str = "TEST %"
    """How their values begin, as LIKE has it."""
    where: str = ""
    """A condition in SQL in place of these two."""

    def __post_init__(self) -> None:
        if not self.like.strip("%_ ") or (self.where and not self.where.strip()):
            raise ValueError(f"like = {self.like!r} would be every row: name how they begin")
        if _LIKE_ALL.search(self.where):
            raise ValueError(f"where = {self.where!r} would be every row")


@dataclass(frozen=True)
class KeyRule:
    """Keys of a Redis."""

    keys: tuple[str, ...]
    """Patterns, as SCAN has them."""
    redis: str = ""
    """The service; "" where only one looks like a Redis."""
    db: int = 0

    def __post_init__(self) -> None:
        for pattern in self.keys:
            if not re.sub(r"[*?\[\]^-]", "", pattern):
                raise ValueError(f"keys = {pattern!r} would be every key: name how they begin")


@dataclass(frozen=True)
class HttpRule:
    """What a service deletes itself, by its own API.

    ``{id}`` in ``delete`` and ``headers`` is a field of what is deleted: of the answer to the
    request that made it, or of an item of the list; ``{a.b}`` is one in another, and
    ``{request.name}`` one of the request's body. ``$NAME`` is a variable of the environment.
    """

    http: str
    """The service."""
    delete: str
    """The path of what is deleted."""
    list: str = ""
    """The path that lists what there is, for `nomock cleanup`."""
    items: str = ""
    """Where in that answer the list is, ``data.items``; "" where the answer is it."""
    name: str = "name"
    """The field of an item that begins with "TEST " where a test has made it."""
    post: str = ""
    """The path of the requests that make such things: the ledger has each."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """What is sent with a deletion and a list."""

    def __post_init__(self) -> None:
        if not (self.list or self.post):
            raise ValueError("it needs list = PATH, post = PATH, or both")
        if "{" not in self.delete:
            raise ValueError(f"delete = {self.delete!r} names no field, as in /clients/{{id}}")


Rule = TableRule | KeyRule | HttpRule
_BY_KEY: Mapping[str, type[Rule]] = {"tables": TableRule, "keys": KeyRule, "http": HttpRule}

DEFAULT = TableRule(tables=("*",))
"""Where there is no rule for rows."""


def read_rules(value: str | Iterable[Mapping[str, Any]]) -> tuple[Rule, ...]:
    """Return the rules of TOML, or of JSON in a variable; raise ValueError or TypeError."""
    found = json.loads(value or "[]") if isinstance(value, str) else value
    return tuple(_rule(number, table) for number, table in enumerate(found, 1))


def _rule(number: int, table: Mapping[str, Any]) -> Rule:
    kind = next((kind for key, kind in _BY_KEY.items() if key in table), None)
    if kind is None:
        raise ValueError(f"rule {number} has none of {', '.join(_BY_KEY)}")
    known = {one.name: one for one in fields(kind)}
    if wrong := [key for key in table if key not in known]:
        raise ValueError(f"rule {number} has {wrong[0]!r}: it may have {', '.join(known)}")
    given = {key: _value(number, key, str(known[key].type), v) for key, v in table.items()}
    try:
        return kind(**given)
    except (TypeError, ValueError) as error:
        raise ValueError(f"rule {number}: {error}") from error


def _value(number: int, key: str, type_: str, value: Any) -> Any:
    """Return a value of the type that a field has; one text may stand for several."""
    if type_.startswith("tuple"):
        value = (value,) if isinstance(value, str) else tuple(value)
        fits = bool(value) and all(isinstance(one, str) and one for one in value)
    elif type_.startswith("Mapping"):
        fits = isinstance(value, Mapping) and all(isinstance(v, str) for v in value.values())
    else:
        fits = isinstance(value, int if type_ == "int" else str)
    if not fits:
        raise ValueError(f"rule {number}: {key} cannot be {value!r}")
    return value
