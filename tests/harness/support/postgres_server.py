"""A PostgreSQL of its own for one file of tests, with as many databases as these want."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
import tiny
from stores import POSTGRES

from nomock.adapters.postgres import Connection
from nomock.loading import load
from nomock.stack import Postgres, Stack

SERVER = {
    **POSTGRES,
    "command": [*POSTGRES["command"], "-c", "shared_preload_libraries=pg_stat_statements"],
}


class Server:
    """The server, and its databases."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    def postgres(self, dbname: str) -> Postgres:
        return self.stack.postgres.on_database(dbname)

    def connect(self, dbname: str, **options: Any) -> Connection[Any]:
        """Connect as the superuser; each statement commits by itself."""
        return self.postgres(dbname).connect(autocommit=True, **options)

    @contextmanager
    def database(self) -> Iterator[Connection[Any]]:
        """Give a connection to a new database, which is gone after the block."""
        name = f"test_{uuid4().hex[:8]}"
        with self.connect("postgres") as server:
            server.execute(f"CREATE DATABASE {name}")
            try:
                with self.connect(name) as connection:
                    yield connection
            finally:
                server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server, which is gone after the file's tests."""
    path = tmp_path_factory.mktemp("postgres")
    name = f"nomock-t-{uuid4().hex[:8]}"
    (path / "docker-compose.yml").write_text(json.dumps({"name": name, "services": {"db": SERVER}}))
    stack = Stack.of(load(path))
    try:
        stack.prepare()
        yield Server(stack)
    finally:
        stack.close()
        tiny.clear(name)
