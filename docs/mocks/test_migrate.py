"""The migrations: which are applied, and what is seeded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from migrate import __main__ as migrate
from scripted import Connection

SERVICES = [service.upper() for service in migrate.SERVICES]


@pytest.fixture
def conn() -> Connection:
    return Connection()


@pytest.fixture
def environment(monkeypatch: Any) -> None:
    for name in SERVICES:
        monkeypatch.setenv(f"{name}_DATABASE_PASSWORD", "a password")
    monkeypatch.setenv("INSTANCES_REDIRECT_URI", "http://instances:8000/ui/callback")
    for name in ("BILLING", "INSTANCES", "MCP"):
        monkeypatch.setenv(f"{name}_CLIENT_SECRET", f"{name.lower()} secret")


def test_roles_should_be_made_or_changed_when_they_are_there(
    conn: Connection, environment: None
) -> None:
    conn.on("SELECT rolname", ("auth_service",))
    migrate.create_roles(conn)  # type: ignore[arg-type]
    made = [statement for statement, _ in conn.calls[1:]]
    assert ["ALTER" in statement for statement in made] == [
        service == "auth" for service in migrate.SERVICES
    ]
    assert all(
        f"{service}_service" in statement
        for service, statement in zip(migrate.SERVICES, made, strict=True)
    )


def test_migrations_should_be_applied_once_and_in_order_when_some_are_new(
    conn: Connection, tmp_path: Path
) -> None:
    for name in ("0002_b.sql", "0001_a.sql", "0003_c.sql"):
        (tmp_path / name).write_text(f"-- {name}")
    conn.on("SELECT name FROM public.schema_migrations", ("0001_a.sql",))
    applied = migrate.apply_migrations(conn, tmp_path)  # type: ignore[arg-type]
    assert applied == ["0002_b.sql", "0003_c.sql"]
    assert conn.sent("INSERT INTO public.schema_migrations") == [["0002_b.sql"], ["0003_c.sql"]]
    assert conn.transactions == 2


def test_clients_should_be_seeded_when_the_schema_is_there(
    conn: Connection, environment: None, mocker: Any
) -> None:
    made = mocker.patch("migrate.__main__.psycopg.connect")
    made.return_value.__enter__.return_value = conn
    mocker.patch("migrate.__main__.apply_migrations", return_value=[])
    migrate.main()
    assert "pg_advisory_lock" in conn.calls[0][0]
    seeded = {parameters[0]: parameters[3] for parameters in conn.sent("INSERT INTO auth.clients")}
    assert seeded["instances"] == ["authorization_code"]
    assert seeded["billing"] == ["client_credentials"]
    assert seeded["mcp"] == [migrate.TOKEN_EXCHANGE]
    assert all(parameters[2] != "secret" for parameters in conn.sent("INSERT INTO auth.clients"))
