"""What measurements leave is read as it was written, and nothing else is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nomock.errors import QualityError
from nomock.quality.left import (
    Check,
    Contracts,
    Defect,
    Defects,
    Invariant,
    MutatedFile,
    Mutation,
    Properties,
    leave,
    left,
)
from nomock.quality.left.records import Record

WHEN = "2026-11-30T18:00:00+00:00"
EACH = [
    Mutation(WHEN, None, 0, 0, 0, 1, 0, 0, 2, (MutatedFile("a/b.py", 0, 0, 1, 0),)),
    Defects(WHEN, (Defect("x", "a race", None, None, "t.py::test_x", 0.5),), 40, 2.2),
    Contracts(WHEN, (Check("environment", 64, ("auth: X is not set",)),)),
    Properties(WHEN, (Invariant("ids are unique", "t.py::test_x", 30, 2.1, "holds"),)),
]


@pytest.mark.parametrize("record", EACH, ids=lambda record: record.NAME)
def test_what_was_left_should_be_read_as_it_was_when_it_is_asked_for(
    tmp_path: Path, record: Record
) -> None:
    assert left(tmp_path, type(record)) is None
    leave(tmp_path, record)
    assert left(tmp_path, type(record)) == record


@pytest.mark.parametrize(
    ("changed", "seen"),
    [
        ({"version": 2}, "its version is 2, and this nomock reads 1"),
        ({"when": "today"}, "Invalid isoformat string: 'today'"),
        ({"more": 1}, "more is not known"),
        ({"checks": 3}, "checks is 3, no list"),
        ({"checks": ["a"]}, "checks[0] is 'a', no object"),
        ({"checks": [{"name": "n", "checked": 1}]}, "checks[0].findings is missing"),
        (
            {"checks": [{"name": "n", "checked": True, "findings": []}]},
            "checks[0].checked is True, no whole number",
        ),
        (
            {"checks": [{"name": "n", "checked": 1, "findings": [None]}]},
            "checks[0].findings[0] is None, no text",
        ),
    ],
)
def test_what_was_left_should_be_refused_with_the_place_when_it_is_not_of_the_form(
    tmp_path: Path, changed: dict[str, object], seen: str
) -> None:
    path = leave(tmp_path, Contracts(WHEN, ()))
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))
    with pytest.raises(QualityError) as refused:
        left(tmp_path, Contracts)
    assert str(refused.value) == (
        f"{path}: what was measured cannot be read\n  {seen}\n"
        "-> measure it again, or delete the file"
    )


@pytest.mark.parametrize("text", ["", "[]", "{", "\udc80"])
def test_what_was_left_should_be_refused_when_it_is_no_object(tmp_path: Path, text: str) -> None:
    path = leave(tmp_path, Contracts(WHEN, ()))
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(QualityError, match="what was measured cannot be read"):
        left(tmp_path, Contracts)
