"""Runs keep how their tests ended, by git tree, and ``nomock flaky`` tells what that comes to."""

from __future__ import annotations

import json
import os

import pytest
from repository import git
from schemas import checked
from tiny import Tiny, idle

from nomock.quality.results import ResultsBook, path_of

# It fails when it is the first of two, or where its file says so.
TESTS = """
    import os, pathlib, pytest
    seen = []

    def test_one(stack):
        seen.append(1)

    def test_two(stack):
        assert seen or not pathlib.Path("strict").exists()
        assert not pathlib.Path("red").exists()

    @pytest.mark.skip
    def test_three(stack): pass
"""


def results(tiny: Tiny) -> list[tuple[str, str, str]]:
    with ResultsBook.read(tiny.path / ".nomock") as book:
        return [
            (r.facts.tree[:7], r.ended.test.partition("::")[2], r.ended.outcome)
            for r in book.results()
        ]


@pytest.fixture
def repository(tiny: Tiny) -> Tiny:
    tiny.compose(only=idle())
    tiny.tests(TESTS)
    tiny.write(".gitignore", "red\nstrict\nstd*\n")
    git(tiny.path, "init", "--quiet")
    git(tiny.path, "add", "--all")
    return tiny


def test_a_test_should_be_told_when_it_passed_and_failed_on_the_same_files(
    repository: Tiny,
) -> None:
    tiny = repository  # without a commit yet
    tiny.run("-n2").assert_outcomes(passed=2, skipped=1)
    git(tiny.path, "commit", "--quiet", "-m", "the same files")
    tiny.write("red", "")
    tiny.run("-p", "no:randomly").assert_outcomes(passed=1, failed=1, skipped=1)
    tree = git(tiny.path, "rev-parse", "HEAD^{tree}")[:7]
    assert sorted(results(tiny)) == [
        (tree, "test_one", "passed"),
        (tree, "test_one", "passed"),
        (tree, "test_three", "skipped"),
        (tree, "test_three", "skipped"),
        (tree, "test_two", "failed"),
        (tree, "test_two", "passed"),
    ]
    shown = tiny.nomock("flaky")
    assert shown.outlines == [
        "4 results: 2 tests, 2 runs, 1 trees",
        "2 tests ran more than once on the same files; 1 of them passed and failed there",
        "",
        "failed  rate  95 % sure  test",
        "1 of 2  50%   9% to 91%  test_tiny.py::test_two",
    ]
    told = checked("flaky", tiny.nomock("flaky", "--json").stdout.str())
    assert [one["test"] for one in told["flaky"]] == ["test_tiny.py::test_two"]
    (tiny.path / "red").unlink()
    tiny.write("new.py", "")  # not in git yet, and another tree
    tiny.run().assert_outcomes(passed=2, skipped=1)
    assert len({found for found, _, _ in results(tiny)}) == 2


def test_nothing_should_be_kept_when_there_is_no_git(tiny: Tiny) -> None:
    tiny.compose(only=idle())
    tiny.tests("def test_it(stack): pass")
    tiny.run().assert_outcomes(passed=1)
    assert not path_of(tiny.path / ".nomock").exists()
    refused = tiny.nomock("flaky")
    assert refused.ret == 1
    assert "cannot be told without git" in refused.stderr.str()


def test_the_run_should_be_green_and_say_why_when_results_cannot_be_kept(
    repository: Tiny,
) -> None:
    tiny = repository
    path_of(tiny.path / ".nomock").parent.mkdir()
    path_of(tiny.path / ".nomock").write_bytes(b"no database " * 400)
    run = tiny.run()
    run.assert_outcomes(passed=2, skipped=1)
    assert run.ret == 0
    assert run.stdout.str().count("results cannot be kept or read") == 1
    refused = tiny.nomock("flaky")
    assert refused.ret == 1
    assert "results cannot be kept or read" in refused.stderr.str()


@pytest.mark.slow
def test_a_hunt_should_find_a_test_when_it_depends_on_the_order(repository: Tiny) -> None:
    tiny = repository
    tiny.write("strict", "")
    # By Python's generator the second order, 6, has test_two before test_one.
    bounds = ("--hunt", "1h", "--most-runs", "2", "--seed", "5")
    hunted = tiny.nomock("flaky", "--json", *bounds, "test_tiny.py")
    said = hunted.stderr.lines
    assert said[0] == "no slow network: no edge of this stack runs through Toxiproxy"
    assert said[1].startswith("run 1, --shuffle 5: 2 passed, 1 skipped in ")
    busy = 2 * (os.cpu_count() or 1)
    assert said[2].startswith(f"run 2, --shuffle 6, {busy} busy processes: 1 failed, 1 passed, ")
    (flaky,) = json.loads(hunted.stdout.str())["flaky"]
    assert (flaky["test"], flaky["seeds"]) == ("test_tiny.py::test_two", [6])
    tiny.run("--shuffle", "6").assert_outcomes(passed=1, failed=1, skipped=1)


def test_a_hunt_should_end_with_the_reason_when_no_test_can_run(repository: Tiny) -> None:
    hunted = repository.nomock("flaky", "--hunt", "1m", "there_is_no.py")
    assert hunted.ret == 1
    assert "pytest ended with 4 before its tests did" in hunted.stderr.str()
    assert "there_is_no.py" in hunted.stderr.str()


def test_tests_should_be_refused_when_there_is_no_hunt(repository: Tiny) -> None:
    refused = repository.nomock("flaky", "test_tiny.py")
    assert refused.ret == 1
    assert "only a hunt runs tests" in refused.stderr.str()


# As pytest-rerunfailures does it: what comes after the failed phase of an attempt is not reported.
RERUNS = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    while True:
        for report in runtestprotocol(item, nextitem=nextitem, log=False):
            if report.failed and not hasattr(item, "is_again"):
                item.is_again, report.outcome = True, "rerun"
                item.ihook.pytest_runtest_logreport(report=report)
                item._initrequest()
                break
            item.ihook.pytest_runtest_logreport(report=report)
        else:
            return True
"""


def test_an_attempt_should_be_a_failure_when_another_plugin_tries_again(repository: Tiny) -> None:
    tiny = repository
    tiny.write("conftest.py", RERUNS)
    tiny.tests("seen = []\ndef test_it(stack):\n    seen.append(1)\n    assert len(seen) == 2")
    tiny.run("-p", "no:rerunfailures").assert_outcomes(passed=1)
    assert [how for _, _, how in results(tiny)] == ["failed", "passed"]
