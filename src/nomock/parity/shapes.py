"""Shapes: of an answer its types and names, of a path its words, without what each run has anew."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Shape = Any
"""A name of a type, a list with the shape of its members, or a dictionary of shapes."""

NULL = "null"
_LONGEST_WORD = 24
_OWN = re.compile(r"\d|%")


def shape_of(value: object) -> Shape:
    """Return the shape of a value of JSON.

    >>> shape_of({"id": "a", "sizes": [1, 2.5], "parent": None})
    {'id': 'text', 'sizes': ['number'], 'parent': 'null'}
    """
    if isinstance(value, Mapping):
        return {str(key): shape_of(member) for key, member in value.items()}
    if isinstance(value, list):
        shapes = [shape_of(member) for member in value]
        found: list[Shape] = shapes[:1]
        for shape in shapes[1:]:
            found = [merged(found[0], shape)]
        return found
    if value is None:
        return NULL
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else "text"


def merged(one: Shape, other: Shape) -> Shape:
    """Return the shape of what may have either; what is null once may be so at any time.

    >>> merged({"a": "null"}, {"a": "text", "b": "number"})
    {'a': 'text', 'b?': 'number'}
    """
    if one == other or other == NULL:
        return one
    if one == NULL:
        return other
    if isinstance(one, list) and isinstance(other, list):
        both = [*one, *other]
        return [merged(both[0], both[-1])] if both else []
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return _merged_objects(one, other)
    return " or ".join(sorted({*_names(one), *_names(other)}))


def alike(one: Shape, other: Shape) -> bool:
    """Tell whether two shapes are one, as far as null and empty lists tell."""
    if NULL in (one, other):
        return True
    if isinstance(one, list) and isinstance(other, list):
        return not one or not other or alike(one[0], other[0])
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        keys = {key.rstrip("?") for key in (*one, *other)}
        return all(_alike_members(key, one, other) for key in keys)
    return bool(one == other)


def answer_shape(text: str | None, *, is_cut: bool) -> Shape:
    """Return the shape of the body of an answer; ``text`` is None where it is none."""
    if text is None or is_cut:
        return "cut" if is_cut else "bytes"
    try:
        return shape_of(json.loads(text))
    except ValueError:
        return "plain" if text else ""


def asked_for(method: str, url: str) -> str:
    """Return what a request asks for, without what each run has anew.

    >>> asked_for("GET", "http://127.0.0.1:32768/users/7f/orders?page=2&q=x")
    'GET /users/{}/orders?page&q'
    """
    parts = urlsplit(url)
    words = [
        "{}" if _OWN.search(word) or len(word) > _LONGEST_WORD else word
        for word in parts.path.split("/")
    ]
    names = sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)})
    return f"{method} {'/'.join(words) or '/'}" + (f"?{'&'.join(names)}" if names else "")


def _merged_objects(one: Mapping[str, Shape], other: Mapping[str, Shape]) -> dict[str, Shape]:
    """Return the object of both; a name that one of them lacks ends with a question mark."""
    found: dict[str, Shape] = {}
    for key in dict.fromkeys(key.rstrip("?") for key in (*one, *other)):
        members = [o[name] for o in (one, other) for name in (key, f"{key}?") if name in o]
        is_sure = key in one and key in other
        found[key if is_sure else f"{key}?"] = merged(members[0], members[-1])
    return found


def _alike_members(key: str, one: Mapping[str, Shape], other: Mapping[str, Shape]) -> bool:
    ours, theirs = ([o[n] for n in (key, f"{key}?") if n in o] for o in (one, other))
    if ours and theirs:
        return alike(ours[0], theirs[0])
    # Who has it only at times need not have it.
    return key not in one and key not in other


def _names(shape: Shape) -> list[str]:
    if isinstance(shape, str):
        return shape.split(" or ")
    return ["list" if isinstance(shape, list) else "object"]
