"""A payment provider who tells of events, and others who forge them, in an order that is drawn."""

import itertools
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from helpers.billing import Customer, Event, Provider
from helpers.draws import PICKS, picked
from helpers.orders import rows
from helpers.waits import CLIENT_S, Waits
from nomock import concurrency

KINDS = st.sampled_from(
    ["payment.succeeded", "payment.refunded", "payment.failed", "subscription.cancelled"]
)
# The first is the price of the plan.
MONEY = st.sampled_from([(900, "EUR"), (100, "EUR"), (900, "USD")])
FORGERIES = st.sampled_from(["nobody signed it", "changed on the way", "too old", "another tenant"])

PLANS = ["small", "small"]
STRANGER = "whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldA=="

KEPT = (
    "SELECT event_id, subscription_id::text, amount, currency FROM billing.events"
    " WHERE tenant_id = %s"
)


@dataclass
class Told:
    """An event of the provider."""

    id: str
    event: Event
    replies: list[httpx.Response] = field(default_factory=list)
    """What was answered to its webhooks, those that were signed."""

    @property
    def outcomes(self) -> list[str]:
        """What became of the webhooks that were taken."""
        return [reply.json()["outcome"] for reply in self.replies if reply.status_code == 200]

    @property
    def subscription(self) -> str:
        """The id of the subscription that it is about."""
        found: str = self.event["data"]["subscription"]
        return found

    @property
    def amount(self) -> int:
        """What it adds to what was paid."""
        amount: int = self.event["data"].get("amount", 0)
        return -amount if self.event["type"] == "payment.refunded" else amount

    @property
    def currency(self) -> str | None:
        """The currency of an event about money."""
        found: str | None = self.event["data"].get("currency")
        return found


class Paying(RuleBasedStateMachine):
    """A customer of two subscriptions, and a provider whose webhooks come when they come."""

    def __init__(self, customer: Customer, provider: Provider, waits: Waits) -> None:
        super().__init__()
        self.customer = customer
        self.provider = provider
        self.waits = waits
        self.subscriptions: list[dict[str, Any]] = []
        self.sequence = itertools.count(1)
        self.events: list[Told] = []
        self.forged: list[tuple[str, httpx.Response]] = []
        """How webhooks were forged, and what was answered."""
        self.found: tuple[list[dict[str, Any]], dict[str, int]] = ([], {})
        self.kept: list[tuple[Any, ...]] = []
        self.states: dict[str, str] = {}

    @initialize()
    def begin(self) -> None:
        """Subscribe twice."""
        self.subscriptions = [
            self.customer.subscribe(f"TEST {number}", plan) for number, plan in enumerate(PLANS)
        ]

    @rule(kind=KINDS, money=MONEY, which=PICKS, comes=st.booleans())
    def happen(self, kind: str, money: tuple[int, str], which: int, comes: bool) -> None:
        """Let something happen at the provider, who tells of it at once, or later."""
        about = dict(zip(("amount", "currency"), money, strict=True))
        data = about if kind in ("payment.succeeded", "payment.refunded") else {}
        for subscription in picked(self.subscriptions, which):
            event = self.customer.event(kind, subscription, next(self.sequence), **data)
            self.events.append(Told(self.provider.new_id(), event))
            if comes:
                self.send(self.events[-1:])

    @rule(which=st.lists(PICKS, min_size=1, max_size=3), times=concurrency(2))
    def tell(self, which: list[int], times: int) -> None:
        """Tell of events at the same moment, for the first time or again."""
        self.send([told for each in which for told in picked(self.events, each)] * times)

    @rule(which=PICKS, how=FORGERIES)
    def forge(self, which: int, how: str) -> None:
        """Send a webhook that must not count, by the id of a true one."""
        for told in picked(self.events, which):
            sent_at = time.time() - (self.waits.tolerance_s + CLIENT_S) * (how == "too old")
            event = told.event
            if how == "another tenant":
                event = event | {"data": event["data"] | {"tenant": event["data"]["subscription"]}}
            request = self.provider.request(event, told.id, sent_at)
            headers = request["headers"]
            if how == "nobody signed it":
                signed = told.id, headers["webhook-timestamp"], request["content"]
                headers["webhook-signature"] = self.provider.sign(*signed, secret=STRANGER)
            elif how == "changed on the way":
                request["content"] += b" "
            reply = self.provider.stack["billing"].http.request(**request)
            self.forged.append((how, reply))

    @invariant()
    def answers_are_what_is_kept(self) -> None:
        """What is read back is what the database has."""
        self.look()
        invoices, _ = self.found
        told = [
            (each["event_id"], each["subscription_id"], each["amount"], each["currency"])
            for each in invoices
        ]
        kept = [row for row in self.kept if row[2]]
        assert sorted(told) == sorted(kept), f"{told} for {kept}"

    @invariant()
    def event_is_booked_once(self) -> None:
        """No event is booked twice, and none that was taken is missing."""
        kept = Counter(event_id for event_id, *_ in self.kept)
        for told in self.events:
            assert told.outcomes.count("booked") <= 1, told
            assert kept[told.id] <= 1, told
            assert kept[told.id] or not told.outcomes, told

    @invariant()
    def forged_leaves_nothing(self) -> None:
        """What is not the provider's, or too old, is refused and leaves nothing."""
        for how, reply in self.forged:
            assert reply.status_code in {404 if how == "another tenant" else 400, 503}, how
        may_be = {told.id for told in self.events if told.replies}
        assert may_be >= {event_id for event_id, *_ in self.kept}, "forged, and booked"

    @invariant()
    def money_adds_up(self) -> None:
        """What was paid is the sum of the events that were taken, less the refunds."""
        due = Counter[str]()
        for told in self.booked():
            if told.currency:
                due[told.currency] += told.amount
        assert self.found[1] == dict(due), f"{self.found[1]} for {dict(due)}"

    @invariant()
    def state_is_the_providers(self) -> None:
        """The state is that of the provider's own order, in whatever order its events came."""
        for subscription in self.subscriptions:
            state = "pending"
            for told in self.booked():
                if told.subscription == subscription["id"] and state != "cancelled":
                    state = after(state, told, subscription)
            shown = self.states[subscription["id"]]
            assert shown == state, f"{shown} for {state}"

    def booked(self) -> list[Told]:
        """Return the events that were taken; who was answered 503 learns of it here."""
        kept = {event_id for event_id, *_ in self.kept}
        return [told for told in self.events if told.id in kept]

    def send(self, events: list[Told]) -> None:
        """Tell of events at once, each webhook signed anew, and note what was answered."""
        requests = [self.provider.request(told.event, told.id) for told in events]
        for told, reply in zip(events, self.provider.tell_at_once(requests), strict=True):
            assert reply.status_code in {200, 503}, reply.text
            told.replies.append(reply)

    def look(self) -> None:
        """Ask for what was booked, at the service and in the database."""
        self.found = self.customer.booked()
        self.states = self.customer.states()
        self.kept = rows(self.customer.postgres, KEPT, self.customer.tenant.tenant_id)


def after(state: str, told: Told, subscription: dict[str, Any]) -> str:
    """Return the state of a subscription after an event."""
    match told.event["type"]:
        case "subscription.cancelled":
            return "cancelled"
        case "payment.failed":
            return "past_due"
        case "payment.succeeded":
            price = subscription["amount"], subscription["currency"]
            return "active" if (told.amount, told.currency) == price else state
    return state
