"""What is to hold whatever a tenant does, and whatever the network does meanwhile."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest
from helpers.eventually import eventually
from helpers.oauth import AuthClient, Tenant, User
from helpers.orders import Orders, rows
from helpers.waits import Waits
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

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

TIERS = st.sampled_from(["free", "pro"])
NAMES = st.sampled_from(["TEST a", "TEST b", "TEST c"])
SIZES = st.sampled_from(["small", "broken"])
KEYS = st.none() | st.sampled_from(["key 1", "key 2"])

QUOTA = "SELECT tier, max_live FROM instances.tiers"
LOOK = (
    "SELECT i.instance_id::text, i.name, i.state, i.live,"
    " (SELECT count(*) FROM instances.resources r WHERE r.instance_id = i.instance_id),"
    " (SELECT count(*) FROM instances.jobs j"
    "  WHERE j.instance_id = i.instance_id AND kind = 'provision')"
    " FROM instances.instances i WHERE tenant_id = %s"
)
OPEN = (
    "SELECT FROM instances.jobs JOIN instances.instances USING (instance_id)"
    " WHERE done_at IS NULL AND tenant_id = %s"
)
CLEAN = "DELETE FROM instances.tenants WHERE tenant_id = ANY(%s)"

# What an instance may be later on, also where nobody saw what it was in between.
LATER = {
    "requested": {"provisioning", "running", "failed", "deprovisioning", "deprovisioned"},
    "provisioning": {"running", "failed", "deprovisioning", "deprovisioned"},
    "running": {"deprovisioning", "deprovisioned"},
    "failed": {"deprovisioned"},
    "deprovisioning": {"deprovisioned"},
    "deprovisioned": set[str](),
}


class Ordering(RuleBasedStateMachine):
    """A tenant that orders and gives back, many things at once, while the worker works."""

    def __init__(
        self, tenants: Mapping[str, Orders], quotas: Mapping[str, int], waits: Waits
    ) -> None:
        super().__init__()
        self.tenants = tenants
        self.quotas = quotas
        self.waits = waits
        self.ordered: list[str] = []
        """The ids of the orders that were accepted, each as often as it was answered."""
        self.answers: dict[str, list[Any]] = defaultdict(list)
        """What was answered to accepted orders with a key."""
        self.states: dict[str, str] = {}
        self.numbers = itertools.count()
        self.unknown = 0
        """How many orders got no answer that says what became of them."""
        self.found: list[tuple[Any, ...]] | None = None

    @initialize(tier=TIERS)
    def begin(self, tier: str) -> None:
        """Be a tenant of some tier."""
        self.orders = self.tenants[tier]
        self.quota = self.quotas[tier]

    @rule(name=NAMES, size=SIZES, key=KEYS, times=concurrency(4))
    def order(self, name: str, size: str, key: str | None, times: int) -> None:
        """Send one order, as often as an impatient client does."""
        self.send([self.orders.order(name, size, key)] * times, key)

    @rule(count=concurrency(6))
    def order_many(self, count: int) -> None:
        """Send different orders at the same moment."""
        self.send([self.orders.order(f"TEST {next(self.numbers)}") for _ in range(count)], None)

    # No precondition: by what a service answered the same example would be another one.
    @rule(which=st.integers(0, 9), settled=st.booleans())
    def give_back(self, which: int, settled: bool) -> None:
        """Give an instance back, perhaps once more, at any moment."""
        if settled:
            self.settle()
        for instance_id in self.ordered[which : which + 1]:
            assert self.orders.give_back(instance_id).status_code in {202, 503}
        self.found = None

    @rule()
    def settle(self) -> None:
        """Let the worker do all that it has to do."""
        eventually(
            lambda: not self.ask(OPEN),
            within_s=self.waits.done_s,
            reason="the worker should have done all jobs",
        )
        self.found = None

    @invariant()
    def ids_are_unique(self) -> None:
        """Ids are unique."""
        repeats = Counter[str]()
        for answers in self.answers.values():
            # The same order, answered again.
            repeats[answers[0]["id"]] += len(answers) - 1
        times = Counter(self.ordered)
        times.subtract(repeats)
        assert set(times.values()) <= {1}, times

    @invariant()
    def transitions_are_valid(self) -> None:
        """Transitions are valid: no instance goes back to what it was."""
        for instance_id, _, state, *_ in self.look():
            before = self.states.setdefault(instance_id, state)
            assert state == before or state in LATER[before], f"{before} -> {state}"
            self.states[instance_id] = state

    @invariant()
    def quota_holds(self) -> None:
        """The quota holds, however many orders come at once."""
        assert sum(live for _, _, _, live, *_ in self.look()) <= self.quota

    @invariant()
    def names_are_unique(self) -> None:
        """A name belongs to one live instance."""
        names = Counter(name for _, name, _, live, *_ in self.look() if live)
        assert max(names.values(), default=1) == 1, names

    @invariant()
    def key_does_one_thing(self) -> None:
        """An idempotency key never does two things."""
        for key, answers in self.answers.items():
            assert all(each == answers[0] for each in answers), f"{key}: {answers}"

    @invariant()
    def nothing_is_left(self) -> None:
        """What runs has one resource, and what has ended or failed has none."""
        for instance_id, _, state, _, resources, _ in self.look():
            due = {"running": {1}, "failed": {0}, "deprovisioned": {0}}.get(state, {0, 1})
            assert resources in due, f"{instance_id} is {state} with {resources} resources"

    @invariant()
    def refused_leaves_nothing(self) -> None:
        """What was accepted is there, with its job, and what was refused has left nothing."""
        found = {instance_id: jobs for instance_id, *_, jobs in self.look()}
        assert set(found.values()) <= {1}, found
        assert found.keys() >= set(self.ordered)
        assert len(found) <= len(set(self.ordered)) + self.unknown

    def send(self, requests: list[dict[str, Any]], key: str | None) -> None:
        """Send orders at once, and note what was answered."""
        replies = self.orders.at_once(*requests)
        assert {reply.status_code for reply in replies} <= {202, 409, 422, 503}, replies
        for reply in replies:
            self.unknown += reply.status_code == 503
            if reply.status_code == 202:
                self.ordered.append(reply.json()["id"])
                if key is not None:
                    self.answers[key].append(reply.json())
        self.found = None

    def look(self) -> list[tuple[Any, ...]]:
        """Return the tenant's instances as the database has them, once a step."""
        if self.found is None:
            self.found = self.ask(LOOK) if hasattr(self, "orders") else []
        return self.found

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        return rows(self.orders.stack.postgres, statement, self.orders.tenant.tenant_id)


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


def test_orders_should_stay_sound_when_tenants_do_anything_in_any_order(
    stack: Stack,
    postgres: Postgres,
    tenants: dict[str, Orders],
    waits: Waits,
    clean: Callable[[], None],
) -> None:
    quotas = dict(rows(postgres, QUOTA))
    explore(stack, lambda: Ordering(tenants, quotas, waits), between=clean, examples=8, steps=8)


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
@given(latency_ms=latencies(300), key=st.uuids(), count=concurrency(4))
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
