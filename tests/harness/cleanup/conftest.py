"""One stack for all tests here: a PostgreSQL, in which each test has its own database, and more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from tiny import Tiny, check, clear, settled_image

from nomock.loading import load
from nomock.stack import Postgres, Stack

DATABASE = {
    "image": settled_image("POSTGRES_IMAGE", "nomock/postgres:17"),
    "environment": {"POSTGRES_PASSWORD": "secret"},
    "ports": ["127.0.0.1::5432"],
    "stop_signal": "SIGKILL",
    "tmpfs": ["/var/lib/postgresql/data"],
    "healthcheck": check("pg_isready -h 127.0.0.1 -U postgres"),
}


@pytest.fixture(scope="module")
def running_stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The folder and the name of a project whose stack runs; it goes with the module."""
    path, name = tmp_path_factory.mktemp("stores"), f"nomock-t-{uuid4().hex[:8]}"
    (path / "docker-compose.yml").write_text(json.dumps({"services": {"db": DATABASE}}))
    (path / ".env").write_text(f"COMPOSE_PROJECT_NAME={name}\n")
    try:
        with pytest.MonkeyPatch.context() as changed:
            changed.setenv("COMPOSE_PROJECT_NAME", name)
            with closing(Stack.of(load(path))) as stack:
                stack.prepare()
        yield path, name
    finally:
        clear(name)


@pytest.fixture
def stores(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    no_settings: None,
    running_stores: tuple[Path, str],
) -> Tiny:
    """That project; the rules of clean-up of one test are not those of the next."""
    path, name = running_stores
    monkeypatch.chdir(path)
    (path / "pyproject.toml").write_text("")
    return Tiny(pytester, name, path)


@pytest.fixture
def database(stores: Tiny, monkeypatch: pytest.MonkeyPatch) -> Iterator[Postgres]:
    """An empty database of this test's own; `nomock` finds it as that of the stack."""
    name = f"t{uuid4().hex[:8]}"
    with closing(stores.stack()) as stack:
        server = stack.postgres
        with server.connect(autocommit=True) as connection:
            connection.execute(f"create database {name}")
        yield server.on_database(name)
        with server.connect(autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)")
