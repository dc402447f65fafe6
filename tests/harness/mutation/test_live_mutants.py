"""``nomock test-mutation``: a running service has mutants, and its tests say which they notice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from covered import overlay, spied
from schemas import checked
from tiny import LISTENS, NOMOCK, Tiny, server

from nomock.mutation import Status
from nomock.mutation.live.results import Passed, Result, Results, results_file
from nomock.polling import wait_until

# No test runs a line of it, and what it makes they all use.
FACTORS = "FACTOR = 3\n"
SHOP = '''\
"""Prices."""

from factors import FACTOR


def price(count):
    """Return a price."""
    total = count * FACTOR
    if count > 10:
        return total - 1
    return total


def unasked(count):
    return count + 1
'''
SERVE = """
import http.server
import shop

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = str(shop.price(int(self.path[1:]))).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *said):
        pass

http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""
TESTS = """
    import pytest

    def price(stack, count):
        return int(stack["app"].http.get(f"/{count}").text)

    def test_price_should_be_the_usual_when_few_are_bought(stack):
        assert price(stack, 1) == 3

    def test_price_should_be_less_when_many_are_bought(stack):
        assert price(stack, 20) < 60
"""

MORE = """\
MOST = 7


def price(count):
    return cheaper(min(count, MOST)) + 9 * none() * nothing()


def cheaper(count):
    if count > 5:
        return count - 1
    return count


def none():
    return 0


def nothing():
    return 0
"""
# What takes faults waits for the last round.
LATE = """
    def price(stack, count):
        return int(stack["app"].http.get(f"/{count}").text)

    def test_price_should_be_a_number_when_one_asks(stack):
        price(stack, 1)

    def test_price_should_be_less_when_many_are_bought(stack, faults):
        with faults.none("app"):  # who else used the stack would be in its way
            assert price(stack, 6) == 5
            assert price(stack, 20) == 6

    def test_price_should_be_low_when_none_is_bought(stack, faults):
        assert price(stack, 0) < 9
"""

# Each is red once with a group of them, and not again.
BY_CHANCE = """
    import re
    from pathlib import Path
    from nomock import baggage_header

    def price(stack, count, name):
        together = re.search(r"nomock.mutant=([0-9a-f]+-[^.]+)", baggage_header())
        if together:
            before = Path(name + together[1])
            is_late = not before.exists()
            before.touch()
            assert not is_late
        return int(stack["app"].http.get(f"/{count}").text)

    def test_price_should_be_a_number_when_one_asks(stack, faults):
        price(stack, 6, "one")

    def test_price_should_be_a_number_when_another_asks(stack, faults):
        price(stack, 6, "another")
"""

# The command without its second round: their few tests would all run in that.
AT_ONCE = """
import sys
from nomock.cli import main, mutation
mutation.ROUNDS = (mutation.ROUNDS[0], mutation.ROUNDS[-1])
sys.exit(main())
"""

FRAGILE = """\
STEP = 1
assert STEP == 1


def price(count):
    paid = 0
    while paid < count:
        paid = paid + STEP
    return paid


def free(count):
    return count * 9
"""

MORE_TESTS = """
def test_price_should_be_the_usual_when_five_are_bought(stack):
    assert int(stack["app"].http.get("/5").text) == 5
"""


@pytest.fixture
def shop(tiny: Tiny) -> Tiny:
    """A service of which a covered run knows what its tests run."""
    tiny.write("app/factors.py", FACTORS)
    return covered(tiny, SHOP, TESTS)


def covered(tiny: Tiny, source: str, tests: str) -> Tiny:
    tiny.compose(
        app=server(
            command=["python3", "-u", "serve.py"],
            volumes=["./app:/srv:ro"],
            healthcheck=LISTENS,
        )
    )
    overlay(tiny, app=spied("app"))
    tiny.write("app/shop.py", source)
    tiny.write("app/serve.py", SERVE)
    tiny.tests(tests)
    run = tiny.run("--nomock-sidecar-coverage")
    assert run.ret == 0, run.outlines
    return tiny


