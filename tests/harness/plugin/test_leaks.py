"""The option --leaks: who leaves what in the stores of a stack."""

from __future__ import annotations

import re

import pytest
from evidenced import evidence_of
from stores import POSTGRES
from tiny import NO_PYTHON_IMAGE, Tiny, idle

from nomock.leaks.difference import leaks_of, minus, plus

REDIS = {
    **idle(image=NO_PYTHON_IMAGE),
    "command": ["redis-server", "--save", ""],
    "ports": ["127.0.0.1::6379"],
}
REDIS.pop("network_mode")
TESTS = """
    import pytest

    def write(postgres, statement):
        with postgres.connect() as connection:
            connection.execute(statement)

    def redis(stack, *words):
        stack["cache"].exec("redis-cli", *words)

    @pytest.fixture(scope="module", autouse=True)
    def seed(postgres):
        write(postgres, "create table if not exists things (name text)")
        write(postgres, "create table if not exists beats (at timestamptz)")
        write(postgres, "insert into things values ('seed'), ('other')")
        yield
        write(postgres, "delete from things where name in ('seed', 'other')")

    @pytest.fixture(scope="module")
    def undo_forgotten(postgres):
        write(postgres, "insert into things values ('of the module')")

    @pytest.fixture
    def thing(postgres):
        write(postgres, "insert into things values ('mine')")
        yield "mine"
        write(postgres, "delete from things where name = 'mine'")

    def test_clean(stack, postgres, thing):
        write(postgres, "insert into beats values (now())")
        redis(stack, "set", "cached", "1", "ex", "100")

    def test_leaves(stack, postgres, thing):
        write(postgres, "insert into things values ('left'), ('left')")
        redis(stack, "set", "session:7", "1")
        redis(stack, "rpush", "jobs", "a", "b")

    def test_takes(postgres):
        write(postgres, "delete from things where ctid = "
            "(select ctid from things where name = 'left' limit 1)")

    def test_changes(postgres):
        write(postgres, "update things set name = 'seed!' where name = 'seed'")
        write(postgres, "update things set name = 'seed' where name = 'seed!'")
        write(postgres, "update things set name = 'changed' where name = 'left'")

    def test_open(postgres):
        global kept
        kept = postgres.connect()
        kept.execute("select 1")

    def test_module(undo_forgotten):
        kept.close()

    def test_last(postgres):
        pass
"""


@pytest.mark.slow
def test_each_test_and_fixture_should_be_named_when_it_leaves_something(tiny: Tiny) -> None:
    tiny.compose(db=POSTGRES, cache=REDIS)
    tiny.tests(TESTS)
    result = tiny.run("--leaks", "-o", "junit_family=xunit1", "--junitxml=junit.xml")
    result.assert_outcomes(passed=7)
    text = result.stdout.str()
    found = re.search("=* what tests left behind =*\n(.*?)\n=", text, re.DOTALL)
    assert found is not None
    assert found[1].strip().splitlines() == [
        "test_tiny.py::test_clean",
        "  left 1 row in public.beats",
        "test_tiny.py::test_leaves",
        "  left 2 entries in the queue jobs",
        "  left 1 key named session:7",
        "  left 2 rows in public.things",
        "test_tiny.py::test_takes",
        "  took away 1 row in public.things that it had found",
        "test_tiny.py::test_changes",
        "  changed rows in public.things",
        "test_tiny.py::test_open",
        "  left 1 connection of test, in a transaction open",
        "test_tiny.py::test_last",
        "  fixture undo_forgotten (module) left 1 row in public.things",
    ]
    assert "left 1 key named session:7" in (tiny.path / "junit.xml").read_text(encoding="utf-8")

    tiny.write("pyproject.toml", '[tool.nomock]\nleaks_ignore = ["public.beats"]\n')
    result = tiny.run("--leaks", "-k", "test_clean")
    result.stdout.fnmatch_lines(["nomock: no test left anything behind"])

    # What nomock itself has open is nobody's leak, and what there is none of is not missed.
    tiny.compose(db=POSTGRES)
    tiny.tests("""
        from nomock.lanes.clone import Clone

        def test_clones(stack, postgres):
            global kept
            kept = Clone(postgres, "x", [])._alone()
            kept.__enter__()

        def test_leaves(postgres):
            with postgres.connect() as connection:
                connection.execute("create table late as select 1 as a")

        def test_fails(postgres):
            with postgres.connect() as connection:
                connection.execute("insert into late values (2), (3)")
            assert False
    """)
    result = tiny.run("--leaks")
    result.stdout.no_fnmatch_line("*was not looked at*")
    assert evidence_of(tiny, "test_fails")["left"] == [
        {"test": "test_tiny.py::test_leaves", "text": "left 1 row in public.late"},
        {"test": "test_tiny.py::test_fails", "text": "left 2 rows in public.late"},
    ]

    result = tiny.run("--leaks", "-n2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "what one test leaves cannot be told: all workers share" in result.stderr.str()


def test_no_difference_should_be_left_when_what_a_fixture_made_is_taken_off() -> None:
    before = {("rows", "t"): (2, 30), ("keys", "k"): (1, 1)}
    made = {("rows", "t"): (1, 12)}
    after = plus(before, made)
    assert after == {("rows", "t"): (3, 42), ("keys", "k"): (1, 1)}
    assert minus(after, before) == made
    assert minus(minus(after, made), before) == {}
    changed = leaks_of({("rows", "t"): (0, 5), ("rows", "beats"): (1, 1)}, ("beat*",))
    assert [str(leak) for leak in changed] == ["changed rows in t"]
