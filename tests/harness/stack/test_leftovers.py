"""Rows that tests left are found and removed, whatever the schema is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from tiny import ROOT, Tiny

from nomock.errors import EngineError, NomockError
from nomock.leftovers import Leftover, find, remove
from nomock.stack import Stack


def postgres_image() -> str:
    env = ROOT / ".env"
    lines = env.read_text(encoding="utf-8").splitlines() if env.exists() else []
    settled = dict(line.split("=", 1) for line in lines if "=" in line)
    return os.environ.get("POSTGRES_IMAGE") or settled.get("POSTGRES_IMAGE") or "nomock/postgres:17"


SCHEMA = """
    create schema shop;
    create table shop.customers (id int primary key, name text, note text);
    create table shop.orders (
        id int primary key, customer int references shop.customers, display_name varchar(80));
    create table shop."Odd % 'table" (id int, name text);
    create table shop.lines (
        id int primary key, order_id int references shop.orders on delete cascade);
    create view shop.names as select name from shop.customers;
    insert into shop.customers values
        (1, 'TEST ann 1', ''), (2, 'Bob', 'TEST is not a name'), (3, 'TESTER', '');
    insert into shop.orders values (1, 1, 'TEST order'), (2, 2, 'real');
    insert into shop."Odd % 'table" values (1, 'TEST it''s odd'), (2, 'kept');
    insert into shop.lines values (1, 1), (2, 2);
"""


@pytest.fixture
def stack(tiny: Tiny) -> Iterator[Stack]:
    """A stack of one PostgreSQL with a schema that this test alone knows."""
    tiny.compose(
        db={
            "image": postgres_image(),
            "environment": {"POSTGRES_PASSWORD": "secret"},
            "ports": ["127.0.0.1::5432"],
            "stop_signal": "SIGKILL",
            "tmpfs": ["/var/lib/postgresql/data"],
            "healthcheck": {
                "test": ["CMD", "pg_isready", "-h", "127.0.0.1", "-U", "postgres"],
                "interval": "5s",
                "start_period": "60s",
                "start_interval": "200ms",
            },
        }
    )
    found = tiny.stack()
    found.prepare()
    with found.postgres.connect() as connection:
        connection.execute(SCHEMA)
    yield found
    found.close()


def rows(connection: Any, table: str) -> list[int]:
    return [row[0] for row in connection.execute(f"select id from {table} order by 1")]


def test_only_the_rows_of_tests_should_be_found_and_removed(stack: Stack, tiny: Tiny) -> None:
    shown = tiny.nomock("cleanup")
    assert (shown.ret, shown.outlines) == (
        0,
        [
            "table              name",
            "shop.Odd % 'table  TEST it's odd",
            "shop.customers     TEST ann 1",
            "shop.orders        TEST order",
            "3 rows that tests left",
        ],
    )
    with stack.postgres.connect() as connection:
        assert find(connection)[0] == Leftover("shop.Odd % 'table", "TEST it's odd")
        # customers come first, and their orders still point to them
        assert remove(connection) == 3
        assert find(connection) == []
        assert rows(connection, "shop.customers") == [2, 3]
        assert rows(connection, "shop.orders") == [2]
        assert rows(connection, "shop.lines") == [2]

    removed = tiny.nomock("cleanup", "--remove")
    assert removed.outlines == ["removed 0 rows that tests had left"]

    with stack.postgres.connect() as connection:
        connection.execute("insert into shop.customers values (9, 'TEST again', '')")
        connection.execute("insert into shop.orders values (9, 9, 'a real order')")
    with stack.postgres.connect() as connection, pytest.raises(NomockError) as refused:
        remove(connection)
    assert str(refused.value).splitlines()[:2] == [
        "database: rows that tests left are still pointed to by others; nothing was deleted",
        "  delete from shop.customers where name like 'TEST %'",
    ]
    with stack.postgres.connect() as connection:
        assert rows(connection, "shop.customers") == [2, 3, 9]

    with pytest.raises(EngineError) as wrong:
        stack.postgres.connect(password="wrong")
    assert str(wrong.value).startswith(
        "service db: no connection to database 'postgres' as 'postgres'\n"
    )


@pytest.mark.parametrize(
    ("sql", "text"),
    [
        (
            """
            create function keep() returns trigger language plpgsql
                as $$ begin raise exception 'the ledger is for ever'; end $$;
            create trigger keep before delete on shop.customers
                for each row execute function keep();
            """,
            "database, shop.customers: rows that tests left (1 row) cannot be deleted; nothing "
            "was\n"
            "  the ledger is for ever\n"
            "  CONTEXT:  PL/pgSQL function keep() line 1 at RAISE\n"
            "-> mend what PostgreSQL says there, or delete them as your application does; "
            "nomock cleanup lists them",
        ),
        (
            """
            create function keep() returns trigger language plpgsql
                as $$ begin raise exception 'not yet'; end $$;
            create constraint trigger keep after delete on shop.orders
                deferrable initially deferred for each row execute function keep();
            """,
            "database: rows that tests left cannot be deleted; nothing was\n  not yet\n"
            "  CONTEXT:  PL/pgSQL function keep() line 1 at RAISE\n"
            "-> mend what PostgreSQL says there, or delete them as your application does; "
            "nomock cleanup lists them",
        ),
        (
            "create rule keep as on delete to shop.orders do instead nothing",
            "database, shop.orders: rows that tests left are still there after PostgreSQL deleted "
            "them; nothing was\n  TEST order\n"
            "-> a trigger, a rule or row security keeps them: delete them as your application does",
        ),
        (
            "alter database postgres set default_transaction_read_only = on",
            "cannot execute DELETE in a read-only transaction",
        ),
    ],
    ids=["trigger", "at the commit", "rule", "read-only"],
)
def test_nothing_should_be_removed_when_the_database_refuses_a_row(
    stack: Stack, tiny: Tiny, sql: str, text: str
) -> None:
    with stack.postgres.connect() as connection:
        connection.execute("alter table shop.orders drop constraint orders_customer_fkey")
        connection.execute(sql)
    done = tiny.nomock("cleanup", "--remove")
    assert (done.ret, done.outlines) == (1, [])
    assert text in done.stderr.str()
    assert "Traceback" not in done.stderr.str()
    with stack.postgres.connect() as connection:
        assert len(find(connection)) == 3
