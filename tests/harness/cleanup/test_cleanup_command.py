"""`nomock cleanup` shows what tests left, and removes that and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing

import pytest
from schemas import checked
from tiny import Tiny

from nomock.names import make
from nomock.stack import Stack


@pytest.fixture
def left(stores: Tiny) -> Iterator[Stack]:
    """The stack with three rows that tests left, and one that is real."""
    with closing(stores.stack()) as stack:
        with stack.postgres.connect() as connection:
            connection.execute(
                "drop table if exists things; create table things (id int, name text);"
                "insert into things values (1, 'TEST of mine'), (2, 'TEST other'), (3, 'real')"
            )
            name = make("thing", "tkx3f2a9q", 1, "test_x.py::test_it")
            connection.execute("insert into things values (4, %s)", [name])
        yield stack
        with stack.postgres.connect() as connection:
            connection.execute("drop table things")


def ids(stack: Stack) -> list[int]:
    with stack.postgres.connect() as connection:
        return [row[0] for row in connection.execute("select id from things order by 1")]


def test_what_tests_left_should_be_removed_when_a_person_says_so(left: Stack, stores: Tiny) -> None:
    shown = stores.nomock("cleanup")
    assert shown.ret == 0
    assert shown.outlines[0].split() == ["count", "kind", "where", "run", "age", "such", "as"]
    assert shown.outlines[1] == "2      rows  public.things  -          -     TEST of mine"
    assert shown.outlines[2].startswith("1      rows  public.things  tkx3f2a9q  ")
    assert " TEST tkx3f2a9q.1 thing test_it " in shown.outlines[2]
    assert shown.outlines[3] == "3 that tests left"

    found = checked("cleanup", stores.nomock("cleanup", "--json").stdout.str())
    assert found[0] == {
        "kind": "rows",
        "stack": stores.name,
        "where": "public.things",
        "run": "",
        "age_s": None,
        "count": 2,
        "example": "TEST of mine",
    }

    asked = stores.nomock("cleanup", "--remove")  # and nobody is there to answer
    assert asked.ret == 1
    assert "say yes beforehand: nomock cleanup --remove --yes" in asked.stderr.str()
    assert ids(left) == [1, 2, 3, 4]

    younger = stores.nomock("cleanup", "--remove", "--yes", "--older-than", "365000d")
    assert (younger.ret, younger.outlines[-1]) == (0, "removed 0 that tests had left")
    assert "its age is not known" in younger.stderr.str()
    one = stores.nomock("cleanup", "--remove", "--yes", "--run", "tkx3f2a9q")
    assert one.outlines[-1] == "removed 1 that tests had left"
    assert ids(left) == [1, 2, 3]
    rest = stores.nomock("cleanup", "--remove", "--yes", "--json")
    assert json.loads(rest.stdout.str())["removed"] == 2
    assert ids(left) == [3]


def test_rows_of_no_run_should_be_kept_when_a_run_uses_the_stack(left: Stack, stores: Tiny) -> None:
    left.prepare(who="pytest tests/test_it.py")
    kept = stores.nomock("cleanup", "--remove", "--yes")
    assert kept.outlines[-1] == "removed 1 that tests had left"
    said = kept.stderr.str()
    assert "kept: 2 rows of public.things: it may be of a run that is alive" in said
    assert "pytest tests/test_it.py" in said
    assert ids(left) == [1, 2, 3]


def test_what_is_refused_should_be_said_when_the_rest_is_removed(left: Stack, stores: Tiny) -> None:
    with left.postgres.connect() as connection:
        connection.execute(
            "create function keep() returns trigger language plpgsql as"
            " $$ begin raise exception 'it is for ever'; end $$;"
            "create trigger keep before delete on things for each row when (old.id = 1)"
            " execute function keep()"
        )
    done = stores.nomock("cleanup", "--remove", "--yes")
    assert (done.ret, done.outlines[-1]) == (1, "removed 2 that tests had left")
    assert "database, public.things: 1 row cannot be deleted\n  it is for ever" in done.stderr.str()
    assert ids(left) == [1, 3]


def test_nothing_should_be_removed_when_no_test_has_used_the_stack(
    left: Stack, stores: Tiny
) -> None:
    (lock,) = (stores.path / ".nomock").glob("*.lock")
    lock.unlink()
    refused = stores.nomock("cleanup", "--remove", "--yes")
    assert refused.ret == 1
    assert "no test has ever used this stack: nothing is removed there" in refused.stderr.str()
    assert ids(left) == [1, 2, 3, 4]
    lock.touch()


def test_a_wrong_rule_should_be_named_when_settings_are_read(stores: Tiny) -> None:
    stores.write("pyproject.toml", '[[tool.nomock.cleanup]]\ntables = "x"\nlike = "%"\n')
    said = stores.nomock("cleanup").stderr.str()
    assert "rule 1: like = '%' would be every row: name how they begin" in said
    stores.write("pyproject.toml", '[[tool.nomock.cleanup]]\ntables = "thngs"\n')
    said = stores.nomock("cleanup").stderr.str()
    assert "a rule is about tables that are not there: thngs" in said
