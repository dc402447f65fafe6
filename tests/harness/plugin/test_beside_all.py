"""A project whose environment is crowded: each plugin that people have, beside nomock, at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from foreign import Foreign
from tiny import IMAGE, settled_image

# Other libraries' own warnings are none of ours; a plugin that is off is one more combination.
OFF = ("-p", "no:randomly", "-p", "no:sugar")


@pytest.fixture
def crowd(foreign: Callable[..., Foreign], beside_bin: Path) -> Foreign:
    """A copy of the project, with an edge that `nomock edges --init` made."""
    project = foreign("crowd", commands=beside_bin)
    project.environ["TOXIPROXY_IMAGE"] = settled_image("TOXIPROXY_IMAGE", "nomock/toxiproxy:2.12.0")
    project.environ["PYTHON_IMAGE"] = IMAGE
    made = project.nomock("edges", "--init")
    assert "wrote docker-compose.edges.yml" in made, made.text
    return project


def counts(text: str) -> dict[str, int]:
    """Return outcome -> number, of pytest's last line or pytest-sugar's last lines."""
    found = re.findall(r"(\d+) (passed|failed|rerun|error)", text)
    return {outcome: int(number) for number, outcome in found}


@pytest.mark.slow
def test_tests_should_be_green_and_each_report_its_own_when_all_plugins_are_there(
    crowd: Foreign,
) -> None:
    done = crowd.pytest(
        "--nomock-sidecar-coverage", "--cov=tests", "--cov-report=xml:own.xml", "--timeout=100",
        "--junitxml=junit.xml", "--html=report.html", "--alluredir=allure",
    )  # fmt: skip
    assert (done.code, counts(done.text)) == (0, {"passed": 7}), done.text
    assert len(list(ElementTree.parse(crowd.path / "junit.xml").iter("testcase"))) == 7
    assert (crowd.path / "report.html").exists()
    assert len(list((crowd.path / "allure").glob("*-result.json"))) == 7

    # Who reports what: pytest-cov the tests, nomock the services, and both add up.
    own = {c.get("filename") for c in ElementTree.parse(crowd.path / "own.xml").iter("class")}
    assert {"test_async.py", "test_django.py"} <= own
    services = ElementTree.parse(crowd.path / "coverage-report/coverage.xml")
    lines = {c.get("filename"): c.get("line-rate") for c in services.iter("class")}
    assert lines == {"app/web.py": "1"}
    assert re.search(r"(?m)^web +1 +9 +9 +100\.0 +\d", done.text), done.text


@pytest.mark.slow
def test_trouble_should_be_that_of_one_test_when_plugins_repeat_it_and_end_it(
    crowd: Foreign,
) -> None:
    # What PyCharm gives pytest, with the protocol that it reads.
    trouble = crowd.pytest(
        *OFF, "--teamcity", "--no-header", "--no-summary", "-q", "-s", "tests/trouble.py"
    )
    assert (trouble.code, counts(trouble.text)) == (
        1,
        {"passed": 2, "failed": 1, "rerun": 1},
    ), trouble.text
    assert "testFinished" in trouble
    records = [json.loads(p.read_text()) for p in crowd.path.glob(".nomock/evidence/*/*/*.json")]
    assert {r["test"]["name"]: len(r["failures"]) for r in records} == {
        "test_repeated": 1,
        "test_hangs": 1,
    }

    # The process ends in the middle of a fault; the next run heals it, and trio is none of asyncio.
    killed = crowd.pytest(*OFF, "--timeout-method=thread", "tests/trouble.py", "-k", "hangs")
    assert (killed.code, "Timeout" in killed) == (1, True), killed.text
    without = [f"no:{name}" for name in ("asyncio", "xdist", "logging", "warnings", "faulthandler")]
    others = crowd.pytest(
        *OFF, *(word for name in without for word in ("-p", name)),
        "tests/trio_alone.py", "tests/trouble.py", "-k", "web or after",
    )  # fmt: skip
    assert (others.code, counts(others.text)) == (0, {"passed": 3}), others.text
    listed = crowd.pytest("--collect-only", "-q")
    assert (listed.code, listed.text.count("::test_")) == (0, 7), listed.text