def test_mutants_should_be_told_from_one_another_when_tests_run_with_each(shop: Tiny) -> None:
    named = ["app/shop.py", "app/factors.py"]
    ended = shop.nomock("test-mutation", *named, "--workers", "2")
    assert ended.ret == 0, (ended.outlines, ended.errlines)
    told = _told(shop)
    status = {(m["original"], m["replacement"]): m["status"] for m in told["mutants"]}
    # What no test asks for, and what one asks for on both sides.
    assert status["+", "-"] == "no coverage"
    assert status["*", "/"] == "killed"
    assert status[">", ">="] == "survived"
    assert status["total - 1", "None"] == "killed"
    # Of what an import runs.
    assert status["3", "4"] == "killed"
    assert told["left"] == 0
    assert {m["status"] for m in told["mutants"]} == {"killed", "survived", "no coverage"}
    (survivor,) = (m for m in told["mutants"] if m["replacement"] == ">=")
    assert sorted(survivor["covered_by"]) == [
        "test_tiny.py::test_price_should_be_less_when_many_are_bought",
        "test_tiny.py::test_price_should_be_the_usual_when_few_are_bought",
    ]
    assert any("if count >= 10:" in line for line in ended.outlines)
    # With the last request nothing is on any more, and nothing is left of it.
    assert not list((shop.path / ".nomock/coverage").glob("mutants.*"))
    assert shop.run("--nomock-sidecar-coverage").ret == 0
    # What is known need not be found out again: nothing is started for it.
    again = shop.nomock("test-mutation", *named)
    assert not any("starting" in line for line in again.errlines)
    aside = shop.nomock("mutants", "--aside", survivor["id"], "--reason", "10 costs as much")
    assert aside.ret == 0
    assert [m["note"] for m in _told(shop)["mutants"] if m["status"] == "set aside"] == [
        "10 costs as much"
    ]


@pytest.mark.slow
def test_survivors_should_be_told_apart_when_all_tests_run_with_several_at_once(
    tiny: Tiny,
) -> None:
    covered(tiny, MORE, LATE)
    ended = at_once(tiny)
    assert ended.ret == 0, (ended.outlines, ended.errlines)
    told = _told(tiny)["mutants"]
    found = {(m["original"], m["replacement"]): m for m in told}
    late = "test_tiny.py::test_price_should_be_less_when_many_are_bought"
    for what in (("7", "8"), ("5", "6"), ("-", "+")):
        assert (found[what]["status"], found[what]["killed_by"]) == ("killed", [late]), what
    assert found[">", ">="]["status"] == "survived"
    # Tests are red with both of these, and with neither of them alone.
    together = [m for m in told if (m["original"], m["replacement"]) == ("0", "1")]
    assert [(m["qualname"], m["status"]) for m in together] == [
        ("none", "survived"),
        ("nothing", "survived"),
    ]
    assert not any("have tests left" in line for line in ended.outlines)
    # A new test is all that the survivors meet then.
    tiny.write("test_more.py", MORE_TESTS)
    assert tiny.run("--nomock-sidecar-coverage", "test_more.py").ret == 0
    before = results_file(tiny.path / ".nomock").read_text(encoding="utf-8")
    assert at_once(tiny).ret == 0
    found = {(m["original"], m["replacement"]): m for m in _told(tiny)["mutants"]}
    new = "test_more.py::test_price_should_be_the_usual_when_five_are_bought"
    assert found[">", ">="]["killed_by"] == [new]
    after = results_file(tiny.path / ".nomock").read_text(encoding="utf-8")
    tests = {json.loads(line).get("test") for line in after[len(before) :].splitlines()}
    assert tests <= {None, new}


@pytest.mark.slow
def test_survivors_should_stay_together_when_a_test_is_red_by_chance(tiny: Tiny) -> None:
    covered(tiny, MORE, BY_CHANCE)
    ended = at_once(tiny)
    assert ended.ret == 0, (ended.outlines, ended.errlines)
    lines = results_file(tiny.path / ".nomock").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    groups: dict[str, set[frozenset[str]]] = {}
    for one in found:
        if "test" in one:
            groups.setdefault(one["test"], set()).add(frozenset(one["mutants"]))
    first, second = groups.values()
    assert first == second
    assert max(len(group) for group in first) > 1


@pytest.mark.slow
def test_mutant_should_be_noticed_when_its_service_hangs_or_does_not_start(tiny: Tiny) -> None:
    covered(tiny, FRAGILE, TESTS.replace("== 3", "== 1"))
    _commit(tiny)
    tiny.write("app/shop.py", FRAGILE.replace("return paid", "return int(paid)"))
    assert tiny.run("--nomock-sidecar-coverage").ret == 0
    ended = tiny.nomock("test-mutation", "app/shop.py", "--since", "HEAD", "--workers", "1")
    assert ended.ret == 0, (ended.outlines, ended.errlines)
    changed = {(m["original"], m["replacement"]): m for m in _told(tiny)["mutants"]}
    assert {m["qualname"] for m in changed.values()} == {"price"}
    assert changed["int(paid)", "None"]["status"] == "killed"
    assert changed["+", "-"]["status"] == "timed out"
    ended = tiny.nomock("test-mutation", "app/shop.py", "--workers", "1")
    assert ended.ret == 0, (ended.outlines, ended.errlines)
    found = {(m["original"], m["replacement"]): m for m in _told(tiny)["mutants"]}
    assert changed.items() <= found.items()
    assert found["1", "2"]["status"] == "killed"
    assert found["1", "2"]["note"].startswith("does not start: ")
    assert found["*", "/"]["status"] == "no coverage"
    assert tiny.run().ret == 0


