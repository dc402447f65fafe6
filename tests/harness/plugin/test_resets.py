"""The setting `reset`: a test finds the database as the run found it."""

from __future__ import annotations

import re

import pytest
from stores import POSTGRES
from tiny import Tiny, idle

SERVER = POSTGRES | {"environment": POSTGRES["environment"] | {"POSTGRES_DB": "app"}}
URL = "postgresql://postgres:secret@db/app"
TESTS = """
    import pytest

    def things(postgres):
        with postgres.connect() as connection:
            found = connection.execute("select name from things order by id").fetchall()
            connection.execute("insert into things (name) values ('left')")
        return [name for (name,) in found]

    @pytest.mark.parametrize("number", range(3))
    def test_plain(postgres, number):
        assert things(postgres) == ["seed"]

    @pytest.mark.reset(False)
    def test_as_it_is(postgres):
        assert things(postgres) == ["seed", "left"]

    @pytest.fixture(scope="session")
    def wider(postgres):
        with postgres.connect() as connection:
            connection.execute("insert into things (name) values ('of all')")
        with postgres.snapshot():
            yield

    @pytest.mark.parametrize("number", range(2))
    def test_wider(wider, postgres, number):
        assert things(postgres) == ["seed", "of all"]
"""


@pytest.fixture
def shop(tiny: Tiny) -> Tiny:
    """A stack whose database has one row."""
    web = {k: v for k, v in idle().items() if k != "network_mode"}
    tiny.compose(db=SERVER, web={**web, "environment": {"DATABASE_URL": URL}})
    stack = tiny.stack()
    stack.prepare()
    with stack.postgres.connect() as connection:
        connection.execute("create table things (id serial, name text)")
        connection.execute("insert into things (name) values ('seed')")
    stack.close()
    tiny.tests(TESTS)
    return tiny


def test_each_test_should_find_the_database_as_the_run_did_when_it_is_reset(shop: Tiny) -> None:
    result = shop.run("--reset", "test")
    result.assert_outcomes(passed=6)
    said = re.search("nomock: the database was reset .*", result.stdout.str())
    assert said is not None
    assert re.sub(r"\d+ ms", "N", said[0]) == (
        "nomock: the database was reset 4 times, in N (median; at most N)"
    )
    stack = shop.stack()
    with stack.postgres.connect() as connection:
        assert connection.execute("table things").fetchall() == [(1, "seed")]
        left = "select nspname from pg_namespace where nspname ~ 'nomock'"
        assert connection.execute(left).fetchall() == []
    # Not where another run uses it.
    stack.prepare()
    result = shop.run("--reset", "test", "-k", "test_plain")
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(["*it is not reset while others use it"])
    stack.close()
    # By a mark, and refused where workers share it.
    shop.tests("import pytest\n\n@pytest.mark.reset\ndef test_one(stack): pass\n")
    result = shop.run("-n2", "-v")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "test_tiny.py::test_one: its database cannot be reset" in result.stderr.str()


@pytest.mark.slow
def test_each_worker_should_reset_its_own_database_when_lanes_are_databases(shop: Tiny) -> None:
    lanes = ("-n2", "--dist=each", "--lanes=database", "--reset=test")
    ask = "select oid, shobj_description(oid, 'pg_database') from pg_database where datname = %s"
    found = []
    for _ in range(2):
        shop.run(*lanes).assert_outcomes(passed=12)
        with shop.stack().postgres.connect() as connection:
            found.append(connection.execute(ask, ["app_lane2"]).fetchone())
            # As a run leaves it that was killed, or that resets nothing.
            connection.execute(f"comment on database app_lane2 is '{found[0][1]}, used'")
    (first, brought_back), (second, again) = found
    assert brought_back == again
    assert first != second
