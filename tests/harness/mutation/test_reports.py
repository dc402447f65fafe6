"""What is told of mutants: figures, a table, survivors, JSON for other tools, and a page."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from elements_schema import SCHEMA

from nomock.errors import MutationError
from nomock.mutation import Mutant, Status, Verdict, mutants_of
from nomock.mutation.report import (
    Results,
    elements_of,
    figures_of,
    page_of,
    record_of,
    survivor_lines,
    table_of,
    write_reports,
)
from nomock.quality.left import MutatedFile, leave, left
from nomock.quality.left import Mutation as LeftMutation

SOURCES = {
    "services/auth/app.py": (
        "def spend(used: int, limit: int) -> bool:\n"
        '    """Return whether <there> is & was enough."""\n'
        "    if used > limit and limit:\n"
        "        return False\n"
        "    return used + limit < 10\n"
    ),
    "services/pay/app.py": "TRIES = 1\n\n\ndef pay(n):\n    return n - 1\n",
}
TESTS = ("tests/test_auth.py::test_spend[a-1]", "tests/test_auth.py::test_more")


def mutants(path: str) -> list[Mutant]:
    return mutants_of(path, SOURCES[path])


def verdict(mutant: Mutant, status: Status, **more: Any) -> Verdict:
    return Verdict(mutant, status, **more)


@pytest.fixture
def results() -> Results:
    auth, pay = mutants("services/auth/app.py"), mutants("services/pay/app.py")
    boundary = next(m for m in auth if m.operator == "comparison")
    rest = [m for m in auth if m is not boundary]
    found = [
        verdict(rest[0], Status.KILLED, killed_by=TESTS[:1], covered_by=TESTS, seconds=0.0312),
        verdict(rest[1], Status.TIMED_OUT, covered_by=TESTS, seconds=2),
        verdict(rest[2], Status.SET_ASIDE, note="limit is never <0>"),
        verdict(rest[3], Status.ERROR, covered_by=TESTS, note="the service did not come back"),
        verdict(rest[4], Status.NOT_COMPILED),
        verdict(boundary, Status.SURVIVED, covered_by=TESTS, seconds=0.05),
        *(verdict(mutant, Status.NO_COVERAGE) for mutant in pay[:-1]),
    ]
    return Results(tuple(found), SOURCES, "2026-11-30T18:00:00+00:00", left=(pay[-1],))


def test_the_score_should_be_of_what_tests_run_when_other_mutants_have_no_test(
    results: Results,
) -> None:
    figures = figures_of(results.verdicts)
    assert (figures.killed, figures.timed_out, figures.survived) == (2, 1, 1)
    assert (figures.aside, figures.error) == (1, 2)
    assert figures.score == pytest.approx(2 / 3)
    assert figures.score_of_all == pytest.approx(2 / (3 + figures.no_coverage))


def test_there_should_be_no_score_when_nothing_was_tried() -> None:
    assert figures_of([]).score is None
    assert figures_of([]).score_of_all is None
    empty = Results((), {}, "2026-11-30T18:00:00+00:00")
    assert table_of(empty)[1] == [("all", "-", "0", "0", "0", "0", "0")]
    assert survivor_lines(empty) == []
    assert ">-</strong>" in page_of(empty)


def test_the_file_with_most_survivors_should_come_first_when_a_table_is_made(
    results: Results,
) -> None:
    head, rows = table_of(results)
    none = str(len(mutants("services/pay/app.py")) - 1)
    assert head == ("file", "score", "killed", "survived", "no test", "aside", "error")
    assert rows == [
        ("services/auth/app.py", "66 %", "2", "1", "0", "1", "2"),
        ("services/pay/app.py", "-", "0", "0", none, "0", "0"),
        ("all", "66 %", "2", "1", none, "1", "2"),
    ]


def test_a_diff_and_the_tests_that_ran_it_should_be_shown_when_a_mutant_survived(
    results: Results,
) -> None:
    survivor = next(v.mutant for v in results.verdicts if v.status is Status.SURVIVED)
    failed = next(v.mutant for v in results.verdicts if v.status is Status.ERROR)
    assert "\n".join(survivor_lines(results)) == (
        f"survived: services/auth/app.py:3 in spend, comparison ({survivor.id})\n"
        '       """Return whether <there> is & was enough."""\n'
        "  -    if used > limit and limit:\n"
        f"  +    if used {survivor.replacement} limit and limit:\n"
        "           return False\n"
        f"  ran: {TESTS[0]}\n"
        f"  ran: {TESTS[1]}\n"
        "\n"
        f"no verdict: services/auth/app.py:{failed.line} in spend, "
        f"{failed.operator} ({failed.id})\n"
        "  the service did not come back"
    )


def test_a_survivor_should_name_a_few_tests_when_many_ran_it(results: Results) -> None:
    many = tuple(f"tests/test_a.py::test_{n}" for n in range(9))
    survivor = next(v.mutant for v in results.verdicts if v.status is Status.SURVIVED)
    shown = survivor_lines(
        Results((Verdict(survivor, Status.SURVIVED, covered_by=many),), SOURCES, results.when)
    )
    assert shown[-2:] == ["  ran: tests/test_a.py::test_3", "  and 5 more tests"]


def test_the_json_should_be_of_its_schema_when_other_tools_read_it(results: Results) -> None:
    told = json.loads(json.dumps(elements_of(results)))
    jsonschema.Draft7Validator(SCHEMA).validate(told)
    found = told["files"]["services/auth/app.py"]["mutants"]
    assert {m["status"] for m in found} == {
        *("Killed", "Timeout", "Ignored", "RuntimeError", "CompileError", "Survived")
    }
    killed = next(m for m in found if m["status"] == "Killed")
    assert killed["killedBy"] == ["2"]
    assert killed["duration"] == 31.2
    paid = told["files"]["services/pay/app.py"]
    assert paid["source"] == SOURCES["services/pay/app.py"]
    assert [m["status"] for m in paid["mutants"]][-1] == "Pending"
    assert paid["mutants"][0]["static"] is True
    tests = told["testFiles"]["tests/test_auth.py"]["tests"]
    assert tests == [
        {"id": "1", "name": "test_more"},
        {"id": "2", "name": "test_spend[a-1]"},
    ]


def test_places_should_be_counted_from_one_when_they_are_in_the_json(results: Results) -> None:
    for path, file in elements_of(results)["files"].items():
        lines = SOURCES[path].split("\n")
        for told in file["mutants"]:
            mutant = next(m for m in mutants(path) if m.id == told["id"])
            start = told["location"]["start"]
            assert lines[start["line"] - 1][start["column"] - 1 :].startswith(
                mutant.original.split("\n")[0]
            )


def test_the_figures_should_be_read_again_when_they_were_left_for_the_page_of_all_metrics(
    results: Results, tmp_path: Path
) -> None:
    leave(tmp_path, record_of(results))
    found = left(tmp_path, LeftMutation)
    none = len(mutants("services/pay/app.py")) - 1
    assert found == LeftMutation(
        when="2026-11-30T18:00:00+00:00",
        score=pytest.approx(2 / 3),  # type: ignore[arg-type]
        killed=2,
        timed_out=1,
        survived=1,
        no_coverage=none,
        aside=1,
        error=2,
        left=1,
        files=(
            MutatedFile("services/auth/app.py", 2, 1, 0, 1),
            MutatedFile("services/pay/app.py", 0, 0, none, 0),
        ),
    )


class Page(HTMLParser):
    """The texts of a page, and whether each element that was opened was closed."""

    VOID = frozenset({"meta", "wbr"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        told = dict(attrs)
        self.links += [told["href"] or ""] if "href" in told else []
        self.ids += [told["id"] or ""] if "id" in told else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_should_ask_no_network_when_it_shows_each_survivor(results: Results) -> None:
    text = page_of(results, coverage="html/index.html")
    page = Page(text)
    assert page.open == []
    shown = "".join(page.texts)
    survivor = next(v.mutant for v in results.verdicts if v.status is Status.SURVIVED)
    assert f"    if used {survivor.replacement} limit and limit:" in shown
    assert '"""Return whether <there> is & was enough."""' in shown
    assert "limit is never <0>" in shown and "the service did not come back" in shown
    assert all(test in shown for test in TESTS)
    assert "66 %" in shown and "1 not tried: the time was over" in shown
    assert "://" not in text and "<script" not in text
    anchors = {f"#{name}" for name in page.ids}
    assert {link for link in page.links if link != "html/index.html"} == anchors


def test_the_page_should_show_some_tests_of_a_survivor_when_many_ran_it(results: Results) -> None:
    many = tuple(f"tests/test_a.py::test_{n}" for n in range(30))
    survivor = next(v.mutant for v in results.verdicts if v.status is Status.SURVIVED)
    of_many = (Verdict(survivor, Status.SURVIVED, covered_by=many),)
    shown = "".join(Page(page_of(Results(of_many, SOURCES, results.when))).texts)
    assert "30 tests ran it" in shown
    assert many[19] in shown and many[20] not in shown
    assert "and 10 more: nomock mutants --json" in shown


def test_a_file_should_not_be_linked_when_all_its_mutants_were_noticed() -> None:
    path = "services/pay/app.py"
    killed = tuple(Verdict(mutant, Status.KILLED) for mutant in mutants(path))
    page = Page(page_of(Results(killed, SOURCES, "2026-11-30T18:00:00+00:00")))
    assert path in "".join(page.texts) and "100 %" in page.texts
    assert page.links == page.ids == []


def test_reports_should_link_to_those_of_coverage_only_when_these_lie_beside_them(
    results: Results, tmp_path: Path
) -> None:
    folder = tmp_path / "report"
    page = write_reports(results, folder)
    assert page == folder / "mutants.html"
    assert 'href="html/index.html"' not in page.read_text()
    assert json.loads((folder / "mutants.json").read_text()) == elements_of(results)
    assert (folder / ".gitignore").read_text().endswith("*\n")
    (folder / "html").mkdir()
    (folder / "html/index.html").write_text("")
    assert 'href="html/index.html"' in write_reports(results, folder).read_text()


def test_the_reports_should_be_refused_when_their_folder_cannot_be_written(
    results: Results, tmp_path: Path
) -> None:
    (tmp_path / "report").write_text("a file")
    with pytest.raises(MutationError) as refused:
        write_reports(results, tmp_path / "report")
    assert str(refused.value).startswith(
        f"{tmp_path / 'report'}: the report of the mutants cannot be written\n"
    )
