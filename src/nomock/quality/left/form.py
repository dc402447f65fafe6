"""JSON read as a dataclass, strictly: no key too many, none too few, each value of its type."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

_T = TypeVar("_T")


def read_as(kind: type[_T], value: object, where: str = "") -> _T:
    """Return a value of JSON as a dataclass, a tuple, a text, a number or None.

    Raises ValueError, which names the place: ``defects[3].kind is 7, no text``.
    """
    return cast("_T", _read(kind, value, where))


def _read(kind: Any, value: object, where: str) -> Any:
    if is_dataclass(kind):
        return _read_object(kind, value, where)
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise ValueError(f"{where} is {value!r}, no list")
        part = get_args(kind)[0]
        return tuple(_read(part, one, f"{where}[{n}]") for n, one in enumerate(value))
    if get_origin(kind) is UnionType:  # of a type and None
        inner = next(part for part in get_args(kind) if part is not type(None))
        return None if value is None else _read(inner, value, where)
    # A bool is an int to Python, and an int is a float to JSON.
    types = (int, float) if kind is float else (kind,)
    if isinstance(value, bool) or not isinstance(value, types):
        words = {str: "text", int: "whole number", float: "number"}
        raise ValueError(f"{where} is {value!r}, no {words[kind]}")
    return value


def _read_object(kind: Any, value: object, where: str) -> Any:
    if not isinstance(value, dict):
        raise ValueError(f"{where or 'it'} is {value!r}, no object")
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]
    place = f"{where}." if where else ""
    if missing := [name for name in names if name not in value]:
        raise ValueError(f"{place}{missing[0]} is missing")
    if unknown := [name for name in value if name not in names]:
        raise ValueError(f"{place}{unknown[0]} is not known")
    return kind(**{name: _read(hints[name], value[name], f"{place}{name}") for name in names})
