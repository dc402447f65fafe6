"""``nomock quality``: one page of what was measured; what was not says by which command it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tiny import Tiny, idle

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
)
from nomock.quality.page import Section, Table, page_of
from nomock.quality.results import Ended, ResultsBook, RunFacts, RunTimes, path_of

WHEN = "2026-11-30T18:00:00+00:00"
RECORDS = [
    Mutation(WHEN, 0.9, 9, 1, 1, 2, 1, 0, 3, (MutatedFile("web/app.py", 9, 1, 2, 1),)),
    Defects(
        WHEN,
        (
            Defect("quota", "a race", "t.py::test_quota", 1.5, None, None),
            Defect("typo", "a typo", "t.py::test_typo", 0.5, "m.py::test_typo", 0.1),
            Defect("lost", "a typo", None, None, None, None),
        ),
        40,
        2.5,
    ),
    Contracts(WHEN, (Check("environment", 64, ("web: <DB> is not set",)), Check("openapi", 9, ()))),
    Properties(WHEN, (Invariant("ids are unique", "t.py::test_ids", 30, 2.1, "holds"),)),
]


@pytest.fixture
def shop(tiny: Tiny) -> Tiny:
    tiny.compose(web=idle(build="web"))
    tiny.write("web/Dockerfile", "FROM scratch\n")
    tiny.write("web/app.py", "def serve(x): return x and x\n")
    return tiny


def measured(state: Path) -> None:
    for record in RECORDS:
        leave(state, record)
    with ResultsBook.write(state) as book:
        for number, outcome in enumerate(("passed", "failed")):
            run = book.add_run(RunFacts("tree", float(number)))
            for place, test in enumerate(("t.py::test_a_should_b_when_c", "t.py::test_login")):
                how = outcome if place else "passed"
                book.add(run, Ended(test, how, 0.5 + place, 0, place, 1.0))
            book.end_run(run, RunTimes(9.0, 4.0 * number, is_warm=not number))


def page(tiny: Tiny) -> dict[str, str]:
    """Return each section of the page as its text."""
    done = tiny.nomock("quality")
    assert done.ret == 0, done.stderr.str()
    assert done.outlines[-1] == ".nomock/quality/index.html"
    html = (tiny.path / ".nomock/quality/index.html").read_text()
    assert "<script" not in html
    assert not re.search(r"(src|href)=.?(https?:|//)|url\(", html)
    sections = re.findall(r'<section id="([\w-]+)">(.*?)</section>', html, re.DOTALL)
    return {name: re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)) for name, text in sections}


def test_the_page_should_have_each_metric_when_all_was_measured(shop: Tiny) -> None:
    measured(shop.path / ".nomock")
    found = page(shop)
    for name, words in {
        "mutants": ["90 %", "of 10 mutants", "Left for the next run: 3", "web/app.py"],
        "defects": ["66 %", "33 % by a twin with mocks", "a typo 2 1 1", "stack: lost"],
        "stability": ["1 flaky", "of 2 tests", "t.py::test_login 1 of 2 9% to 91%"],
        "speed": ["1.00 s", "Stack cold: 4.00 s", "t.py::test_login 1.50 s 2"],
        "names": ["50 %", "test_login_should_&lt;outcome&gt;_when_&lt;condition&gt;"],
        "contracts": ["1 finding", "73 places", "web: &lt;DB&gt; is not set"],
        "properties": ["1 of 1", "by 30 examples", "ids are unique holds 30 2.10 s"],
        "risk": ["web/app.py", "90 %", "90% of its mutants killed"],
    }.items():
        for word in words:
            assert word in found[name], (name, word, found[name])


def test_the_page_should_say_by_which_command_when_nothing_was_measured(shop: Tiny) -> None:
    found = page(shop)
    assert list(found) == [
        *("mutants", "defects", "stability", "speed"),
        *("names", "contracts", "properties", "risk"),
    ]
    unmeasured = [name for name, text in found.items() if "Not measured yet. How:" in text]
    assert unmeasured == [name for name in found if name != "risk"]
    assert "web/app.py" in found["risk"]


def test_the_page_should_show_the_rest_when_some_of_it_cannot_be_read(shop: Tiny) -> None:
    state = shop.path / ".nomock"
    measured(state)
    (state / "quality/defects.json").write_text('{"version": 7}')
    path_of(state).write_bytes(b"no database" * 400)
    found = page(shop)
    assert "its version is 7, and this nomock reads 1" in found["defects"]
    for name in ("stability", "speed", "names"):
        assert "results cannot be kept or read" in found[name]
    assert "90 %" in found["mutants"]


def test_a_text_should_be_no_html_when_it_looks_like_some() -> None:
    section = Section("<b>", "<i>", "<u>", "&amp;", Table(("<s>",), [("<t>",)]), ["<n>"], "<c>")
    html = page_of("<p>", "<w>", [section])
    for tag in ("<i>", "<u>", "<s>", "<t>", "<n>", "<c>", "<w>"):
        assert tag not in html.partition("</style>")[2]
