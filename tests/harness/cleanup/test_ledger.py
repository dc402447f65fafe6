"""What tests make is written down before it is made, and undone: by them, or by the next run."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing

import pytest
from tiny import Tiny

from nomock.stack import Stack
from nomock.stack.redis import Redis

RULES = """
[[tool.nomock.cleanup]]
http = "shop"
post = "/customers"
list = "/customers"
items = "data"
delete = "/customers/{id}"
headers = {Authorization = "Bearer {token}"}

[[tool.nomock.cleanup]]
keys = "cart:*"
"""
# Rows and keys that each test of a project makes.
MAKING = """
import pytest

@pytest.fixture
def thing(postgres, lane, ledger):
    def make(kind="thing"):
        name = lane.name(kind)
        undo = ledger.sql("delete from things where name = %s", name)
        ledger.record(kind, name, undo)
        with postgres.connect() as connection:
            connection.execute("insert into things values (%s)", [name])
        return name
    return make
"""


@pytest.fixture
def stack(stores: Tiny) -> Iterator[Stack]:
    """The stack with a table, and with rules for the rest."""
    stores.write("pyproject.toml", RULES)
    stores.write("conftest.py", MAKING)
    with closing(stores.stack()) as found:
        with found.postgres.connect() as connection:
            connection.execute("drop table if exists things; create table things (name text)")
        yield found
        with found.postgres.connect() as connection:
            connection.execute("drop table if exists things")
        for customer in customers(found):
            found["shop"].http.delete(
                f"/customers/{customer['id']}", headers={"Authorization": "Bearer t$7"}
            )
    for left in (stores.path / ".nomock/ledger").glob("*/*"):
        left.unlink()


def things(stack: Stack) -> list[str]:
    with stack.postgres.connect() as connection:
        return [row[0] for row in connection.execute("select name from things order by 1")]


def customers(stack: Stack) -> list[dict[str, str]]:
    found: list[dict[str, str]] = stack["shop"].http.get("/customers").json()["data"]
    return found


def ledgers(stores: Tiny) -> list[str]:
    return [path.name for path in (stores.path / ".nomock/ledger").glob("*/*.ndjson")]


def killed(stores: Tiny, *arguments: str) -> None:
    """Run pytest on tests that end their own process when they have made something."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=stores.path, capture_output=True, text=True)
    assert done.returncode in {-signal.SIGKILL, 1}, done.stdout + done.stderr


def test_what_a_test_made_should_be_undone_in_reverse_when_it_is_over(
    stack: Stack, stores: Tiny
) -> None:
    stores.tests(
        """
        import pytest

        @pytest.fixture(scope="module")
        def kept(lane, ledger, postgres):
            ledger.record("kept", "k", lambda: print("undone: kept"))

        def test_one(kept, thing, ledger):
            name = thing()
            assert name.startswith("TEST ") and " thing test_one " in name and len(name) <= 63
            ledger.record("order", "1", lambda: print("undone: order 1"))
            ledger.record("order", "2", lambda: print("undone: order 2"))

        def test_two(kept, postgres, stack):
            with postgres.connect() as connection:
                assert connection.execute("select * from things").fetchall() == []
            print("test two")
            made = stack["shop"].http.post("/customers", json={"name": "Ann"})
            assert made.status_code == 201
            assert stack["shop"].http.post("/customers", json={}).status_code == 422

        def test_three(stack):
            assert stack["shop"].http.get("/customers").json() == {"data": []}
        """
    )
    done = stores.run("-q", "-s", "-p", "no:cacheprovider")
    done.assert_outcomes(passed=3)
    said = [
        line.lstrip(".") for line in done.outlines if "undone" in line or line.endswith("test two")
    ]
    assert said == ["undone: order 2", "undone: order 1", "test two", "undone: kept"]
    assert ledgers(stores) == []


def test_a_test_should_have_an_error_and_the_next_run_try_again_when_an_undo_fails(
    stack: Stack, stores: Tiny
) -> None:
    stores.tests(
        """
        def test_one(thing, ledger, postgres):
            thing()
            ledger.record("odd", "1", ledger.sql("delete from nowhere"))
            ledger.record("lost", "2", ledger.http("shop", "/customers/99"))
        """
    )
    done = stores.run("-q", "-p", "no:cacheprovider")
    done.assert_outcomes(passed=1, errors=1)
    said = done.stdout.str()
    assert "ledger: 2 of 3 that it made could not be undone" in said
    assert 'relation "nowhere" does not exist' in said
    assert "the service answered 403 to what undoes it" in said
    assert things(stack) == []
    assert len(ledgers(stores)) == 1

    shown = stores.nomock("cleanup")
    assert [line.split()[:4] for line in shown.outlines[1:3]] == [
        ["1", "ledger", "lost", ledgers(stores)[0].partition("-")[0]],
        ["1", "ledger", "odd", ledgers(stores)[0].partition("-")[0]],
    ]
    with stack.postgres.connect() as connection:
        connection.execute("create table nowhere ()")
    stores.tests("def test_two(stack): pass")
    again = stores.run("-q", "-p", "no:cacheprovider")
    again.assert_outcomes(passed=1)
    assert "not undone: lost 2 of test_tiny.py::test_one" in again.stdout.str()
    assert len(ledgers(stores)) == 1  # of which one entry is left
    with stack.postgres.connect() as connection:
        connection.execute("drop table nowhere")


