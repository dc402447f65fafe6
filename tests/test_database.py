"""The database itself: row-level security, constraints and isolation, on the real server."""

import threading
import uuid
from collections.abc import Callable

import psycopg
import pytest
from helpers.oauth import Tenant
from helpers.orders import Orders, as_role, held, rows
from helpers.waits import SOON_S
from psycopg import IsolationLevel, errors

from nomock import Postgres

Name = Callable[[], str]

INSERT = "INSERT INTO instances.instances (tenant_id, name, size) VALUES (%s, %s, %s)"
COUNT = "SELECT count(*) FROM instances.instances WHERE tenant_id = %s AND live"


@pytest.fixture
def tenant_id(orders: Orders, unique_name: Name) -> str:
    """Return a tenant that has one instance, running."""
    orders.running(unique_name())
    return orders.tenant.tenant_id


@pytest.fixture
def other_id(make_orders: Callable[..., Orders], unique_name: Name) -> str:
    """Return another tenant that has one instance, running."""
    orders = make_orders()
    orders.running(unique_name())
    return orders.tenant.tenant_id


# Row-level security


def test_rows_should_be_invisible_when_the_tenant_is_not_set(
    postgres: Postgres, tenant_id: str
) -> None:
    with as_role(postgres, "instances_service") as conn:
        for table in ("tenants", "instances", "idempotency_keys"):
            assert conn.execute(f"SELECT * FROM instances.{table}").fetchall() == []
    assert rows(postgres, COUNT, tenant_id) == [(1,)]


def test_rows_should_be_those_of_one_tenant_when_it_is_set(
    postgres: Postgres, tenant_id: str, other_id: str
) -> None:
    with as_role(postgres, "instances_service", tenant_id) as conn:
        seen = conn.execute("SELECT DISTINCT tenant_id::text FROM instances.instances").fetchall()
        assert seen == [(tenant_id,)]
        assert conn.execute(COUNT, [other_id]).fetchall() == [(0,)]


def test_tenant_should_be_forgotten_when_its_transaction_is_over(
    postgres: Postgres, tenant_id: str
) -> None:
    with as_role(postgres, "instances_service", tenant_id) as conn:
        assert conn.execute(COUNT, [tenant_id]).fetchall() == [(1,)]
        conn.commit()
        assert conn.execute(COUNT, [tenant_id]).fetchall() == [(0,)]


def test_update_should_change_nothing_when_the_row_is_another_tenants(
    postgres: Postgres, tenant_id: str, other_id: str
) -> None:
    update = "UPDATE instances.instances SET name = 'TEST stolen' WHERE tenant_id = %s"
    with as_role(postgres, "instances_service", tenant_id) as conn:
        assert conn.execute(update, [other_id]).rowcount == 0


def test_insert_should_be_refused_when_it_is_for_another_tenant(
    postgres: Postgres, tenant_id: str, other_id: str, unique_name: Name
) -> None:
    with as_role(postgres, "instances_service", tenant_id) as conn:
        with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
            conn.execute(INSERT, [other_id, unique_name(), "small"])
        conn.rollback()


def test_row_should_not_move_when_it_is_given_to_another_tenant(
    postgres: Postgres, tenant_id: str, other_id: str
) -> None:
    with as_role(postgres, "instances_service", tenant_id) as conn:
        with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
            conn.execute("UPDATE instances.instances SET tenant_id = %s", [other_id])
        conn.rollback()


def test_job_should_be_refused_when_the_instance_is_another_tenants(
    postgres: Postgres, tenant_id: str, other_id: str
) -> None:
    ((instance_id,),) = rows(
        postgres, "SELECT instance_id FROM instances.instances WHERE tenant_id = %s", other_id
    )
    with as_role(postgres, "instances_service", tenant_id) as conn:
        with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
            conn.execute(
                "INSERT INTO instances.jobs (instance_id, kind) VALUES (%s, 'deprovision')",
                [instance_id],
            )
        conn.rollback()


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE instances.instances DISABLE ROW LEVEL SECURITY",
        "DELETE FROM instances.instances",
        "UPDATE instances.tiers SET max_live = 1000",
        "SELECT * FROM instances.resources",
        "SELECT * FROM auth.users",
        "SET ROLE worker_service",
    ],
)
def test_api_role_should_be_refused_when_it_reaches_beyond_its_task(
    postgres: Postgres, tenant: Tenant, statement: str
) -> None:
    with as_role(postgres, "instances_service", tenant.tenant_id) as conn:
        with pytest.raises(errors.InsufficientPrivilege):
            conn.execute(statement)
        conn.rollback()


# Constraints


def test_second_live_instance_should_be_refused_when_the_name_is_the_same(
    postgres: Postgres, tenant_id: str, unique_name: Name
) -> None:
    name = unique_name()
    with postgres.connect() as conn:
        conn.execute(INSERT, [tenant_id, name, "small"])
        with pytest.raises(errors.UniqueViolation) as refused:
            conn.execute(INSERT, [tenant_id, name, "large"])
        conn.rollback()
    assert refused.value.diag.constraint_name == "instances_live_name"


def test_order_should_wait_for_the_other_when_both_want_one_name(
    postgres: Postgres, tenant_id: str, unique_name: Name
) -> None:
    name = unique_name()
    with (
        held(postgres, INSERT, tenant_id, name, "small"),
        postgres.connect(options="-c lock_timeout=200ms") as late,
    ):
        with pytest.raises(errors.LockNotAvailable):
            late.execute(INSERT, [tenant_id, name, "small"])
        late.rollback()
    with postgres.connect() as late:  # the first was rolled back
        late.execute(INSERT, [tenant_id, name, "small"])


