"""One stack for all tests here: a PostgreSQL, in which each test has its own database, and more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from tiny import LISTENS, Tiny, check, clear, server, settled_image

from nomock.loading import load
from nomock.stack import Postgres, Stack

DATABASE = {
    "image": settled_image("POSTGRES_IMAGE", "nomock/postgres:17"),
    "environment": {"POSTGRES_PASSWORD": "secret"},
    "ports": ["127.0.0.1::5432"],
    "stop_signal": "SIGKILL",
    "tmpfs": ["/var/lib/postgresql/data"],
    "healthcheck": check("pg_isready -h 127.0.0.1 -U postgres", start_period="180s"),
}
CACHE = {
    "image": settled_image("REDIS_IMAGE", "nomock/redis:8"),
    "command": ["redis-server", "--save", "", "--requirepass", "open sesame"],
    "ports": ["127.0.0.1::6379"],
    "tmpfs": ["/data"],
    "stop_signal": "SIGKILL",
    "healthcheck": check("exec 3<>/dev/tcp/127.0.0.1/6379"),
}
# It keeps customers: POST, GET of all, and DELETE of one with the token that it got.
SHOP = """
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
customers = {}
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self, status, found=None):
        body = b"" if found is None else json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.answer(200, {"data": list(customers.values())})
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not asked.get("name"):
            return self.answer(422)
        made = {"id": len(customers) + 1, "name": asked["name"], "token": "t$7"}
        customers[str(made["id"])] = made
        self.answer(201, made)
    def do_DELETE(self):
        if self.headers.get("Authorization") != "Bearer t$7":
            return self.answer(403, "who are you?")
        self.answer(204 if customers.pop(self.path.rpartition("/")[2], None) else 404)
    def log_message(self, *args): pass
ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def running_stores(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The folder and the name of a project whose stack runs; it goes with the module."""
    path, name = tmp_path_factory.mktemp("stores"), f"nomock-t-{uuid4().hex[:8]}"
    shop = server(command=["python3", "-u", "/srv/shop.py"], volumes=["./shop.py:/srv/shop.py:ro"])
    services = {"db": DATABASE, "cache": CACHE, "shop": {**shop, "healthcheck": LISTENS}}
    (path / "docker-compose.yml").write_text(json.dumps({"services": services}))
    (path / ".env").write_text(f"COMPOSE_PROJECT_NAME={name}\n")
    (path / "shop.py").write_text(SHOP)
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
