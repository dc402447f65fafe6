"""Subscriptions: what a tenant wants, what it costs, and what was paid for it."""

from collections import Counter
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from psycopg import errors
from pydantic import BaseModel, StringConstraints
from shared.database import Connection
from shared.problems import Problem

from billing.events import State

# As `instances` wants names: not empty, no control characters.
PRINTABLE = r"^[^\x00-\x1f\x7f]+$"

_SUBSCRIPTION = (
    "subscription_id AS id, plan, name, amount, currency, state, instance_id, refusal, created_at"
)


class Plan(BaseModel):
    """What can be subscribed to; amounts are whole numbers of the currency's minor unit."""

    plan: str
    size: str
    amount: int
    currency: str


class Checkout(BaseModel, extra="forbid"):
    """What a customer asks for: a plan, and what the instance is to be called."""

    plan: Annotated[str, StringConstraints(max_length=50, pattern=PRINTABLE)]
    name: Annotated[str, StringConstraints(max_length=200, pattern=PRINTABLE)]


class Subscription(BaseModel):
    """A subscription as its tenant sees it."""

    id: UUID
    plan: str
    name: str
    amount: int
    currency: str
    state: State
    instance_id: UUID | None
    refusal: str | None
    created_at: datetime


class Invoice(BaseModel):
    """What was paid or, with a negative amount, refunded by one event of the provider."""

    event_id: str
    subscription_id: UUID
    kind: Literal["payment", "refund"]
    amount: int
    currency: str
    booked_at: datetime


class Invoices(BaseModel):
    """All invoices of a tenant, and what they add up to in each currency."""

    invoices: list[Invoice]
    totals: dict[str, int]


async def plans(conn: Connection) -> list[Plan]:
    """Return what can be subscribed to, the cheapest first."""
    found = await conn.execute("SELECT * FROM billing.plans ORDER BY amount, plan")
    return [Plan.model_validate(row) for row in await found.fetchall()]


async def check_out(conn: Connection, tenant: UUID, asked: Checkout) -> Subscription:
    """Make a subscription, which waits to be paid.

    Raises `Problem`: unknown_plan, unknown_tenant.
    """
    try:
        found = await conn.execute(
            "INSERT INTO billing.subscriptions (tenant_id, plan, name, amount, currency)"
            " SELECT %s, plan, %s, amount, currency FROM billing.plans WHERE plan = %s"
            f" RETURNING {_SUBSCRIPTION}",
            [tenant, asked.name, asked.plan],
        )
    except errors.ForeignKeyViolation as error:
        raise Problem(403, "unknown_tenant", "the tenant no longer exists") from error
    if (row := await found.fetchone()) is None:
        raise Problem(422, "unknown_plan", "there is no such plan")
    return Subscription.model_validate(row)


async def find(conn: Connection, subscription_id: UUID) -> Subscription:
    """Return the tenant's subscription; raises `Problem` not_found, also for another tenant's."""
    found = await conn.execute(
        f"SELECT {_SUBSCRIPTION} FROM billing.subscriptions WHERE subscription_id = %s",
        [subscription_id],
    )
    if (row := await found.fetchone()) is None:
        raise Problem(404, "not_found", "there is no such subscription")
    return Subscription.model_validate(row)


async def find_all(conn: Connection) -> list[Subscription]:
    """Return the tenant's subscriptions, newest first."""
    found = await conn.execute(
        f"SELECT {_SUBSCRIPTION} FROM billing.subscriptions ORDER BY created_at DESC, id"
    )
    return [Subscription.model_validate(row) for row in await found.fetchall()]


async def invoices(conn: Connection) -> Invoices:
    """Return the tenant's invoices, oldest first."""
    found = await conn.execute(
        "SELECT event_id, subscription_id, amount, currency, received_at AS booked_at,"
        " CASE WHEN amount > 0 THEN 'payment' ELSE 'refund' END AS kind"
        " FROM billing.events WHERE amount <> 0 ORDER BY received_at, event_id"
    )
    listed = [Invoice.model_validate(row) for row in await found.fetchall()]
    totals: Counter[str] = Counter()
    for invoice in listed:
        totals[invoice.currency] += invoice.amount
    return Invoices(invoices=listed, totals=dict(totals))