def test_nothing_should_be_left_when_the_run_before_was_killed(stack: Stack, stores: Tiny) -> None:
    stores.tests(
        """
        import os, signal

        def test_one(thing, lane, stack, postgres):
            from nomock.stack.redis import Redis
            thing()
            with Redis.of(stack)._connected(0) as client:
                client.set("cart:" + lane.name("cart"), "1")
                client.set("cart:real", "1")
            with postgres.connect() as connection:  # by its name alone
                connection.execute("insert into things values (%s)", [lane.name("other")])
                connection.execute("insert into things values ('TEST of somebody')")
            stack["shop"].http.post("/customers", json={"name": "Bob"})
            stack["shop"].http.post("/customers", json={"name": lane.name("customer")})
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    killed(stores)
    assert len(things(stack)) == 3
    assert len(customers(stack)) == 2
    assert len(ledgers(stores)) == 1

    shown = stores.nomock("cleanup").stdout.str()
    assert "cache cart:*" in shown
    stores.tests("def test_two(stack): pass")
    again = stores.run("-q", "-p", "no:cacheprovider")
    again.assert_outcomes(passed=1)
    assert "removed 5 that " in again.stdout.str()
    assert things(stack) == ["TEST of somebody"]
    assert customers(stack) == []
    assert Redis.of(stack).keys(["*"]) == {b"cart:real"}
    assert ledgers(stores) == []


@pytest.mark.slow
def test_the_run_should_go_on_and_the_next_one_try_again_when_the_database_goes_meanwhile(
    stack: Stack, stores: Tiny
) -> None:
    stores.tests(
        """
        import os, signal

        def test_one(thing):
            thing()
            os.kill(os.getpid(), signal.SIGKILL)
        """
    )
    killed(stores)
    ends = "perform pg_terminate_backend(pg_backend_pid()); return old;"
    with stack.postgres.connect() as connection:
        connection.execute(
            f"create function go() returns trigger language plpgsql as $$ begin {ends} end $$;"
            "create trigger go before delete on things for each row execute function go()"
        )
    stores.tests("def test_two(stack): pass")
    lost = stores.run("-q", "-p", "no:cacheprovider")
    lost.assert_outcomes(passed=1)
    assert "terminating connection due to administrator command" in lost.stdout.str()
    assert (len(things(stack)), len(ledgers(stores))) == (1, 1)
    with stack.postgres.connect() as connection:
        connection.execute("drop function go cascade")
    again = stores.run("-q", "-p", "no:cacheprovider")
    again.assert_outcomes(passed=1)
    assert (things(stack), ledgers(stores)) == ([], [])


def test_a_run_that_is_alive_should_lose_nothing_when_another_one_begins(
    stack: Stack, stores: Tiny
) -> None:
    stores.tests(
        """
        import sys

        def test_one(thing):
            thing()
            print("made", flush=True)
            sys.stdin.readline()
        """
    )
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider"]
    with subprocess.Popen(
        command, cwd=stores.path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as alive:
        assert alive.stdout is not None
        while "made" not in alive.stdout.readline():
            assert alive.poll() is None
        stores.tests("def test_two(stack): pass")
        stores.run("-q", "-p", "no:cacheprovider").assert_outcomes(passed=1)
        removed = stores.nomock("cleanup", "--remove", "--yes")
        assert removed.outlines[-1] == "removed 0 that tests had left"
        assert "its run is alive" in removed.stderr.str()
        assert len(things(stack)) == 1
        alive.communicate("\n")
    assert alive.returncode == 0
    assert things(stack) == []


def test_a_test_should_fail_before_it_makes_anything_when_the_ledger_cannot_be_written(
    stack: Stack, stores: Tiny
) -> None:
    stores.tests(
        """
        from nomock import LedgerError
        import pytest, pathlib

        def test_one(stack, lane, ledger):
            folder = pathlib.Path(".nomock/ledger")
            folder.mkdir(exist_ok=True)
            for left in folder.glob("*"):
                left.rmdir()
            (folder / stack.name).touch()
            for make in (
                lambda: lane.name("client"),
                lambda: ledger.record("client", "c", lambda: None),
                lambda: stack["shop"].http.post("/customers", json={"name": "Eve"}),
            ):
                with pytest.raises(LedgerError, match="it was not made, since it could not"):
                    make()
            (folder / stack.name).unlink()
        """
    )
    stores.run("-q", "-p", "no:cacheprovider").assert_outcomes(passed=1)
    assert customers(stack) == []


def test_what_a_service_lists_should_be_removed_when_a_person_says_so(
    stack: Stack, stores: Tiny
) -> None:
    for name in ("TEST one", "TEST two", "real"):
        stack["shop"].http.post("/customers", json={"name": name})
    shown = stores.nomock("cleanup")
    assert shown.outlines[1] == "2      things  shop /customers  -    -    TEST one"
    assert stores.nomock("cleanup", "--remove", "--yes").ret == 0
    assert [customer["name"] for customer in customers(stack)] == ["real"]
