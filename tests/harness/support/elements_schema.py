"""What a report of mutants may look like: the JSON Schema that readers of such reports go by.

The rules are those of mutation-testing-elements, version 2 of its report: which keys a report
must have, and of what type each is. Here every object is closed, so that a misspelt key is seen.
"""

from __future__ import annotations

from typing import Any

TEXTS = {"type": "array", "items": {"type": "string"}}
PERCENTAGE = {"type": "integer", "minimum": 0, "maximum": 100}
COUNTED_FROM_ONE = {"type": "integer", "minimum": 1}
STATUSES = [
    *("Killed", "Survived", "NoCoverage", "CompileError"),
    *("RuntimeError", "Timeout", "Ignored", "Pending"),
]


def _closed(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": [*required],
        "additionalProperties": False,
    }


def _by_path(value: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": value}


_PLACE = _closed({"line": COUNTED_FROM_ONE, "column": COUNTED_FROM_ONE})
_MUTANT = _closed(
    {
        "id": {"type": "string"},
        "mutatorName": {"type": "string"},
        "location": _closed({"start": _PLACE, "end": _PLACE}),
        "status": {"enum": STATUSES},
    },
    coveredBy=TEXTS,
    description={"type": "string"},
    duration={"type": "number"},
    killedBy=TEXTS,
    replacement={"type": "string"},
    static={"type": "boolean"},
    statusReason={"type": "string"},
    testsCompleted={"type": "number"},
)
_FILE = _closed(
    {
        "language": {"type": "string"},
        "source": {"type": "string"},
        "mutants": {"type": "array", "uniqueItems": True, "items": _MUTANT},
    }
)
_TEST = _closed({"id": {"type": "string"}, "name": {"type": "string"}}, location=_PLACE)
_TEST_FILE = _closed({"tests": {"type": "array", "items": _TEST}}, source={"type": "string"})

SCHEMA = _closed(
    {
        "schemaVersion": {"type": "string", "pattern": r"^[12](\.\d+){0,2}$"},
        "thresholds": _closed({"high": PERCENTAGE, "low": PERCENTAGE}),
        "files": _by_path(_FILE),
    },
    testFiles=_by_path(_TEST_FILE),
    framework=_closed({"name": {"type": "string"}}, version={"type": "string"}),
    config={"type": "object"},
    projectRoot={"type": "string"},
)
