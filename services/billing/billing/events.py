"""Events of the payment provider: each counts once, in whatever order and however often it comes.

Nothing is added to a total or moved from state to state when an event comes. It is booked, and the
state is read anew from all that are booked, in the provider's own order: so the end is the same in
whatever order they came.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, ValidationError
from shared.database import Connection, Pool
from shared.problems import Problem
from shared.tenants import transaction

from billing import outbox

Outcome = Literal["booked", "duplicate", "ignored"]
State = Literal["pending", "active", "past_due", "cancelled"]

LONGEST_ID = 255

log = logging.getLogger("billing.events")


class Notice(BaseModel):
    """What every event tells; tenant and subscription are what we gave the provider."""

    tenant: UUID
    subscription: UUID
    # Counted by the provider, for each subscription.
    sequence: Annotated[int, Field(strict=True, gt=0, lt=2**63)]


class Payment(Notice):
    """What an event about money tells, too; the amount is in the currency's minor unit."""

    # Strict: 19.0 and "1900" are refused. What is no whole number is no amount.
    amount: Annotated[int, Field(strict=True, gt=0, le=10**12)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


KINDS: Mapping[str, type[Notice]] = {
    "payment.succeeded": Payment,
    "payment.failed": Notice,
    "payment.refunded": Payment,
    "subscription.cancelled": Notice,
}


class Envelope(BaseModel):
    """The body of a webhook."""

    type: str
    data: dict[str, Any]


async def take(pool: Pool, event_id: str, body: bytes) -> Outcome:
    """Book the event in a webhook whose signature is good.

    Raises `Problem`: invalid_event, not_found for a subscription that the tenant does not have.
    """
    if len(event_id) > LONGEST_ID:
        raise Problem(422, "invalid_event", f"an id has {LONGEST_ID} characters at the most")
    try:
        envelope = Envelope.model_validate_json(body)
        if (kind := KINDS.get(envelope.type)) is None:
            return "ignored"  # the provider knows more than we asked for
        told = kind.model_validate(envelope.data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise Problem(422, "invalid_event", f"{where}: {first['msg']}") from error
    async with transaction(pool, told.tenant) as conn:
        return await _book(conn, event_id, envelope.type, told)


async def _book(conn: Connection, event_id: str, kind: str, told: Notice) -> Outcome:
    # Locked: events of one subscription come one by one, so that each sees those before it.
    found = await conn.execute(
        "SELECT amount, currency, state FROM billing.subscriptions WHERE subscription_id = %s"
        " FOR UPDATE",
        [told.subscription],
    )
    if (subscription := await found.fetchone()) is None:
        raise Problem(404, "not_found", "there is no such subscription")
    amount, currency = 0, subscription["currency"]
    if isinstance(told, Payment):
        amount = -told.amount if kind == "payment.refunded" else told.amount
        currency = told.currency
    booked = await conn.execute(
        "INSERT INTO billing.events"
        " (event_id, tenant_id, subscription_id, kind, sequence, amount, currency)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (event_id) DO NOTHING",
        [event_id, told.tenant, told.subscription, kind, told.sequence, amount, currency],
    )
    if not booked.rowcount:
        return "duplicate"
    found = await conn.execute(
        "SELECT kind, amount, currency FROM billing.events WHERE subscription_id = %s"
        " ORDER BY sequence, event_id",
        [told.subscription],
    )
    price = (subscription["amount"], subscription["currency"])
    state, is_paid = read(await found.fetchall(), price)
    await conn.execute(
        "UPDATE billing.subscriptions SET state = %s, updated_at = now()"
        " WHERE subscription_id = %s",
        [state, told.subscription],
    )
    if state == "cancelled":
        await outbox.put(conn, told.tenant, told.subscription, "deprovision")
    elif is_paid:
        await outbox.put(conn, told.tenant, told.subscription, "provision")
    log.info(
        "booked",
        extra={"kind": kind, "subscription": told.subscription, "amount": amount, "state": state},
    )
    return "booked"


def read(events: Iterable[Mapping[str, Any]], price: tuple[int, str]) -> tuple[State, bool]:
    """Return the state after events in their order, and whether one of them has paid the price.

    A payment of another amount or currency is booked and pays for nothing. Cancelled is the end.
    """
    state: State = "pending"
    is_paid = False
    for event in events:
        match event["kind"]:
            case "payment.succeeded" if (event["amount"], event["currency"]) == price:
                state, is_paid = "active", True
            case "payment.failed":
                state = "past_due"
            case "subscription.cancelled":
                return "cancelled", is_paid
    return state, is_paid