@pytest.mark.parametrize(
    ("change", "constraint"),
    [
        ("size = 'gigantic'", "instances_size_fkey"),
        ("tenant_id = gen_random_uuid()", "instances_tenant_id_fkey"),
        ("state = 'lost'", "instances_state_check"),
        ("state = 'failed'", "failure_has_a_reason"),
        ("name = ''", "instances_name_check"),
        ("attempts = -1", "instances_attempts_check"),
    ],
)
def test_instance_should_be_refused_when_it_breaks_a_rule(
    postgres: Postgres, tenant_id: str, change: str, constraint: str
) -> None:
    with postgres.connect() as conn:
        with pytest.raises(errors.IntegrityError) as refused:
            conn.execute(
                f"UPDATE instances.instances SET {change} WHERE tenant_id = %s", [tenant_id]
            )
        conn.rollback()
    assert refused.value.diag.constraint_name == constraint


def test_second_resource_should_be_refused_when_an_instance_has_one(
    postgres: Postgres, tenant_id: str
) -> None:
    with as_role(postgres, "worker_service") as conn:
        with pytest.raises(errors.UniqueViolation) as refused:
            conn.execute(
                "INSERT INTO instances.resources (instance_id, size, attempt)"
                " SELECT instance_id, size, 2 FROM instances.instances WHERE tenant_id = %s",
                [tenant_id],
            )
        conn.rollback()
    assert refused.value.diag.constraint_name == "resources_pkey"


def test_size_should_stay_when_an_instance_has_it(postgres: Postgres, tenant_id: str) -> None:
    with postgres.connect() as conn:
        with pytest.raises(errors.ForeignKeyViolation):
            conn.execute("DELETE FROM instances.sizes WHERE size = 'small'")
        conn.rollback()


def test_everything_should_go_when_its_tenant_is_deleted(
    postgres: Postgres, orders: Orders, unique_name: Name
) -> None:
    instance_id = orders.placed(unique_name(), key=uuid.uuid4().hex)["id"]
    orders.reach(instance_id, "running")
    tables = ("instances", "jobs", "resources", "idempotency_keys")
    left = "SELECT count(*) FROM instances.{} WHERE instance_id = %s"
    assert [rows(postgres, left.format(t), instance_id)[0][0] for t in tables] == [1, 1, 1, 1]
    with postgres.connect() as conn:
        conn.execute("DELETE FROM auth.tenants WHERE tenant_id = %s", [orders.tenant.tenant_id])
    assert [rows(postgres, left.format(t), instance_id)[0][0] for t in tables] == [0, 0, 0, 0]


# Isolation


@pytest.mark.parametrize(
    ("level", "seen_later"),
    [
        (IsolationLevel.READ_COMMITTED, 2),
        (IsolationLevel.REPEATABLE_READ, 1),
        (IsolationLevel.SERIALIZABLE, 1),
    ],
)
def test_commit_of_another_should_be_seen_only_when_the_level_reads_committed_rows(
    postgres: Postgres, tenant_id: str, unique_name: Name, level: IsolationLevel, seen_later: int
) -> None:
    with postgres.connect() as reader, postgres.connect() as writer:
        reader.isolation_level = level
        assert reader.execute(COUNT, [tenant_id]).fetchone() == (1,)
        writer.execute(INSERT, [tenant_id, unique_name(), "small"])
        assert reader.execute(COUNT, [tenant_id]).fetchone() == (1,)  # never what is not committed
        writer.commit()
        assert reader.execute(COUNT, [tenant_id]).fetchone() == (seen_later,)


def test_one_of_two_orders_should_fail_when_both_counted_first_and_are_serializable(
    postgres: Postgres, tenant_id: str, unique_name: Name
) -> None:
    with postgres.connect() as first, postgres.connect() as second:
        for conn in (first, second):
            conn.isolation_level = IsolationLevel.SERIALIZABLE
            assert conn.execute(COUNT, [tenant_id]).fetchone() == (1,)
        first.execute(INSERT, [tenant_id, unique_name(), "small"])
        first.commit()
        with pytest.raises(errors.SerializationFailure):
            second.execute(INSERT, [tenant_id, unique_name(), "small"])
            second.commit()
        second.rollback()
    assert rows(postgres, COUNT, tenant_id) == [(2,)]


def test_one_of_two_transactions_should_be_ended_when_they_wait_for_each_other(
    postgres: Postgres, tenant_id: str, other_id: str
) -> None:
    lock = "SELECT FROM instances.tenants WHERE tenant_id = %s FOR UPDATE"
    outcomes: list[str] = []
    both_hold_one = threading.Barrier(2)

    def take(first: str, second: str) -> None:
        with postgres.connect(options="-c deadlock_timeout=100ms") as conn:
            conn.execute(lock, [first])
            both_hold_one.wait(timeout=SOON_S)
            try:
                conn.execute(lock, [second])
                outcomes.append("locked")
            except psycopg.errors.DeadlockDetected:
                outcomes.append("deadlock")
            conn.rollback()

    pairs = [(tenant_id, other_id), (other_id, tenant_id)]
    threads = [threading.Thread(target=take, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=SOON_S)
    assert sorted(outcomes) == ["deadlock", "locked"]
