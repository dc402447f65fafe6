"""Snapshots of a database: what tests change is put back, whatever kind of table it is in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from postgres_server import Server

from nomock.adapters.postgres import Connection
from nomock.database.keeper import Snapshots
from nomock.errors import SnapshotError

SCHEMA = """
    CREATE SCHEMA "Odd name";
    CREATE TABLE tenants (id serial PRIMARY KEY, name text NOT NULL UNIQUE);
    CREATE TABLE orders (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        tenant int NOT NULL REFERENCES tenants ON DELETE CASCADE,
        parent bigint REFERENCES orders,
        price numeric NOT NULL, gross numeric GENERATED ALWAYS AS (price * 1.2) STORED,
        raw json, spot point);
    CREATE TABLE log (tenant int, at date NOT NULL) PARTITION BY RANGE (at);
    CREATE TABLE log_2025 PARTITION OF log FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE log_2026 PARTITION OF log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
    CREATE TABLE "Odd name"."Odd ""table%" (a int, gone int, "Odd {column}" text);
    ALTER TABLE "Odd name"."Odd ""table%" DROP COLUMN gone;
    CREATE TABLE audit (what text);
    CREATE TABLE nothing ();
    CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO audit VALUES (TG_OP); RETURN NULL; END';
    CREATE TRIGGER noted AFTER INSERT OR UPDATE OR DELETE ON orders
        FOR EACH ROW EXECUTE FUNCTION noted();
    CREATE ROLE clerk LOGIN PASSWORD 'clerk';
    GRANT ALL ON orders, tenants, audit TO clerk;
    GRANT ALL ON SEQUENCE tenants_id_seq TO clerk;
    ALTER TABLE orders ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    CREATE POLICY own ON orders USING (tenant = 1);
    INSERT INTO tenants (name) VALUES ('one'), ('two');
    INSERT INTO orders (tenant, price, raw, spot)
        VALUES (1, 10, '{"a": 1}', '(1,2)'), (2, 5, '[]', NULL);
    INSERT INTO log VALUES (1, '2025-05-05'), (2, '2026-05-05');
    INSERT INTO "Odd name"."Odd ""table%" VALUES (1, 'x'), (1, 'x'), (NULL, NULL);
    TRUNCATE audit;
