"""A tenant's subscriptions, and the payment provider who tells `billing` of them.

What `billing` knows of a provider is its webhooks. These are real requests, signed as the Standard
Webhooks specification says, by the secrets of the compose file.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from itertools import count
from typing import Any
from uuid import uuid4

import httpx
import pytest

from helpers.eventually import eventually
from helpers.oauth import Tenant
from helpers.orders import Orders, rows
from helpers.waits import SOON_S, Waits
from nomock import Postgres, Stack

Event = dict[str, Any]
WEBHOOK = "/webhooks/payments"


def event(
    kind: str, tenant_id: str, subscription: dict[str, Any], sequence: int, /, **data: Any
) -> Event:
    """Return an event of the provider; one about money is about the price, or what `data` says."""
    about = {"tenant": tenant_id, "subscription": subscription["id"], "sequence": sequence}
    if kind in ("payment.succeeded", "payment.refunded"):
        about |= {name: subscription[name] for name in ("amount", "currency")}
    return {"type": kind, "timestamp": "2030-01-01T00:00:00Z", "data": about | data}


def payment_of_nobody(**data: Any) -> Event:
    """Return an event about a subscription that there is not: for what is refused before."""
    subscription = {"id": str(uuid4()), "amount": 900, "currency": "EUR"}
    return event("payment.succeeded", str(uuid4()), subscription, 1, **data)


class Provider:
    """The payment provider."""

    def __init__(self, stack: Stack, new_id: Callable[[], str]) -> None:
        self.stack = stack
        self.new_id = new_id

    def secrets(self) -> list[str]:
        """Return the secrets that `billing` knows, the new one first."""
        setting = self.stack["billing"].config.environment["PAYMENTS_WEBHOOK_SECRETS"]
        assert setting is not None
        return setting.split()

    def sign(self, event_id: str, sent_at: str, body: bytes, secret: str | None = None) -> str:
        """Return one signature of a webhook."""
        key = base64.b64decode((secret or self.secrets()[0]).removeprefix("whsec_"))
        signed = f"{event_id}.{sent_at}.".encode() + body
        encoded = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
        return f"v1,{encoded}"

    def request(
        self, event: Event | bytes, event_id: str | None = None, sent_at: float | None = None
    ) -> dict[str, Any]:
        """Return the request that tells of an event; of a new one unless its id is given."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        event_id = event_id or self.new_id()
        at = str(int(time.time() if sent_at is None else sent_at))
        headers = {
            "content-type": "application/json",
            "webhook-id": event_id,
            "webhook-timestamp": at,
            "webhook-signature": self.sign(event_id, at, body),
        }
        return {"method": "POST", "url": WEBHOOK, "content": body, "headers": headers}

    def send(self, event: Event | bytes, **more: Any) -> httpx.Response:
        """Tell of an event."""
        reply: httpx.Response = self.stack["billing"].http.request(**self.request(event, **more))
        return reply

    def tell(self, event: Event, **more: Any) -> str:
        """Tell of an event, which must be taken, and return what became of it."""
        reply = self.send(event, **more)
        assert reply.status_code == 200, reply.text
        outcome: str = reply.json()["outcome"]
        return outcome

    def again(self, request: dict[str, Any]) -> str:
        """Send a webhook until it is taken, and return what became of it."""
        replies: list[httpx.Response] = []

        def is_taken() -> bool:
            replies.append(self.stack["billing"].http.request(**request))
            return replies[-1].status_code == 200

        eventually(is_taken, within_s=SOON_S, reason="the webhook should be taken")
        outcome: str = replies[-1].json()["outcome"]
        return outcome

    def tell_at_once(self, requests: list[dict[str, Any]]) -> list[httpx.Response]:
        """Send webhooks at the same moment, each over a connection of its own."""

        async def send_all() -> list[httpx.Response]:
            async with self.stack["billing"].async_http as http:
                return await asyncio.gather(*(http.request(**request) for request in requests))

        return asyncio.run(send_all())


