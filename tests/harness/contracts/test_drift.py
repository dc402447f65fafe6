"""Drift: a live database that is not what its migrations make."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from postgres_server import Server

from nomock.adapters.postgres import Connection
from nomock.contracts.checks import ContractChecks
from nomock.contracts.drift import drift_of
from nomock.errors import ContractError
from nomock.stack import Postgres

MIGRATIONS = """
    CREATE TABLE users (id serial PRIMARY KEY, name text NOT NULL, age int DEFAULT 18,
        CONSTRAINT adult CHECK (age >= 18));
    CREATE INDEX users_by_name ON users (name);
    ALTER TABLE users ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON users USING (name = current_user);
    CREATE VIEW names AS SELECT name FROM users;
    CREATE TABLE gone (id int);
"""


def migrate(connection: Connection[Any]) -> None:
    connection.execute(MIGRATIONS)


@pytest.fixture
def live(postgres_server: Server) -> Iterator[Postgres]:
    """A database that the migrations have made."""
    name = f"live_{uuid4().hex[:8]}"
    with postgres_server.connect("postgres") as server:
        server.execute(f"CREATE DATABASE {name}")
        postgres = postgres_server.postgres(name)
        with postgres.connect(autocommit=True) as connection:
            migrate(connection)
        yield postgres
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_nothing_should_differ_when_the_migrations_made_it(live: Postgres) -> None:
    found, compared = drift_of(live, migrate)
    assert found == []
    # Three tables, a view, five columns with gone's, three constraints and so on: none is missed.
    assert compared > 10


def test_each_difference_should_name_table_and_column_when_somebody_changed_it_by_hand(
    live: Postgres,
) -> None:
    with live.connect(autocommit=True) as connection:
        connection.execute(
            """
            ALTER TABLE users ALTER age TYPE bigint, ALTER age SET DEFAULT 21,
                ALTER name DROP NOT NULL, ADD COLUMN email text, DROP CONSTRAINT adult;
            DROP INDEX users_by_name;
            DROP POLICY own ON users;
            ALTER TABLE users DISABLE ROW LEVEL SECURITY;
            DROP TABLE gone;
            CREATE TABLE notes (id int);
            """
        )
    none = "is made by the migrations, and the live database has none"
    assert drift_of(live, migrate)[0] == [
        f"public.gone {none}",
        "public.notes is in the live database, and no migration makes it",
        "public.users: column age is bigint default 21, and the migrations make integer default 18",
        "public.users: column email is in the live database, and no migration makes it",
        "public.users: column name is text, and the migrations make text not null",
        f"public.users: constraint adult {none}",
        f"public.users: index users_by_name {none}",
        f"public.users: policy own {none}",
        "public.users is table, and the migrations make table with row-level security",
    ]


def test_nothing_should_differ_when_a_snapshot_has_its_triggers_on_the_tables(
    live: Postgres,
) -> None:
    with live.snapshot():
        assert drift_of(live, migrate)[0] == []


def test_a_table_should_not_count_when_it_is_ignored(live: Postgres) -> None:
    with live.connect(autocommit=True) as connection:
        connection.execute("CREATE TABLE schema_migrations (name text)")
    assert drift_of(live, migrate, ["public.schema_migrations"])[0] == []


def test_no_database_should_be_left_when_a_migration_fails(live: Postgres) -> None:
    def broken(connection: Connection[Any]) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        drift_of(live, broken)
    with live.connect() as connection:
        left = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE '%drift%'")
        assert left.fetchall() == []


def test_the_fixture_should_fail_with_the_table_when_the_database_drifted(
    postgres_server: Server, tmp_path: Path
) -> None:
    contracts = ContractChecks(postgres_server.stack, tmp_path)
    with pytest.raises(ContractError) as caught:
        contracts.drift(migrate)
    text = str(caught.value)
    assert "the live database is not what its migrations make: 3 differences" in text
    assert "public.users is made by the migrations, and the live database has none" in text
