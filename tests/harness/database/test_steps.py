"""What a test asks of a database: as a role, until rows are there, and one step after another."""

from __future__ import annotations

import re
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from postgres_server import Server

from nomock import SequentialScan
from nomock.adapters.postgres import Connection, DatabaseError
from nomock.errors import PostgresError, RowsError, SessionError
from nomock.stack import Postgres

SCHEMA = """
    CREATE TABLE orders (id int PRIMARY KEY, tenant text NOT NULL, state text);
    ALTER TABLE orders ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON orders USING (tenant = current_setting('app.tenant', true));
    CREATE ROLE seller LOGIN PASSWORD 'seller'; CREATE ROLE auditor;
    GRANT SELECT, UPDATE ON orders TO seller, auditor;
    INSERT INTO orders VALUES (1, 'one', 'new'), (2, 'two', 'new');
"""


@pytest.fixture(scope="module")
def connection(postgres_server: Server) -> Iterator[Connection[Any]]:
    with postgres_server.database() as found:
        found.execute(SCHEMA)
        yield found
        found.execute("DROP OWNED BY seller, auditor; DROP ROLE seller, auditor")


@pytest.fixture
def postgres(postgres_server: Server, connection: Connection[Any]) -> Postgres:
    return postgres_server.postgres(connection.info.dbname)


@pytest.mark.parametrize(("role", "password"), [("seller", "seller"), ("auditor", None)])
def test_a_session_should_see_what_the_policies_let_it_when_it_has_a_role(
    postgres: Postgres, role: str, password: str | None
) -> None:
    with postgres.as_role(role, password, settings={"app.tenant": "two"}) as session:
        assert session.execute("SELECT id FROM orders").fetchall() == [(2,)]
        session.rollback()  # which takes neither the role nor the setting away
        assert session.execute("UPDATE orders SET state = 'x'").rowcount == 1
        session.rollback()
        assert session.execute("SELECT current_user, session_user").fetchone() == (role, role)
        for statement in ("DELETE FROM orders", "SET ROLE postgres"):
            with pytest.raises(DatabaseError, match="permission denied"):
                session.execute(statement)
            session.rollback()


def test_a_role_should_be_named_when_there_is_none_of_that_name(postgres: Postgres) -> None:
    with pytest.raises(PostgresError) as refused:
        postgres.as_role("nobody")
    assert str(refused.value) == (
        f"database {postgres.dbname}, service db: no session as the role 'nobody'\n"
        '  role "nobody" does not exist\n'
        f"-> name one of: nomock exec db psql -U postgres {postgres.dbname} -c '\\du'"
    )


def test_rows_should_be_returned_when_they_have_come_to_be_as_wanted(
    postgres: Postgres, connection: Connection[Any]
) -> None:
    writer = Thread(target=connection.execute, args=["UPDATE orders SET state = 'paid'"])
    writer.start()
    rows = postgres.wait_for(
        "SELECT state FROM orders WHERE id = %s", [1], until=lambda rows: rows == [("paid",)]
    )
    writer.join()
    assert rows == [("paid",)]


def test_the_last_rows_should_be_shown_when_they_do_not_become_as_wanted(
    postgres: Postgres,
) -> None:
    with pytest.raises(RowsError) as failed:
        postgres.wait_for("SELECT id\n FROM orders WHERE id < %s", [2], until=len, within_s=0)
        postgres.wait_for(
            "SELECT id\n FROM orders WHERE id < %s",
            [3],
            until=lambda rows: len(rows) == 3,
            within_s=0,
        )
    assert isinstance(failed.value, AssertionError)
    assert re.sub(r"\d+ tries", "N tries", str(failed.value)) == (
        f"database {postgres.dbname}, service db: the rows are not those that the test waits for, "
        "after 0 s (N tries)\n"
        "  SELECT id FROM orders WHERE id < %s\n"
        "  with [3]\n"
        "  the last time 2 rows:\n"
        "  (1,)\n"
        "  (2,)\n"
        "-> look at what writes them: nomock logs; or let it have more time: within_s"
    )


