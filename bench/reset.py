"""What it takes to bring a database back to its snapshot, beside what else would do it.

Figures (issue 17): at most 50 ms for the schema of the reference stack with 200 rows in 10 tables,
and no growth with the number of tests before. A "test" here does what an order does: a user in a
new tenant signs up, gets tokens, orders an instance, which the worker makes ready. The peers are
TRUNCATE of all tables with their rows written anew, DELETE of all with the same, and a new clone of
a template, which ends all connections to the database.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter
from typing import Any
from uuid import uuid4

from ground import postgres_service

from nomock.adapters.postgres import Connection
from nomock.database.tables import tables_of
from nomock.loading import load
from nomock.stack import Postgres, Stack

HERE = Path(__file__).parent
MIGRATIONS = HERE.parent / "services" / "migrate" / "migrations"
SERVER = postgres_service(fsync=False)
ROLES = ("auth_service", "instances_service", "worker_service", "billing_service")
TENANT = """
    WITH tenant AS (
        INSERT INTO auth.tenants (name) VALUES (gen_random_uuid()::text) RETURNING tenant_id),
    known AS (INSERT INTO instances.tenants SELECT tenant_id, 'free' FROM tenant),
    client AS (
        INSERT INTO auth.clients (client_id, client_name, grant_types, scope,
            token_endpoint_auth_method)
        VALUES (gen_random_uuid()::text, 'x', '{}', '', 'none') RETURNING client_id),
    person AS (
        INSERT INTO auth.users (tenant_id, name, password_hash)
        SELECT tenant_id, gen_random_uuid()::text, 'x' FROM tenant RETURNING user_id),
    consent AS (
        INSERT INTO auth.grants (client_id, user_id, code_hash, scope, audience)
        SELECT client_id, user_id, gen_random_uuid()::text, '', '' FROM client, person
        RETURNING grant_id, client_id),
    token AS (
        INSERT INTO auth.tokens (grant_id, client_id, kind, scope, audience, expires_at)
        SELECT grant_id, client_id, 'access', '', '', now() FROM consent)
    INSERT INTO instances.instances (tenant_id, name, size)
    SELECT tenant_id, 'x', 'small' FROM tenant RETURNING instance_id
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tests", type=int, default=500)
    parser.add_argument("--peers", type=int, default=20, help="how often each peer is measured")
    parser.add_argument("--large", type=int, default=200_000, help="rows of a large seed")
    chosen = parser.parse_args()
    name = f"nomock-bench-{uuid4().hex[:8]}"
    with tempfile.TemporaryDirectory() as folder:
        compose = {"name": name, "services": {"db": SERVER}}
        Path(folder, "docker-compose.yml").write_text(json.dumps(compose), encoding="utf-8")
        stack = Stack.of(load(Path(folder)))
        try:
            stack.prepare()
            _measure(stack.postgres, chosen)
        finally:
            stack.down(volumes=True)
            stack.close()


def _measure(server: Postgres, chosen: argparse.Namespace) -> None:
    with server.connect(autocommit=True) as connection:
        connection.execute("CREATE DATABASE app")
    postgres = server.on_database("app")
    with postgres.connect(autocommit=True) as connection:
        for role in ROLES:
            connection.execute(f"CREATE ROLE {role}")
        for path in sorted(MIGRATIONS.glob("*.sql")):
            connection.execute(path.read_bytes())
        while _rows(connection) < 200:
            _test(connection)
        print(f"{len(_tables(connection))} tables, {_rows(connection)} rows")
        peers = {
            "TRUNCATE, rows anew": _by_writing(connection, "TRUNCATE {}"),
            "DELETE, rows anew": _by_writing(connection, "DELETE FROM {}"),
        }
        figures = {k: _timed(connection, reset, chosen.peers) for k, reset in peers.items()}
        began = perf_counter()
        snapshot = postgres.snapshot()
        print(f"snapshot taken in {1e3 * (perf_counter() - began):.0f} ms")
        ours = _timed(connection, snapshot.restore, chosen.tests)
        nothing = [_ms(snapshot.restore) for _ in range(chosen.peers)]
        _print("restore", ours)
        _print(f"… the first {chosen.peers}", ours[: chosen.peers])
        _print(f"… the last {chosen.peers}", ours[-chosen.peers :])
        _print("… where nothing was written", nothing)
        for peer, found in figures.items():
            _print(peer, found, ours)
        snapshot.drop()
    _print("a new clone, connections ended", _clones(server, chosen.peers), ours)
    _large(postgres, chosen)