@pytest.mark.slow
def test_next_run_should_go_on_when_one_was_killed(shop: Tiny) -> None:
    results = Results(results_file(shop.path / ".nomock"))
    command = [NOMOCK, "test-mutation", "app/shop.py", "--workers", "1"]
    with subprocess.Popen(command, cwd=shop.path, start_new_session=True) as run:
        wait_until(lambda: bool(results.all()) or run.poll() is not None, within_s=120)
        assert run.poll() is None
        os.kill(run.pid, signal.SIGKILL)
    before = results.all()
    assert shop.run().ret == 0  # no mutant is on
    ended = shop.nomock("test-mutation", "app/shop.py", "--workers", "1")
    assert ended.ret == 0, (ended.outlines, ended.errlines)
    told = _told(shop)
    assert told["left"] == 0
    lines = results_file(shop.path / ".nomock").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    tried = [one["mutant"] for one in found if "mutant" in one]
    assert sorted(tried) == sorted(set(tried))
    assert before.keys() <= {m["id"] for m in told["mutants"]}


@pytest.mark.slow
def test_what_is_known_should_be_shown_when_a_run_is_interrupted(shop: Tiny) -> None:
    results = Results(results_file(shop.path / ".nomock"))
    command = [NOMOCK, "test-mutation", "app/shop.py", "--workers", "1"]
    out = subprocess.PIPE
    with subprocess.Popen(command, cwd=shop.path, stdout=out, text=True) as run:
        wait_until(lambda: bool(results.all()) or run.poll() is not None, within_s=120)
        known = results.all().keys()
        run.send_signal(signal.SIGINT)
        said, _ = run.communicate(timeout=120)
    assert "report: " in said
    assert known <= {m["id"] for m in _told(shop)["mutants"]}


def test_result_should_be_as_if_it_were_not_when_its_line_is_broken(tmp_path: Path) -> None:
    results = Results(tmp_path / "mutation" / "results.ndjson")
    first = Result("0a", Status.KILLED, ("test_a.py::test",), source="1", tests="2")
    results.add(first)
    with (tmp_path / "mutation" / "results.ndjson").open("a", encoding="utf-8") as file:
        file.write('{"mutant":"0b","sta\n')
    results.add(Result("0c", Status.SURVIVED))
    assert list(results.all()) == ["0a", "0c"]
    assert results.all()["0a"] == first


def test_test_should_meet_a_survivor_again_when_its_file_has_changed(tmp_path: Path) -> None:
    results = Results(tmp_path / "mutation" / "results.ndjson")
    first = {"test_a.py": "1", "test_b.py": "1"}
    results.add(Result("0a", Status.SURVIVED, ran=("test_a.py::a",), files={"test_a.py": "1"}))
    results.add(Passed("test_b.py::b", ("0a", "0b"), ran=False, reached=("0a",), of="1"))
    known = results.all()["0a"]
    assert (known.ran, known.unable, known.reached) == (("test_a.py::a",), ("test_b.py::b",), True)
    assert known.of(first) == ("test_a.py::a", "test_b.py::b")
    assert known.of({**first, "test_a.py": "2"}) == ("test_b.py::b",)
    results.add(Passed("test_a.py::new", ("0a",), ran=True, reached=(), of="2"))
    assert results.all()["0a"].ran == ("test_a.py::new",)
    assert Results(tmp_path / "mutation" / "results.ndjson").all() == results.all()


def _commit(tiny: Tiny) -> None:
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
    for command in (["init", "--quiet"], ["add", "app"], ["commit", "--quiet", "-m", "begin"]):
        subprocess.run(["git", *who, *command], cwd=tiny.path, check=True)


def at_once(tiny: Tiny) -> pytest.RunResult:
    command = [sys.executable, "-c", AT_ONCE, "test-mutation", "app/shop.py", "--workers", "1"]
    return tiny.pytester.run(*command, timeout=120)


def _told(tiny: Tiny) -> Any:
    ended = tiny.nomock("mutants", "--json")
    assert ended.ret == 0, ended.errlines
    return checked("mutants", ended.stdout.str())
