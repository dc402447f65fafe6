"""A tenant that orders and gives back, many things at once, in an order that is drawn."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from helpers.draws import PICKS, picked
from helpers.eventually import eventually
from helpers.orders import Orders, held, rows
from helpers.waits import Waits
from nomock import concurrency

TIERS = st.sampled_from(["free", "pro"])
NAMES = st.sampled_from(["TEST a", "TEST b", "TEST c"])
SIZES = st.sampled_from(["small", "broken"])
KEYS = st.none() | st.sampled_from(["key 1", "key 2"])
# Seldom: with a worker that goes on meanwhile the same example may end otherwise.
BUSY = st.sampled_from([False, False, False, True])

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
# Whoever places an order shares this lock; the worker, who counts what a size has, waits for it.
HOLD = "SELECT FROM instances.sizes FOR NO KEY UPDATE"

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
        self.keyed: dict[str, list[tuple[Any, list[httpx.Response]]]] = defaultdict(list)
        """The orders with a key: what was sent at once, and what that was answered."""
        self.seen: list[tuple[str, str]] = []
        """The state of an instance, whenever it was looked at, or told."""
        self.holding = ExitStack()
        self.numbers = itertools.count()
        self.unknown = 0
        """How many orders got no answer that says what became of them."""
        self.found: list[tuple[Any, ...]] | None = None

    @initialize(tier=TIERS, busy=BUSY)
    def begin(self, tier: str, busy: bool) -> None:
        """Be a tenant of some tier, while the worker is busy, or stuck in its next job."""
        self.orders = self.tenants[tier]
        self.quota = self.quotas[tier]
        self.busy = busy
        self.hold()

    @rule(name=NAMES, size=SIZES, key=KEYS, times=concurrency(4))
    def order(self, name: str, size: str, key: str | None, times: int) -> None:
        """Send one order, as often as an impatient client does."""
        self.send([self.orders.order(name, size, key)] * times, key)

    @rule(which=PICKS, times=concurrency(2))
    def order_again(self, which: int, times: int) -> None:
        """Send an order with a key once more, later."""
        sent = [(key, order) for key, batches in self.keyed.items() for order, _ in batches]
        for key, order in picked(sent, which):
            self.send([order] * times, key)

    @rule(count=concurrency(6), size=SIZES)
    def order_many(self, count: int, size: str) -> None:
        """Send different orders at the same moment."""
        names = [f"TEST {next(self.numbers)}" for _ in range(count)]
        self.send([self.orders.order(name, size) for name in names], None)

    # No precondition: by what a service answered the same example would be another one.
    @rule(which=PICKS, settled=st.booleans())
    def give_back(self, which: int, settled: bool) -> None:
        """Give an instance back, perhaps once more, at any moment."""
        if settled:
            self.settle()
        for instance_id in picked(self.ordered, which):
            self.look()
            reply = self.orders.give_back(instance_id)
            assert reply.status_code in {202, 503}
            if reply.status_code == 202:
                self.seen.append((instance_id, reply.json()["state"]))
        self.found = None

    @rule()
    def settle(self) -> None:
        """Let the worker do all that it has to do."""
        self.holding.close()
        eventually(
            lambda: not self.ask(OPEN),
            within_s=self.waits.done_s,
            reason="the worker should have done all jobs",
        )
        self.found = None
        self.hold()

    def teardown(self) -> None:
        """Let the worker go on: others need it."""
        self.holding.close()

    @invariant()
    def ids_are_unique(self) -> None:
        """Ids are unique."""
        times = Counter(self.ordered)
        for batches in self.keyed.values():
            # The same order, answered again.
            answers = [answer for _, replies in batches for answer in accepted(replies)]
            times.subtract(answer["id"] for answer in answers[1:] if answer == answers[0])
        assert set(times.values()) <= {1}, times

    @invariant()
    def transitions_are_valid(self) -> None:
        """Transitions are valid: no instance goes back to what it was."""
        self.look()
        states: dict[str, str] = {}
        for instance_id, state in self.seen:
            before = states.setdefault(instance_id, state)
            assert state == before or state in LATER[before], f"{before} -> {state}"
            states[instance_id] = state

    @invariant()
    def quota_holds(self) -> None:
        """The quota holds, however many orders come at once."""
        live = sum(live for _, _, _, live, *_ in self.look())
        assert live <= self.quota, f"{live} live instances, where {self.quota} are allowed"

    @invariant()
    def names_are_unique(self) -> None:
        """A name belongs to one live instance."""
        names = Counter(name for _, name, _, live, *_ in self.look() if live)
        assert max(names.values(), default=1) == 1, names

    @invariant()
    def key_does_one_thing(self) -> None:
        """An idempotency key never does two things."""
        for key, batches in self.keyed.items():
            first: Any = None
            for order, replies in batches:
                answers = accepted(replies)
                others = {reply.status_code for reply in replies} - {202, 503}
                if first is None:
                    # Refused beside that: it came before something was given back.
                    is_right = all(answer == answers[0] for answer in answers)
                    first = (order, answers[0]) if answers else None
                elif order == first[0]:
                    is_right = not others and all(answer == first[1] for answer in answers)
                else:
                    is_right = not answers and others <= {422}
                assert is_right, f"{key}: {order['json']} {[reply.text for reply in replies]}"

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
        self.ordered += [answer["id"] for answer in accepted(replies)]
        if key is not None:
            self.keyed[key].append((requests[0], replies))
        self.found = None

    def hold(self) -> None:
        """Keep a worker that is not busy in the middle of its next job, until all settles."""
        if not self.busy:
            self.holding.enter_context(held(self.orders.stack.postgres, HOLD))

    def look(self) -> list[tuple[Any, ...]]:
        """Return the tenant's instances as the database has them, once a step."""
        if self.found is None:
            self.found = self.ask(LOOK) if hasattr(self, "orders") else []
            self.seen += [(instance_id, state) for instance_id, _, state, *_ in self.found]
        return self.found

    def ask(self, statement: str) -> list[tuple[Any, ...]]:
        return rows(self.orders.stack.postgres, statement, self.orders.tenant.tenant_id)


def accepted(replies: list[httpx.Response]) -> list[Any]:
    """Return what was answered to the orders that were accepted."""
    return [reply.json() for reply in replies if reply.status_code == 202]
