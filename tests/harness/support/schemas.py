"""What a command printed with --json, held against its JSON Schema."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator
from places import ROOT

FOLDER = ROOT / "src/nomock/cli/schemas"


def checked(name: str, text: str) -> Any:
    """Return what a text says, once it is what the schema of a command says, and no key more."""
    found = json.loads(text)
    schema = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(_closed(schema)).validate(found)
    return found


def _closed(schema: Any) -> Any:
    """Return a schema by which a key that it does not name is an error, as in no docs."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    return {**closed, "additionalProperties": False} if "required" in schema else closed
