"""What is to hold whatever a tenant does, and whatever the network does meanwhile."""

import itertools
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from helpers.billing import Customer, Provider
from helpers.oauth import AuthClient, Tenant, User
from helpers.ordering import LOOK, QUOTA, Ordering
from helpers.orders import Orders, rows
from helpers.paying import Paying
from helpers.waits import Waits
from hypothesis import given
from hypothesis import strategies as st

from nomock import (
    Faults,
    Postgres,
    Schedule,
    Stack,
    bounded,
    concurrency,
    explore,
    latencies,
    schedules,
)

# Not the tenants: the second order of one is another matter than its first.
CLEAN = "DELETE FROM instances.instances WHERE tenant_id = ANY(%s)"


@pytest.fixture
def tenants(
    stack: Stack, make_client: Callable[..., AuthClient], make_user: Callable[..., User]
) -> dict[str, Orders]:
    """Return a tenant of each tier, whose tokens outlast all examples."""
    client = make_client(access_token_lifetime_s=3600)

    def make(tier: str) -> Orders:
        user = make_user(tier=tier)
        token = client.tokens(user)["access_token"]
        return Orders(stack, Tenant(user.username, tier, user, client, token))

    return {tier: make(tier) for tier in ("free", "pro")}


@pytest.fixture
def clean(postgres: Postgres, tenants: dict[str, Orders]) -> Callable[[], None]:
    """Return a function that takes away all that the tenants have."""
    ids = [orders.tenant.tenant_id for orders in tenants.values()]

    def clean() -> None:
        with postgres.connect() as conn:
            conn.execute(CLEAN, [ids])

    return clean


@pytest.fixture
def customer(
    stack: Stack, postgres: Postgres, tenants: dict[str, Orders], undo: ExitStack
) -> Customer:
    """Return the tenant of the tier free as `billing` knows it."""
    made = Customer(stack, postgres, tenants["free"].tenant)
    undo.callback(made.until_all_is_done)
    return made


@pytest.fixture
def clean_bills(
    postgres: Postgres, customer: Customer, clean: Callable[[], None]
) -> Callable[[], None]:
    """Return a function that takes away all that the customer has."""

    def clean_bills() -> None:
        # The tasks first, each in its turn: who does one changes its subscription.
        customer.until_all_is_done()
        with postgres.connect() as conn:
            conn.execute(
                "DELETE FROM billing.subscriptions WHERE tenant_id = %s",
                [customer.tenant.tenant_id],
            )
        clean()

    return clean_bills


def test_orders_should_stay_sound_when_tenants_do_anything_in_any_order(
    stack: Stack,
    postgres: Postgres,
    tenants: dict[str, Orders],
    waits: Waits,
    clean: Callable[[], None],
) -> None:
    quotas = dict(rows(postgres, QUOTA))
    explore(stack, lambda: Ordering(tenants, quotas, waits), between=clean, examples=8, steps=8)


def test_money_should_add_up_when_events_come_in_any_order_twice_or_forged(
    stack: Stack,
    customer: Customer,
    provider: Provider,
    waits: Waits,
    clean_bills: Callable[[], None],
) -> None:
    explore(
        stack,
        lambda: Paying(customer, provider, waits),
        between=clean_bills,
        examples=8,
        steps=8,
    )


@bounded(examples=5)
@given(
    schedule=schedules(
        edges=["instances->postgres"],
        kinds=["latency", "cut_after", "reset", "refused"],
        lasts_s=0.5,
        steps=2,
    ),
    count=concurrency(3),
)
def test_orders_should_be_done_wholly_or_not_at_all_when_the_network_is_bad(
    faults: Faults,
    postgres: Postgres,
    tenants: dict[str, Orders],
    clean: Callable[[], None],
    schedule: Schedule,
    count: int,
) -> None:
    clean()
    orders, numbers = tenants["pro"], itertools.count()
    replies: list[httpx.Response] = []
    with faults.play(schedule, expect_traffic=False) as playing:
        while not playing.is_over:
            names = [f"TEST {next(numbers)}" for _ in range(count)]
            replies += orders.at_once(*(orders.order(name) for name in names))
    assert {reply.status_code for reply in replies} <= {202, 409, 503}
    # At any moment, so nobody has to wait until all is over.
    found = {row[0]: row[-1] for row in rows(postgres, LOOK, orders.tenant.tenant_id)}
    accepted = {reply.json()["id"] for reply in replies if reply.status_code == 202}
    assert accepted <= found.keys()
    assert set(found.values()) <= {1}, "an order without its job, or with two"


@bounded(examples=5)
@given(latency_ms=latencies(100), key=st.uuids(), count=concurrency(4))
def test_key_should_do_one_thing_when_the_database_is_slow(
    faults: Faults,
    postgres: Postgres,
    tenants: dict[str, Orders],
    clean: Callable[[], None],
    latency_ms: int,
    key: Any,
    count: int,
) -> None:
    clean()
    orders = tenants["free"]
    order = orders.order("TEST a", key=str(key))
    slow = faults.latency("instances->postgres", latency_ms=latency_ms + 1, expect_traffic=False)
    with slow:
        replies = orders.at_once(*[order] * count)
    assert {reply.status_code for reply in replies} <= {202, 503}
    assert len({reply.text for reply in replies if reply.status_code == 202}) <= 1
    assert len(rows(postgres, LOOK, orders.tenant.tenant_id)) <= 1