def _large(postgres: Postgres, chosen: argparse.Namespace) -> None:
    with postgres.connect(autocommit=True) as connection:
        connection.execute("CREATE TABLE auth.large (id int PRIMARY KEY, what text)")
        connection.execute(
            "INSERT INTO auth.large SELECT n, md5(n::text) FROM generate_series(1, %s) n",
            [chosen.large],
        )
        with postgres.snapshot() as snapshot:
            _print(
                f"{chosen.large:,} rows beside, not written to",
                _timed(connection, snapshot.restore, chosen.peers),
            )

            def change() -> None:
                connection.execute("UPDATE auth.large SET what = '' WHERE id % 20000 = 0")

            found: list[float] = []
            for _ in range(chosen.peers):
                change()
                found.append(_ms(snapshot.restore))
            _print(f"… {chosen.large // 20_000} of them written to", found)


def _clones(server: Postgres, count: int) -> list[float]:
    with server.connect(autocommit=True) as connection:
        connection.execute("ALTER DATABASE app RENAME TO template")

        def clone() -> None:
            connection.execute("DROP DATABASE IF EXISTS app WITH (FORCE)")
            connection.execute("CREATE DATABASE app TEMPLATE template")

        return [_ms(clone) for _ in range(count)]


def _by_writing(connection: Connection[Any], empty: str) -> Callable[[], object]:
    """Return what empties all tables and writes the rows anew that there are now."""
    columns = {t.name: ", ".join(t.columns) for t in tables_of(connection)}
    tables = _tables(connection)
    connection.execute("CREATE SCHEMA IF NOT EXISTS kept")
    for number, table in enumerate(tables):
        connection.execute(f"CREATE TABLE IF NOT EXISTS kept.t{number} AS TABLE {table}")

    def reset() -> None:
        with connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")
            if "TRUNCATE" in empty:
                connection.execute(empty.format(", ".join(tables)))
            for number, table in enumerate(tables):
                if "TRUNCATE" not in empty:
                    connection.execute(empty.format(table))
                connection.execute(
                    f"INSERT INTO {table} ({columns[table]}) OVERRIDING SYSTEM VALUE"
                    f" SELECT {columns[table]} FROM kept.t{number}"
                )

    return reset


def _timed(connection: Connection[Any], reset: Callable[[], object], count: int) -> list[float]:
    found: list[float] = []
    rows = _rows(connection)
    for _ in range(count):
        _test(connection)
        found.append(_ms(reset))
    assert _rows(connection) == rows, "the rows are those of before"
    return found


def _test(connection: Connection[Any]) -> None:
    (instance,) = connection.execute(TENANT).fetchone() or ("",)
    connection.execute(
        "INSERT INTO instances.jobs (instance_id, kind) VALUES (%s, 'provision')", [instance]
    )
    connection.execute(
        "INSERT INTO instances.resources (instance_id, size, attempt) VALUES (%s, 'small', 1)",
        [instance],
    )
    connection.execute("DELETE FROM instances.jobs WHERE instance_id = %s", [instance])
    connection.execute("UPDATE instances.instances SET updated_at = now()")


def _tables(connection: Connection[Any]) -> list[str]:
    return [t.name for t in tables_of(connection) if t.name.startswith(("auth.", "instances."))]


def _rows(connection: Connection[Any]) -> int:
    counted = " + ".join(f"(SELECT count(*) FROM {t})" for t in _tables(connection))
    (found,) = connection.execute(f"SELECT {counted}").fetchone() or (0,)
    return int(found)


def _ms(what: Callable[[], object]) -> float:
    began = perf_counter()
    what()
    return 1e3 * (perf_counter() - began)


def _print(name: str, found: list[float], base: list[float] | None = None) -> None:
    ratio = f"  ratio {median(found) / median(base):5.1f}" if base else ""
    high = quantiles(found, n=20)[-1]
    print(f"  {name:<34} median {median(found):6.1f} ms  p95 {high:6.1f} ms{ratio}")


if __name__ == "__main__":
    main()
