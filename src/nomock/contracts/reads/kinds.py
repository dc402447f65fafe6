"""What the code takes the value of a variable for, and whether a value is that."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

# What pydantic takes for a bool, and the other libraries, too, in any case:
# https://docs.pydantic.dev/latest/api/standard_library_types/#booleans
_FLAGS = {"true", "false", "1", "0", "yes", "no", "on", "off", "t", "f", "y", "n"}
_NO = {"false", "0", "no", "off", "f", "n", "none", "null"}


@dataclass(frozen=True)
class Kind:
    """A kind of value; that of the name ``text`` is any."""

    name: str
    choices: tuple[str, ...] = ()
    """The values that there are; empty: those that the name says."""

    def trouble(self, value: str) -> str:
        """Return why a value will not do, without the value; "" where it will.

        >>> Kind("whole number").trouble("5s")
        'it is no whole number'
        """
        if self.name == "truth":
            taken = value.strip().lower() in _NO
            return "it is taken for true, as bool() takes every text but an empty one" * taken
        if self.choices:
            return "" if value in self.choices else f"it is none of {', '.join(self.choices)}"
        return "" if _fits(self.name, value) else f"it is no {self.name}"


TEXT = Kind("text")
INTEGER = Kind("whole number")
NUMBER = Kind("number")
FLAG = Kind("true or false")
TRUTH = Kind("truth")
"""What ``bool(text)`` makes of a text, which is no kind of value but a mistake in most cases."""
URL = Kind("URL")
JSON = Kind("JSON")

BY_CALL = {"int": INTEGER, "float": NUMBER, "bool": TRUTH, "json.loads": JSON}
"""What a read is handed to -> the kind."""
BY_CAST = {"int": INTEGER, "float": NUMBER, "bool": FLAG, "json": JSON}
"""The argument ``cast``, or the method of a library's reader -> the kind."""
_BY_ANNOTATION = {"int": INTEGER, "float": NUMBER, "bool": FLAG}
_COLLECTION = re.compile(r"(list|dict|set|tuple|List|Dict|Set|Tuple)(\[.*\])?$")
_URL_TYPE = re.compile(r"([A-Za-z]*Url|[A-Za-z]+Dsn)$")
_LITERAL = re.compile(r"(?:typing\.)?Literal\[(.*)\]$")


def of_annotation(text: str) -> Kind:
    """Return the kind of an annotation as source text; ``text`` where it is none of these.

    >>> of_annotation("int | None").name, of_annotation("Literal['a', 'b']").choices
    ('whole number', ('a', 'b'))
    """
    text = re.sub(r"^(typing\.)?Optional\[(.*)\]$", r"\2", text)
    text = re.sub(r"\s*\|\s*None$|^None\s*\|\s*", "", text)
    if literal := _LITERAL.match(text):
        found = re.findall(r"'([^']*)'|\"([^\"]*)\"", literal[1])
        return Kind("choice", tuple(a or b for a, b in found)) if found else TEXT
    name = text.rpartition(".")[2] if "[" not in text else text
    if name in _BY_ANNOTATION:
        return _BY_ANNOTATION[name]
    if _COLLECTION.match(text):
        return JSON
    return URL if _URL_TYPE.match(name) else TEXT


def _fits(kind: str, value: str) -> bool:
    value = value.strip()
    try:
        match kind:
            case "whole number":
                int(value)
            case "number":
                float(value)
            case "JSON":
                json.loads(value)
            case "true or false":
                return value.lower() in _FLAGS
            case "URL":
                return bool(urlsplit(value).scheme and "://" in value)
    except ValueError:
        return False
    return True