"""
CONTENTS = {
    "tenants": "id, name",
    "orders": "id, tenant, parent, price, gross, raw::text, spot::text",
    "log": "tableoid::regclass::text, tenant, at::text",
    '"Odd name"."Odd ""table%"': 'a, "Odd {column}"',
    "audit": "what",
    "tenants_id_seq": "last_value, is_called",
    "orders_id_seq": "last_value, is_called",
}


@pytest.fixture(scope="module")
def database(postgres_server: Server) -> Iterator[Connection[Any]]:
    """A connection to a database with that schema, which each test leaves as it was."""
    with postgres_server.database() as connection:
        connection.execute("DROP ROLE IF EXISTS clerk")
        connection.execute(SCHEMA)
        yield connection
        connection.execute("DROP OWNED BY clerk")
        connection.execute("DROP ROLE clerk")


@pytest.fixture
def snapshots(postgres_server: Server, database: Connection[Any]) -> Iterator[Snapshots]:
    found = Snapshots(lambda: postgres_server.connect(database.info.dbname), "database DB")
    yield found
    found.close()


def contents(connection: Connection[Any]) -> dict[str, list[Any]]:
    return {
        table: sorted(connection.execute(f"SELECT {what} FROM {table}").fetchall(), key=str)
        for table, what in CONTENTS.items()
    }


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO tenants (name) VALUES ('three')",
        "UPDATE tenants SET name = 'other' WHERE id = 1",
        "DELETE FROM tenants",  # what hangs on them goes by the server's own statements
        "TRUNCATE tenants CASCADE",
        "TRUNCATE tenants, orders RESTART IDENTITY",
        "UPDATE orders SET price = price + 1; DELETE FROM audit",
        "INSERT INTO orders (tenant, parent, price) VALUES (1, 1, 1), (1, 2, 2)",
        "DELETE FROM orders WHERE id = 2; INSERT INTO orders OVERRIDING SYSTEM VALUE"
        " VALUES (2, 1, NULL, 3)",
        "UPDATE log SET at = '2026-01-01' WHERE at = '2025-05-05'",
        "INSERT INTO log_2025 VALUES (7, '2025-01-01')",
        'UPDATE "Odd name"."Odd ""table%" SET a = 2',
        'DELETE FROM "Odd name"."Odd ""table%" WHERE a IS NULL; VACUUM FULL',
        "SELECT nextval('tenants_id_seq'), setval('orders_id_seq', 1, false)",
        "SET session_replication_role = replica; DELETE FROM tenants WHERE id = 2;"
        " RESET session_replication_role",
        "CREATE TEMP TABLE IF NOT EXISTS mine (a int); INSERT INTO nothing DEFAULT VALUES",
        "SET ROLE clerk; INSERT INTO tenants (name) VALUES ('of a role'); RESET ROLE",
    ],
)
def test_rows_and_sequences_should_be_as_before_when_a_snapshot_is_restored(
    database: Connection[Any], snapshots: Snapshots, statement: str
) -> None:
    before = contents(database)
    with snapshots.take() as snapshot:
        for _ in range(2):  # the second time what was put back is changed
            for part in statement.split(";"):
                database.execute(part)
            snapshot.restore()
            assert contents(database) == before
            assert snapshot.restore() == 0
    left = database.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ 'nomock'").fetchall()
    assert left == []
    assert (
        database.execute("SELECT tgname FROM pg_trigger WHERE tgname ~ 'nomock'").fetchall() == []
    )


def test_each_snapshot_should_be_restored_when_one_is_taken_within_another(
    database: Connection[Any], snapshots: Snapshots
) -> None:
    def names() -> list[str]:
        return [n for (n,) in database.execute("SELECT name FROM tenants ORDER BY 1").fetchall()]

    with snapshots.take():
        database.execute("INSERT INTO tenants (name) VALUES ('outer')")
        with snapshots.take():
            database.execute("UPDATE tenants SET name = 'inner ' || name")
            snapshots.last.restore()
            assert names() == ["one", "outer", "two"]
            database.execute("DELETE FROM tenants WHERE name = 'one'")
        assert names() == ["one", "outer", "two"]
    assert names() == ["one", "two"]


def test_a_restore_should_be_refused_when_the_schema_is_another_one(
    database: Connection[Any], snapshots: Snapshots
) -> None:
    snapshot = snapshots.take()
    database.execute("CREATE TABLE late (a int); DROP TABLE nothing; DELETE FROM log")
    with pytest.raises(SnapshotError) as refused:
        snapshot.restore()
    assert str(refused.value) == (
        "database DB: the schema is another one than that of the snapshot\n"
        "  public.nothing is gone\n"
        "  1 tables or sequences are new\n"
        "-> take a new snapshot once the schema is as it shall be"
    )
    assert database.execute("SELECT * FROM log").fetchall() == []
    database.execute("DROP TABLE late; CREATE TABLE nothing ()")
    database.execute("INSERT INTO log VALUES (1, '2025-05-05'), (2, '2026-05-05')")


def test_a_restore_should_name_a_writer_when_its_transaction_goes_on(
    postgres_server: Server,
    database: Connection[Any],
    snapshots: Snapshots,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    snapshot = snapshots.take()
    monkeypatch.setattr("nomock.database.locks.LOCKED_WITHIN_S", 0.1)
    name = database.info.dbname
    with postgres_server.postgres(name).connect(application_name="shop") as writer:
        writer.execute("UPDATE tenants SET name = name || '!'")
        with pytest.raises(SnapshotError) as refused:
            snapshot.restore()
    # What was only tried has changed nothing, and is tried again.
    assert snapshot.restore() == 1
    seen = re.sub(r"pid \d+|\d+\.\d s", "N", refused.value.seen)
    assert seen == (
        "tenants: shop (N, role postgres), idle in transaction, its transaction open for N: "
        "UPDATE tenants SET name = name || '!'"
    )


def test_a_snapshot_should_be_refused_when_another_process_has_one_and_gone_when_that_was_killed(
    postgres_server: Server, database: Connection[Any], snapshots: Snapshots
) -> None:
    other = Snapshots(lambda: postgres_server.connect(database.info.dbname), "database DB")
    other.take()
    with pytest.raises(SnapshotError, match="another run has a snapshot of it"):
        snapshots.take()
    other.connection().close()  # as the server does when its process is killed
    database.execute("INSERT INTO tenants (name) VALUES ('three')")
    with snapshots.take() as snapshot:
        assert snapshot.restore() == 0
    assert database.execute("DELETE FROM tenants WHERE name = 'three'").rowcount == 1


def test_a_commands_snapshot_should_lie_beneath_when_a_test_that_it_runs_takes_one(
    postgres_server: Server, database: Connection[Any], snapshots: Snapshots
) -> None:
    def schemas() -> list[str]:
        found = database.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ 'nomock'")
        return [name for (name,) in found.fetchall()]

    def open_connection() -> Connection[Any]:
        return postgres_server.connect(database.info.dbname)

    before = contents(database)
    command = Snapshots(open_connection, "database DB", beneath=True)
    beneath = command.take()
    with snapshots.take():
        database.execute("INSERT INTO tenants (name) VALUES ('three')")
    assert schemas() == [beneath.schema]
    database.execute("DELETE FROM tenants WHERE name = 'one'")
    beneath.restore()
    assert contents(database) == before
    command.connection().close()  # as the server does when its process is killed
    with snapshots.take() as above:
        assert schemas() == [above.schema]
    assert schemas() == []


def test_a_role_without_the_right_to_restore_should_be_told_so_when_the_snapshot_is_taken(
    postgres_server: Server, database: Connection[Any]
) -> None:
    database.execute("GRANT CREATE ON DATABASE " + database.info.dbname + " TO clerk")
    of_clerk = Snapshots(
        lambda: postgres_server.postgres(database.info.dbname).connect(
            "clerk", "clerk", autocommit=True
        ),
        "database DB",
    )
    with pytest.raises(SnapshotError) as refused:
        of_clerk.take()
    of_clerk.close()
    assert "database DB: no snapshot was taken\n  permission denied" in str(refused.value)


def test_a_restore_should_go_on_when_the_server_has_ended_its_connection(
    database: Connection[Any], snapshots: Snapshots
) -> None:
    with snapshots.take() as snapshot:
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        database.execute("DELETE FROM orders")
        assert snapshot.restore() == 2  # the trigger has written to another table
