"""Orders: what a tenant may have, and how each request becomes a job for the worker."""

import hashlib
import json
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from psycopg import errors
from pydantic import BaseModel, StringConstraints
from shared import baggage, tracing
from shared.database import Connection
from shared.problems import Problem

State = Literal["requested", "provisioning", "running", "failed", "deprovisioning", "deprovisioned"]
# Not empty, no control characters: NUL could not even be stored.
PRINTABLE = r"^[^\x00-\x1f\x7f]+$"
# After this time a key may be used again for something else.
KEY_LIFETIME = "24 hours"

_INSTANCE = "instance_id AS id, name, size, state, failure_reason, attempts, created_at, updated_at"
# Constraint -> how its violation is told; the database decides, also between concurrent orders.
_REFUSED = {
    "instances_size_fkey": (422, "unknown_size", "there is no such size"),
    "instances_live_name": (409, "name_taken", "a live instance has this name"),
    "tenants_tenant_id_fkey": (403, "unknown_tenant", "the tenant no longer exists"),
}


class Order(BaseModel, extra="forbid"):
    """What a customer asks for."""

    name: Annotated[str, StringConstraints(max_length=200, pattern=PRINTABLE)]
    size: Annotated[str, StringConstraints(max_length=50, pattern=PRINTABLE)]

    def digest(self) -> bytes:
        """Return what two requests with the same Idempotency-Key must have in common."""
        return hashlib.sha256(json.dumps([self.name, self.size]).encode()).digest()


class Instance(BaseModel):
    """An instance as its tenant sees it."""

    id: UUID
    name: str
    size: str
    state: State
    failure_reason: str | None
    attempts: int
    created_at: datetime
    updated_at: datetime


async def place(
    conn: Connection, tenant: UUID, tier: str, order: Order, key: str | None
) -> dict[str, Any]:
    """Take an order and queue its job; a `key` seen before returns the first answer.

    Raises `Problem`: name_taken, quota_exceeded, unknown_size, idempotency_key_reused.
    """
    try:
        await _lock_tenant(conn, tenant, tier)
        if key is not None and (answer := await _earlier_answer(conn, tenant, key, order)):
            return answer
        await _check_quota(conn, tenant, tier)
        cursor = await conn.execute(
            "INSERT INTO instances.instances (tenant_id, name, size) VALUES (%s, %s, %s)"
            f" RETURNING {_INSTANCE}",
            [tenant, order.name, order.size],
        )
    except errors.IntegrityError as error:
        if refusal := _REFUSED.get(error.diag.constraint_name or ""):
            raise Problem(*refusal) from error
        raise
    answer = Instance.model_validate(await cursor.fetchone()).model_dump(mode="json")
    await _queue(conn, answer["id"], "provision")
    if key is not None:
        await conn.execute(
            "INSERT INTO instances.idempotency_keys"
            " (tenant_id, key, request_hash, instance_id, answer) VALUES (%s, %s, %s, %s, %s)",
            [tenant, key, order.digest(), answer["id"], json.dumps(answer)],
        )
    return answer


async def find(conn: Connection, instance_id: UUID) -> Instance:
    """Return the tenant's instance; raises `Problem` not_found, also for another tenant's."""
    cursor = await conn.execute(
        f"SELECT {_INSTANCE} FROM instances.instances WHERE instance_id = %s", [instance_id]
    )
    if (row := await cursor.fetchone()) is None:
        raise Problem(404, "not_found", "there is no such instance")
    return Instance.model_validate(row)


async def find_all(conn: Connection, state: State | None, limit: int) -> list[Instance]:
    """Return the tenant's newest instances, newest first."""
    cursor = await conn.execute(
        f"SELECT {_INSTANCE} FROM instances.instances"
        " WHERE %(state)s::text IS NULL OR state = %(state)s"
        " ORDER BY created_at DESC, instance_id LIMIT %(limit)s",
        {"state": state, "limit": limit},
    )
    return [Instance.model_validate(row) for row in await cursor.fetchall()]


async def give_back(conn: Connection, instance_id: UUID) -> Instance:
    """Queue the removal of an instance; asking again changes nothing.

    What never ran, because it failed, has nothing to remove and is deprovisioned at once.
    """
    cursor = await conn.execute(
        "UPDATE instances.instances SET updated_at = now(), state ="
        " CASE state WHEN 'failed' THEN 'deprovisioned' ELSE 'deprovisioning' END"
        " WHERE instance_id = %s AND state IN ('requested', 'provisioning', 'running', 'failed')"
        f" RETURNING {_INSTANCE}",
        [instance_id],
    )
    if (row := await cursor.fetchone()) is None:
        return await find(conn, instance_id)
    if row["state"] == "deprovisioning":
        await _queue(conn, instance_id, "deprovision")
    return Instance.model_validate(row)


async def _lock_tenant(conn: Connection, tenant: UUID, tier: str) -> None:
    # The row stays locked until the transaction ends, so a tenant's orders come one by one: that
    # makes the quota exact and a repeated key see the order that came first.
    await conn.execute(
        "INSERT INTO instances.tenants (tenant_id, tier) VALUES (%s, %s)"
        " ON CONFLICT (tenant_id) DO UPDATE SET tier = excluded.tier",
        [tenant, tier],
    )


async def _check_quota(conn: Connection, tenant: UUID, tier: str) -> None:
    cursor = await conn.execute(
        "SELECT max_live, (SELECT count(*) FROM instances.instances WHERE tenant_id = %s AND live)"
        " AS live FROM instances.tiers WHERE tier = %s",
        [tenant, tier],
    )
    row = await cursor.fetchone()
    if row is None or row["live"] >= row["max_live"]:
        quota = row["max_live"] if row else 0
        detail = f"the tier {tier} allows {quota} live instances"
        raise Problem(409, "quota_exceeded", detail, quota=quota)


async def _earlier_answer(
    conn: Connection, tenant: UUID, key: str, order: Order
) -> dict[str, Any] | None:
    await conn.execute(
        "DELETE FROM instances.idempotency_keys"
        " WHERE tenant_id = %s AND created_at < now() - %s::interval",
        [tenant, KEY_LIFETIME],
    )
    cursor = await conn.execute(
        "SELECT request_hash, answer FROM instances.idempotency_keys"
        " WHERE tenant_id = %s AND key = %s",
        [tenant, key],
    )
    if (row := await cursor.fetchone()) is None:
        return None
    if bytes(row["request_hash"]) != order.digest():
        detail = "this Idempotency-Key came with another order before"
        raise Problem(422, "idempotency_key_reused", detail)
    answer: dict[str, Any] = row["answer"]
    return answer


async def _queue(conn: Connection, instance_id: UUID | str, kind: str) -> None:
    with tracing.send("instances.jobs") as traceparent:
        await conn.execute(
            "INSERT INTO instances.jobs (instance_id, kind, baggage, traceparent)"
            " VALUES (%s, %s, %s, %s)",
            [instance_id, kind, baggage.current.get(), traceparent],
        )
