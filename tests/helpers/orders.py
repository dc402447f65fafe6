"""Orders at the provisioning API, and the locks and roles with which a test gets in their way."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from helpers.eventually import eventually
from helpers.oauth import Tenant
from helpers.waits import Waits
from nomock import Postgres, Stack

# The compose file's; of the roles that own nothing.
PASSWORDS = {
    "instances_service": "instances-database-password",
    "worker_service": "worker-database-password",
    "billing_service": "billing-database-password",
}


class Orders:
    """What one tenant orders."""

    def __init__(self, stack: Stack, tenant: Tenant) -> None:
        self.stack = stack
        self.tenant = tenant

    def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send a request in the tenant's name."""
        headers = self.tenant.headers | request.pop("headers", {})
        reply: httpx.Response = self.stack["instances"].http.request(
            method, path, headers=headers, **request
        )
        return reply

    def place(self, name: str, size: str = "small", key: str | None = None) -> httpx.Response:
        """Order an instance."""
        return self.send(**self.order(name, size, key))

    def order(self, name: str, size: str = "small", key: str | None = None) -> dict[str, Any]:
        """Return the request that orders an instance, for `send` or `at_once`."""
        headers = {} if key is None else {"Idempotency-Key": key}
        body = {"name": name, "size": size}
        return {"method": "POST", "path": "/instances", "json": body, "headers": headers}

    def placed(self, name: str, size: str = "small", key: str | None = None) -> dict[str, Any]:
        """Order an instance, which must be accepted."""
        reply = self.place(name, size, key)
        assert reply.status_code == 202, reply.text
        instance: dict[str, Any] = reply.json()
        return instance

    def running(self, name: str, size: str = "small") -> dict[str, Any]:
        """Order an instance and return it when it runs."""
        return self.reach(self.placed(name, size)["id"], "running")

    def insert(self, postgres: Postgres, *told: tuple[str, str]) -> None:
        """Make instances by name and state that nobody ordered, and of which no worker hears."""
        tenant = self.tenant.tenant_id
        with postgres.connect() as conn:
            conn.execute(
                "INSERT INTO instances.tenants VALUES (%s, %s) ON CONFLICT DO NOTHING",
                [tenant, self.tenant.tier],
            )
            conn.cursor().executemany(
                "INSERT INTO instances.instances (tenant_id, name, size, state, failure_reason)"
                " VALUES (%s, %s, 'small', %s, %s)",
                [
                    (tenant, name, state, "none" if state == "failed" else None)
                    for name, state in told
                ],
            )

    def get(self, instance_id: str) -> httpx.Response:
        """Ask for one instance."""
        return self.send("GET", f"/instances/{instance_id}")

    def all(self, **params: Any) -> list[dict[str, Any]]:
        """Return the tenant's instances."""
        reply = self.send("GET", "/instances", params=params)
        assert reply.status_code == 200, reply.text
        instances: list[dict[str, Any]] = reply.json()
        return instances

    def give_back(self, instance_id: str) -> httpx.Response:
        """Ask for the removal of an instance."""
        return self.send("DELETE", f"/instances/{instance_id}")

    def reach(self, instance_id: str, state: str, within_s: float | None = None) -> dict[str, Any]:
        """Return the instance when its state is `state`; as soon as the worker has done a job."""
        if within_s is None:
            within_s = Waits(self.stack).done_s
        seen: dict[str, Any] = {}

        def reached() -> bool:
            seen.update(self.get(instance_id).json())
            return seen.get("state") == state

        try:
            eventually(reached, within_s=within_s, reason=f"the instance should be {state}")
        except AssertionError as error:
            error.add_note(f"it is {seen}")
            raise
        return seen

    def at_once(self, *requests: dict[str, Any]) -> list[httpx.Response]:
        """Send requests at the same moment, each over its own connection."""

        async def send_all() -> list[httpx.Response]:
            async with self.stack["instances"].async_http as http:
                return await asyncio.gather(*(send(http, **request) for request in requests))

        async def send(
            http: httpx.AsyncClient, method: str, path: str, **request: Any
        ) -> httpx.Response:
            headers = self.tenant.headers | request.pop("headers", {})
            return await http.request(method, path, headers=headers, **request)

        return asyncio.run(send_all())


