"""What each operator does to a source, and what it leaves alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from textwrap import dedent

import pytest
from operator_cases import ARID, CASES
from places import ROOT

from nomock.mutation import ALL, mutants_of, mutate


def changed_lines(source: str, operators: Sequence[str]) -> list[str]:
    """Return the lines that each mutant of some operators changes, in order."""
    found = []
    wanted = [each for each in ALL if each.name in operators]
    for mutant in mutants_of("app.py", source, operators=wanted):
        mutated = mutate(source, mutant).split("\n")
        lines = source.split("\n")
        assert len(mutated) == len(lines), mutant
        found += [new for old, new in zip(lines, mutated, strict=True) if new != old]
    return found


def test_cases_and_a_row_in_the_docs_should_be_there_when_an_operator_is() -> None:
    assert {each.name for each in ALL} == set(CASES)
    page = (ROOT / "docs" / "quality.md").read_text(encoding="utf-8")
    rows = [f"| `{each.name}` | {each.about} |" for each in ALL]
    assert "\n".join(rows) in page


@pytest.mark.parametrize(
    ("operator", "source", "expected"),
    [(name, source, expected) for name, cases in CASES.items() for source, expected in cases],
)
def test_an_operator_should_make_its_mutants_alone_when_a_source_has_code_for_it(
    operator: str, source: str, expected: list[str]
) -> None:
    assert changed_lines(source, [operator]) == expected


def test_a_change_should_be_that_of_the_special_operator_when_two_make_it() -> None:
    (mutant,) = [m for m in mutants_of("app.py", "a.commit()") if m.replacement == "None"]
    assert mutant.operator == "lost-commit"


def test_what_is_in_an_f_string_should_be_mutated_in_its_place_when_python_knows_that() -> None:
    source = "x = f\"{'ä' if a < 1 else f'{b + c}'} {{ \" f'{d:>{e + 1}}'\n"
    expected = [
        "x = f\"{'ä' if a <= 1 else f'{b + c}'} {{ \" f'{d:>{e + 1}}'",
        "x = f\"{'ä' if a >= 1 else f'{b + c}'} {{ \" f'{d:>{e + 1}}'",
        "x = f\"{'ä' if a < 1 else f'{b - c}'} {{ \" f'{d:>{e + 1}}'",
        "x = f\"{'ä' if a < 1 else f'{b + c}'} {{ \" f'{d:>{e - 1}}'",
    ]
    # Before 3.12 it does not, and nothing in an f-string is touched.
    found = changed_lines(source, ["comparison", "arithmetic"])
    assert found == (expected if sys.version_info >= (3, 12) else [])


def test_sql_should_be_mutated_when_it_goes_across_the_pieces_of_a_string() -> None:
    source = dedent(
        """
        x = (
            f"SELECT {a} FROM b"
            " WHERE c = %(c)s"
            f" AND d ="
            " %(d)s ORDER BY e"
        )
        """
    )
    found = changed_lines(source, ["missing-condition"])
    if sys.version_info >= (3, 12):
        assert found == [
            '    " WHERE (c = %(c)s OR 1 = 1)"',
            '    f" AND (d ="',
            '    " %(d)s OR 1 = 1) ORDER BY e"',
        ]
    else:  # the SELECT is in an f-string, which is not seen
        assert found == []


@pytest.mark.parametrize("kind", ARID)
def test_code_should_have_no_mutants_when_it_is_arid(kind: str) -> None:
    assert mutants_of("app.py", ARID[kind]) == []