class Customer:
    """A tenant as `billing` knows it."""

    def __init__(self, stack: Stack, postgres: Postgres, tenant: Tenant) -> None:
        self.stack = stack
        self.postgres = postgres
        self.tenant = tenant
        self.orders = Orders(stack, tenant)
        self._numbers = count(1)

    @cached_property
    def token(self) -> str:
        """A token for `billing`."""
        return self.tenant.new_token(resource="billing")

    def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send a request in the tenant's name."""
        headers = {"Authorization": f"Bearer {self.token}"}
        reply: httpx.Response = self.stack["billing"].http.request(
            method, path, headers=headers, **request
        )
        return reply

    def subscribe(self, name: str, plan: str = "small") -> dict[str, Any]:
        """Subscribe to a plan, which must be accepted; it is not paid yet."""
        reply = self.send("POST", "/subscriptions", json={"plan": plan, "name": name})
        assert reply.status_code == 201, reply.text
        subscription: dict[str, Any] = reply.json()
        return subscription

    def subscription(self, subscription_id: str) -> dict[str, Any]:
        """Return a subscription as it is now."""
        reply = self.send("GET", f"/subscriptions/{subscription_id}")
        assert reply.status_code == 200, reply.text
        subscription: dict[str, Any] = reply.json()
        return subscription

    def states(self) -> dict[str, str]:
        """Return the state of each of the tenant's subscriptions, by its id."""
        reply = self.send("GET", "/subscriptions")
        assert reply.status_code == 200, reply.text
        return {each["id"]: each["state"] for each in reply.json()}

    def booked(self) -> tuple[list[dict[str, Any]], dict[str, int]]:
        """Return the tenant's invoices, and what `billing` adds them up to."""
        reply = self.send("GET", "/invoices")
        assert reply.status_code == 200, reply.text
        told = reply.json()
        return told["invoices"], told["totals"]

    def invoices(self) -> tuple[list[int], dict[str, int]]:
        """Return the amounts of the tenant's invoices, and what `billing` adds them up to."""
        invoices, totals = self.booked()
        return [invoice["amount"] for invoice in invoices], totals

    def event(
        self, kind: str, subscription: dict[str, Any], sequence: int | None = None, **data: Any
    ) -> Event:
        """Return an event of the provider about a subscription, after those that were made before.

        One about money is about the price, unless `amount` and `currency` say otherwise.
        """
        number = next(self._numbers) if sequence is None else sequence
        return event(kind, self.tenant.tenant_id, subscription, number, **data)

    def provisioned(self, subscription_id: str) -> dict[str, Any]:
        """Return the subscription when its instance was ordered, or refused."""
        seen: dict[str, Any] = {}

        def is_there() -> bool:
            seen.update(self.subscription(subscription_id))
            return bool(seen["instance_id"] or seen["refusal"])

        eventually(
            is_there,
            within_s=Waits(self.stack).delivered_s,
            reason="the instance should be ordered, or refused",
        )
        return seen

    def until_all_is_done(self) -> None:
        """Wait until `billing` has done all its tasks for the tenant."""
        left = "SELECT kind FROM billing.outbox WHERE tenant_id = %s AND done_at IS NULL"
        eventually(
            lambda: not rows(self.postgres, left, self.tenant.tenant_id),
            within_s=Waits(self.stack).delivered_s,
            reason="billing should have done its tasks for the tenant",
        )

    def running(self, subscription_id: str) -> dict[str, Any]:
        """Return the instance of a subscription when it runs."""
        return self.orders.reach(self.provisioned(subscription_id)["instance_id"], "running")


@pytest.fixture
def provider(stack: Stack, unique_name: Callable[[], str]) -> Provider:
    """Return the payment provider; the ids of its events say which test they are of."""
    return Provider(stack, unique_name)


@pytest.fixture
def make_customer(
    stack: Stack, postgres: Postgres, make_tenant: Callable[..., Tenant], undo: ExitStack
) -> Callable[..., Customer]:
    """Return a function that makes a tenant of a tier which may subscribe."""

    def make(tier: str = "free") -> Customer:
        tenant = make_tenant(tier=tier)
        made = Customer(stack, postgres, tenant)
        # Before it is deleted: `instances` would wait for that in the middle of an order.
        undo.callback(made.until_all_is_done)
        return made

    return make


@pytest.fixture
def customer(make_customer: Callable[..., Customer]) -> Customer:
    """Return a tenant of the tier free, which may subscribe."""
    return make_customer()