@pytest.fixture
def orders(stack: Stack, tenant: Tenant) -> Orders:
    """Return the orders of a tenant of the tier free."""
    return Orders(stack, tenant)


@pytest.fixture
def make_orders(stack: Stack, make_tenant: Callable[..., Tenant]) -> Callable[..., Orders]:
    """Return a function that makes a tenant of the given tier and returns its orders."""
    return lambda tier="free": Orders(stack, make_tenant(tier=tier))


def refusal(reply: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of an RFC 9457 problem."""
    assert reply.is_error, f"not refused but {reply.status_code}: {reply.text}"
    assert reply.headers["content-type"] == "application/problem+json", reply.text
    problem = reply.json()
    assert problem["status"] == reply.status_code
    assert problem["type"] == f"urn:problem:{problem['code']}"
    assert problem["title"]
    assert problem["detail"]
    return reply.status_code, problem["code"]


@contextmanager
def held(postgres: Postgres, statement: str, *values: Any) -> Iterator[Any]:
    """Run a statement and keep its locks until the block ends; nothing of it is committed."""
    conn = postgres.connect()
    try:
        conn.execute(statement, values)
        yield conn
    finally:
        conn.rollback()
        conn.close()


def one(cursor: Any) -> tuple[Any, ...]:
    """Return the row that a statement has found."""
    row: tuple[Any, ...] | None = cursor.fetchone()
    assert row is not None
    return row


def waiting_for_a_lock(postgres: Postgres, role: str) -> set[int]:
    """Return the server's processes for connections of a role that wait for a lock."""
    with postgres.connect() as conn:
        found = conn.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE usename = %s AND datname = current_database() AND wait_event_type = 'Lock'",
            [role],
        )
        return {pid for (pid,) in found}


def waiting_behind(postgres: Postgres, holder: Any) -> int:
    """Return how many connections wait for a connection, or for one that waits for it."""
    with postgres.connect() as conn:
        (count,) = one(
            conn.execute(
                "WITH waits AS (SELECT pid, pg_blocking_pids(pid) AS behind FROM pg_stat_activity),"
                " first AS (SELECT pid FROM waits WHERE %(holder)s = ANY(behind))"
                " SELECT count(*) FROM waits WHERE behind && (SELECT array_agg(pid) FROM first)"
                " OR pid IN (SELECT pid FROM first)",
                {"holder": holder.info.backend_pid},
            )
        )
    return int(count)


def sever(postgres: Postgres, role: str) -> int:
    """End all connections of a role and return how many they were."""
    with postgres.connect() as conn:
        ended = conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = %s AND datname = current_database()",
            [role],
        ).fetchall()
    return len(ended)


def as_role(postgres: Postgres, role: str, tenant_id: str | None = None) -> Any:
    """Return a connection of a service's role, for one tenant if that is given."""
    conn = postgres.connect(role, PASSWORDS[role])
    if tenant_id is not None:
        conn.execute("SELECT set_config('app.tenant', %s, true)", [tenant_id])
    return conn


def rows(postgres: Postgres, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Return what the superuser reads; %s stands for each of `values`."""
    with postgres.connect() as conn:
        found: list[tuple[Any, ...]] = conn.execute(statement, values).fetchall()
    return found


def resources(postgres: Postgres, instance_id: str) -> int:
    """Return how many resources an instance really has."""
    statement = "SELECT count(*) FROM instances.resources WHERE instance_id = %s"
    count: int = rows(postgres, statement, instance_id)[0][0]
    return count
