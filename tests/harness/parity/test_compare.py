"""Two records, and what differs: with the reason that is declared or found, or with none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from nomock.errors import ConfigError
from nomock.parity import Difference, Record, Result, compare, read_record
from nomock.parity.record import result_of

TEST = "tests/test_orders.py::test_order[one]"
LINES = {"worker/jobs.py": {"1": [""], "7": [TEST]}}


def record(
    target: str, lines: Mapping[str, Mapping[str, Sequence[str]]] | None = None, **tests: Result
) -> Record:
    return Record(target, "pytest", {TEST: tests.pop("test", Result("passed")), **tests}, lines)


def answered(status: str, shape: Any) -> Result:
    return Result("passed", answers={"GET /orders/{}": {status: shape}})


def differences(one: Record, other: Record, **reasons: str) -> list[tuple[str, str, str]]:
    return [(d.what, d.one, d.other) for d in compare(one, other, reasons) if not d.reason]


def test_nothing_should_differ_when_both_runs_came_to_the_same() -> None:
    one = record("compose", LINES, test=answered("200", {"id": "text"}))
    other = record("sandbox", LINES, test=answered("200", {"id": "text"}))
    assert compare(one, other, {}) == []


@pytest.mark.parametrize(
    ("ours", "theirs", "difference"),
    [
        (Result("passed"), Result("failed", "assert 1"), ("outcome", "passed", "failed: assert 1")),
        (
            answered("200", "plain"),
            answered("404", "plain"),
            ("status", "GET /orders/{}: 200", "GET /orders/{}: 404"),
        ),
        (
            answered("200", {"id": "text"}),
            answered("200", {"id": "number"}),
            (
                "shape",
                'GET /orders/{}: 200 {"id": "text"}',
                'GET /orders/{}: 200 {"id": "number"}',
            ),
        ),
        (
            Result("passed", spans=["test > auth", "auth > db"]),
            Result("passed", spans=["test > auth"]),
            ("spans", "auth > db", ""),
        ),
    ],
)
def test_a_difference_should_be_told_when_a_test_came_to_something_else(
    ours: Result, theirs: Result, difference: tuple[str, str, str]
) -> None:
    assert differences(record("compose", test=ours), record("sandbox", test=theirs)) == [difference]


def test_a_test_should_differ_when_it_is_not_in_both_records() -> None:
    (found,) = compare(record("compose", more=Result("passed")), record("sandbox"), {})
    assert found == Difference("outcome", "more", "passed", "not run")


def test_a_skip_should_be_the_reason_when_its_test_and_lines_that_only_it_runs_differ() -> None:
    skipped = Result("skipped", "this needs a container engine")
    one = record("compose", LINES)
    other = record("sandbox", {"worker/jobs.py": {"1": [""]}}, test=skipped)
    of_test, of_lines = compare(one, other, {})
    assert of_test.reason == "skipped on sandbox: this needs a container engine"
    assert of_lines == Difference(
        "lines", "worker/jobs.py", "7", "", "only tests run it that are skipped there"
    )
    # The other way round, too.
    assert all(difference.reason for difference in compare(other, one, {}))


@pytest.mark.parametrize("tests", [[TEST], ["", TEST]])
def test_a_line_should_have_no_reason_when_a_test_ran_it_that_passed_on_both(
    tests: list[str],
) -> None:
    one = record("compose", {"a.py": {"7": tests}})
    assert differences(one, record("sandbox", {"a.py": {}})) == [("lines", "7", "")]


def test_a_line_should_have_that_for_a_reason_when_no_test_ran_it() -> None:
    (found,) = compare(record("compose", {"a.py": {"7": [""]}}), record("sandbox", {}), {})
    assert found.reason == "for no test, at start-up or in the background"


def test_lines_should_not_be_compared_when_a_run_was_not_covered() -> None:
    assert compare(record("compose", LINES), record("sandbox", None), {}) == []


def test_a_reason_should_be_taken_when_a_pattern_of_it_is_declared() -> None:
    one = record("compose", LINES, test=Result("failed"))
    other = record("sandbox", {"worker/jobs.py": {}})
    reasons = {"tests/test_orders.py::*": "no queue there", "worker/*.py": "another backend"}
    assert [d.reason for d in compare(one, other, reasons)] == ["no queue there", "another backend"]
    assert [d.reason for d in compare(one, other, {TEST: "by its id"})] == ["by its id", ""]


def test_a_record_should_be_read_as_it_was_written_and_refused_when_it_is_none(
    tmp_path: Path,
) -> None:
    path = tmp_path / "compose.json"
    path.write_text(record("compose", LINES, test=answered("200", {"a": ["text"]})).text())
    assert read_record(path) == record("compose", LINES, test=answered("200", {"a": ["text"]}))
    for text in ("", "[]", '{"version": 0}', '{"version": 1, "tests": {}}'):
        path.write_text(text)
        with pytest.raises(ConfigError, match="this is no record of a run"):
            read_record(path)


def test_answers_and_spans_should_be_read_when_a_test_has_evidence() -> None:
    exchange = {"method": "GET", "url": "http://h/a/7", "status": 200}
    evidence = {
        "exchanges": [
            {**exchange, "answer": {"text": '{"a": null}', "is_cut": False}},
            {**exchange, "answer": {"text": '{"a": "x"}', "is_cut": False}},
            {**exchange, "status": None, "answer": None},
        ],
        "trace": [
            {"span_id": "1", "parent_id": "0", "service": "web", "name": "GET /a/{n}"},
            {"span_id": "2", "parent_id": "1", "service": "db", "name": "SELECT"},
            {"span_id": "3", "parent_id": "1", "service": "db", "name": "SELECT"},
        ],
    }
    assert result_of("passed", "", evidence) == Result(
        "passed",
        "",
        {"GET /a/{}": {"200": {"a": "text"}, "no answer": "bytes"}},
        ["test > web GET /a/{n}", "web GET /a/{n} > db SELECT"],
    )