LOCK = "SELECT id FROM orders WHERE id = %s FOR UPDATE"


def test_a_race_should_go_step_by_step_when_sessions_wait_for_one_another(
    postgres: Postgres,
) -> None:
    with postgres.sessions("a", "b", "c") as (a, b, c):
        assert a.execute(LOCK, [1]) == [(1,)]
        b.start(LOCK, [1])
        assert (b.is_over, b.is_blocked, b.blocked_by) == (False, True, ("a",))
        c.start(LOCK, [1])
        assert c.blocked_by == ("b",)  # who is before it in the queue
        a.commit()
        assert b.result() == [(1,)]
        assert b.blocked_by == ()
        b.rollback()
        assert c.result() == [(1,)]


def test_a_deadlock_should_be_the_error_of_one_when_two_sessions_wait_for_each_other(
    postgres: Postgres,
) -> None:
    with postgres.sessions("a", "b") as (a, b):
        a.execute("SET deadlock_timeout = '10s'")
        b.execute("SET deadlock_timeout = '1ms'")
        a.execute(LOCK, [1])
        b.execute(LOCK, [2])
        a.start(LOCK, [2])
        b.start(LOCK, [1])
        with pytest.raises(DatabaseError, match="deadlock detected"):
            b.result()
        b.rollback()
        assert a.result() == [(2,)]


def test_a_step_should_be_refused_when_its_session_is_blocked(postgres: Postgres) -> None:
    with postgres.sessions("a", "b") as (a, b):
        a.execute(LOCK, [1])
        with pytest.raises(SessionError) as blocked:
            b.execute(LOCK, [1])
        assert str(blocked.value) == (
            "session b: its statement is blocked by a\n"
            "  SELECT id FROM orders WHERE id = %s FOR UPDATE\n"
            "-> start(…) one that may be"
        )
        b.rollback()
        b.start(LOCK, [1])
        with pytest.raises(SessionError, match="no commit while its statement runs, blocked by a"):
            b.commit()
    # What is still blocked at the end is ended, and nobody has a lock.
    with postgres.sessions("c") as (c,):
        assert c.execute(LOCK, [1]) == [(1,)]


def test_a_scan_should_be_counted_when_a_block_reads_a_table_whole(
    postgres: Postgres, connection: Connection[Any]
) -> None:
    connection.execute("SELECT * FROM orders")
    connection.execute("SELECT pg_stat_force_next_flush()")
    with postgres.costs() as costs:
        with postgres.connect() as session:  # whose counters are told with its end
            session.execute("SELECT * FROM orders; SELECT * FROM orders")
            pid = session.info.backend_pid
        postgres.wait_for(
            "SELECT count(*) FROM pg_stat_activity WHERE pid = %s",
            [pid],
            until=lambda rows: rows == [(0,)],
        )
    assert costs.scans == [SequentialScan("public.orders", scans=2, rows_read=4)]


def test_statements_should_be_refused_with_the_way_to_count_them_when_the_server_does_not(
    postgres: Postgres,
) -> None:
    with postgres.costs() as costs:
        pass
    assert costs.scans == []
    with pytest.raises(PostgresError, match="-c shared_preload_libraries=pg_stat_statements"):
        _ = costs.statements


def test_the_slowest_statement_should_come_first_when_the_server_counts_them(
    postgres: Postgres, connection: Connection[Any]
) -> None:
    connection.execute("CREATE EXTENSION pg_stat_statements")
    with postgres.costs() as costs, postgres.connect() as session:
        for number in (1, 2):
            session.execute(f"SELECT count(*) FROM orders WHERE id = {number}")
        session.execute("SELECT count(*) FROM generate_series(1, 300000)")
    connection.execute("DROP EXTENSION pg_stat_statements")
    first, *others = costs.statements
    assert first.text == "SELECT count(*) FROM generate_series($1, $2)"
    assert first.total_ms > others[0].total_ms
    calls = {cost.text: cost.calls for cost in others}
    assert calls["SELECT count(*) FROM orders WHERE id = $1"] == 2
