"""`nomock test-order --bisect`: the test that another one depends on, or is broken by."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from tiny import Tiny

from nomock.leaks.order import fewest

TESTS = [f"t{number}" for number in range(200)]


@pytest.mark.parametrize(
    ("culprits", "most"),
    [(["t0"], 16), (["t199"], 8), (["t77"], 16), (["t3", "t150"], 32), (["t9", "t10"], 40)],
)
def test_the_culprits_should_be_found_in_few_runs_when_tests_are_many(
    culprits: list[str], most: int
) -> None:
    ran: list[Sequence[str]] = []

    def does_it(tests: Sequence[str]) -> bool:
        assert list(tests) == [test for test in TESTS if test in tests]  # in their order
        ran.append(tests)
        return set(culprits) <= set(tests)

    assert fewest(TESTS, does_it, most_runs=100) == culprits
    assert len(ran) <= most


def test_what_is_left_should_be_returned_when_there_were_many_runs() -> None:
    found = fewest(TESTS, lambda tests: "t7" in tests, most_runs=4)
    assert "t7" in found
    assert len(found) < len(TESTS)


BROKEN = """
    state = []

    def test_one(): pass
    def test_two(): state.append("left")
    def test_three(): pass
    def test_broken(): assert not state
    def test_four(): pass
    def test_depends(): assert state
    def test_five(): pass
    def test_alone(): assert state is not None
"""


@pytest.fixture
def plain(tiny: Tiny) -> Tiny:
    tiny.tests(BROKEN)
    return tiny


def said(tiny: Tiny, *arguments: str) -> tuple[int, list[str]]:
    result = tiny.nomock("test-order", "--bisect", *arguments)
    return result.ret, result.outlines + result.errlines


def test_a_test_should_be_named_when_it_breaks_another_one(plain: Tiny) -> None:
    assert said(plain, "test_broken", "test_tiny.py") == (
        0,
        [
            "run 1, alone: passed",
            "run 2, after 3 others: failed",
            "run 3, after 2 others: failed",
            "run 4, after 1 other: passed",
            "run 5, after 1 other: failed",
            "test_tiny.py::test_broken: passed alone, failed after",
            "  test_tiny.py::test_two",
            "that breaks it: pytest test_tiny.py::test_two test_tiny.py::test_broken",
            "-> what it leaves: pytest --leaks",
        ],
    )


def test_a_test_should_be_named_when_another_one_depends_on_it(plain: Tiny) -> None:
    code, lines = said(plain, "test_depends", "test_tiny.py")
    assert code == 0
    assert lines[-4:] == [
        "test_tiny.py::test_depends: failed alone, passed after",
        "  test_tiny.py::test_two",
        "it depends on what that leaves: pytest test_tiny.py::test_two test_tiny.py::test_depends",
        "-> what it leaves: pytest --leaks",
    ]


def test_it_should_be_said_when_no_order_is_to_blame_and_when_there_is_no_such_test(
    plain: Tiny,
) -> None:
    code, lines = said(plain, "test_alone", "test_tiny.py")
    assert (code, lines[2]) == (
        1,
        "test_tiny.py::test_alone: passed both alone and after the 7 before it",
    )
    code, lines = said(plain, "test_gone", "test_tiny.py")
    assert code != 0
    assert re.search("the last run has no test 'test_gone'", "\n".join(lines))
