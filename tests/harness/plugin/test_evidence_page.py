"""The page of a run: whole in one file, and small enough to be opened."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from evidenced import folder_of_run, two_services
from tiny import Tiny

from nomock.evidence.causes import Cause
from nomock.evidence.markdown import markdown_of
from nomock.evidence.page import page_of

RUN = {"name": "20261130-041102-1", "command": "pytest", "commit": "abc", "is_changed": False}


def record(number: int, lines: int = 30, body: str = "{}", text: str = "assert 1 == 2") -> Any:
    """Evidence of a test that failed."""
    content = {"text": body, "bytes": len(body), "is_cut": False, "is_binary": False}
    exchange = {
        "at_s": 0.1,
        "answered_after_s": 0.1,
        "took_s": 0.2,
        "method": "POST",
        "error": "",
        "url": "http://web/x",
        "status": 503,
        "headers": [],
        "answer_headers": [],
        "body": content,
        "answer": content,
        "curl": "curl",
    }
    line = {"at_s": 0.1, "service": "web", "level": "info", "message": "m" * 80, "fields": {}}
    return {
        "version": 1,
        "test": {"id": f"t.py::test_{number}", "outcome": "failed", "took_s": 0.5, "began_s": 1},
        "failures": [{"phase": "call", "message": text, "text": text}],
        "exchanges": [exchange] * 5,
        "logs": [{**line, "whose": "own" if n % 3 else ""} for n in range(lines)],
        **{
            name: [] for name in ("services", "faults", "fault_story", "events", "missing", "trace")
        },
        "exchanges_cut": 0,
        "logs_cut": 0,
    }


class Scripts(HTMLParser):
    """What a browser makes of the page: its scripts by id, and every address in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.scripts: dict[str, str] = {}
        self.addresses: list[str] = []
        self._id: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.addresses += [str(v) for n, v in attrs if n in ("src", "href")]
        self._id = given.get("id") or "" if tag == "script" else None

    def handle_endtag(self, tag: str) -> None:
        self._id = None

    def handle_data(self, data: str) -> None:
        if self._id is not None:
            self.scripts[self._id] = self.scripts.get(self._id, "") + data


def test_the_page_should_hold_all_and_ask_for_nothing_when_it_has_two_tests() -> None:
    page = page_of(RUN, [record(1), record(2)], [[], []])
    found = Scripts(page)
    assert found.addresses == []
    assert "default-src 'none'" in page
    assert not re.search(r"url\(|@import|import\s*\(|fetch\(", page)
    assert set(found.scripts) == {"run", "t0", "t1", ""}
    assert [test["id"] for test in json.loads(found.scripts["run"])["tests"]] == [
        "t.py::test_1",
        "t.py::test_2",
    ]
    assert json.loads(found.scripts["t1"]) == record(2)


def test_a_script_should_not_be_ended_when_a_service_said_the_tag_that_ends_one() -> None:
    evil = "</script><script>alert(1)</script><!-- <script>"
    page = page_of({**RUN, "command": evil}, [record(1, body=evil, text=evil)])
    found = Scripts(page)
    assert set(found.scripts) == {"run", "t0", ""}
    assert json.loads(found.scripts["t0"])["failures"][0]["text"] == evil
    assert "innerHTML" not in page


@pytest.mark.slow
def test_a_page_should_be_smaller_than_20_megabytes_when_500_large_tests_failed() -> None:
    large = record(1, lines=2000, body="x" * 16_000, text="y" * 200_000)
    records = [{**large, "test": {**large["test"], "id": f"t.py::test_{n}"}} for n in range(500)]
    page = page_of(RUN, records)
    assert len(page) < 20_000_000
    found = Scripts(page)
    kept = json.loads(found.scripts["t499"])
    # Of what a test keeps, the newest lines, more of those that name it.
    assert kept["test"]["id"] == "t.py::test_499"
    assert any(line["whose"] == "own" for line in kept["logs"])
    assert json.loads(found.scripts["run"])["tests"][0]["is_trimmed"]


def test_the_page_should_keep_all_waits_and_the_longest_statements_when_there_are_too_many() -> (
    None
):
    statement = {"at_s": 0.0, "text": "s" * 2000, "service": "web", "state": "active"}
    statements = [{**statement, "longest_s": n / 10} for n in range(200)]
    waits = [{**statement, "until_s": 1.0}]
    large = {
        **record(1, lines=3000),
        "database": {"statements": statements, "lock_waits": waits},
        "trace": [{"service": "web", "name": "INSERT", "statement": "s" * 2000}] * 100,
    }
    kept = json.loads(Scripts(page_of(RUN, [large])).scripts["t0"])
    left = [each["longest_s"] for each in kept["database"]["statements"]]
    assert left == [n / 10 for n in range(199, 199 - len(left), -1)]
    assert 0 < len(left) < 200
    assert kept["database"]["lock_waits"] == waits
    assert {len(span["statement"]) for span in kept["trace"]} == {200}


@pytest.mark.slow
def test_a_run_should_write_its_page_and_say_where_when_tests_failed(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_services(tiny).tests("""
        import pytest

        @pytest.mark.parametrize("number", range(4))
        def test_number(stack, number):
            stack["web"].http.get(f"/{number}")
            assert number % 2
    """)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tiny.path / "summary.md"))
    result = tiny.run("-n1", "--junitxml=junit.xml")
    result.assert_outcomes(passed=2, failed=2)
    (page,) = folder_of_run(tiny).glob("index.html")
    run = json.loads(Scripts(page.read_text(encoding="utf-8")).scripts["run"])
    assert [test["id"] for test in run["tests"]] == [
        "test_tiny.py::test_number[0]",
        "test_tiny.py::test_number[2]",
    ]
    assert all((page.parent / test["file"]).is_file() for test in run["tests"])
    assert {test["worker"] for test in run["tests"]} == {"gw0"}
    result.stdout.fnmatch_lines(["*= evidence =*", str(page.relative_to(tiny.path))])
    # JUnit's XML links to each.
    xml = (tiny.path / "junit.xml").read_text(encoding="utf-8")
    links = re.findall(r'<property name="nomock_evidence" value="([^"]*)"', xml)
    assert len(links) == 2
    assert all((tiny.path / link).is_file() for link in links)
    # So does the summary of GitHub Actions, and `nomock evidence`.
    summary = (tiny.path / "summary.md").read_text(encoding="utf-8")
    assert summary.startswith("### 2 failed\n")
    row = "| test\\_tiny.py::test\\_number\\[0\\] | nothing but the test itself (call): "
    assert row in summary
    assert tiny.nomock("evidence", "--markdown").stdout.str().startswith("### 2 failed\n")
    tiny.nomock("evidence").stdout.fnmatch_lines(
        ["*index.html", "  test_tiny.py::test_number*: nothing but*", "    .nomock/*/evidence.json"]
    )


def test_markdown_should_show_a_message_as_text_when_it_is_markup() -> None:
    evil = "</details> | `x` <b> *a*\n```\n[l](http://x)"
    found = markdown_of(RUN, [record(1, text=evil)], [[Cause("error", evil, [evil], 1)]])
    table, _, rest = found.partition("<details>")
    assert "<b>" not in table
    assert "\\|" in table
    assert rest.count("</details>") == 2  # one of them in the fence
    assert f"````\n{evil}\n````" in rest
