"""Billing: what is signed counts once, in any order, and what is paid for is provisioned once."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import httpx
import psycopg
import pytest
from helpers.billing import WEBHOOK, Customer, Provider, payment_of_nobody
from helpers.eventually import eventually
from helpers.logs import logged
from helpers.oauth import AuthClient, claims_of
from helpers.oauth import refusal as oauth_refusal
from helpers.orders import as_role, held, refusal, rows, waiting_for_a_lock
from helpers.waits import CLIENT_S, SOON_S, Waits

from nomock import Faults, Postgres, Stack, recovers_within

Name = Callable[[], str]

LOCK_TENANT = "SELECT FROM instances.tenants WHERE tenant_id = %s FOR UPDATE"
TASKS = "SELECT kind, done_at IS NOT NULL FROM billing.outbox WHERE subscription_id = %s ORDER BY 1"
BOOK = (
    "INSERT INTO billing.events"
    " (event_id, tenant_id, subscription_id, kind, sequence, amount, currency)"
    " VALUES (%s, %s, %s, 'subscription.cancelled', 1, 0, 'EUR')"
)
LOCK_TASK = "SELECT FROM billing.outbox WHERE subscription_id = %s FOR UPDATE"
ATTEMPTS = "SELECT attempts FROM billing.outbox WHERE subscription_id = %s"
TRANSACTIONS = (
    "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
)
EVENTS = "SELECT count(*) FROM billing.events WHERE subscription_id = %s"


# From payment to instance


def test_instance_should_run_once_when_the_provider_says_that_it_is_paid(
    customer: Customer, provider: Provider, unique_name: Name
) -> None:
    name = unique_name()
    subscription = customer.subscribe(name, "medium")
    assert (subscription["state"], subscription["instance_id"]) == ("pending", None)
    assert customer.orders.all() == []

    assert provider.tell(customer.event("payment.succeeded", subscription)) == "booked"

    instance = customer.running(subscription["id"])
    assert (instance["name"], instance["size"]) == (name, "medium")
    assert customer.subscription(subscription["id"])["state"] == "active"
    assert [each["id"] for each in customer.orders.all()] == [instance["id"]]
    assert customer.invoices() == ([1900], {"EUR": 1900})


def test_instance_should_be_given_back_when_its_subscription_is_cancelled(
    customer: Customer, provider: Provider, unique_name: Name
) -> None:
    subscription = customer.subscribe(unique_name())
    provider.tell(customer.event("payment.succeeded", subscription))
    instance = customer.running(subscription["id"])
    provider.tell(customer.event("payment.refunded", subscription, amount=400))
    provider.tell(customer.event("subscription.cancelled", subscription))
    customer.orders.reach(instance["id"], "deprovisioned")
    assert customer.subscription(subscription["id"])["state"] == "cancelled"
    assert customer.invoices() == ([900, -400], {"EUR": 500})


def test_subscription_should_say_why_when_its_instance_is_refused(
    customer: Customer, provider: Provider, unique_name: Name
) -> None:
    for _ in range(2):
        customer.orders.placed(unique_name())
    subscription = customer.subscribe(unique_name())
    provider.tell(customer.event("payment.succeeded", subscription))
    refused = customer.provisioned(subscription["id"])
    assert (refused["instance_id"], refused["refusal"]) == (None, "quota_exceeded")


@pytest.mark.parametrize(
    "paid",
    [{"amount": 899}, {"amount": 901}, {"currency": "USD"}],
    ids=["too little", "too much", "another currency"],
)
def test_payment_should_be_booked_and_pay_for_nothing_when_it_is_not_the_price(
    customer: Customer,
    provider: Provider,
    postgres: Postgres,
    unique_name: Name,
    paid: dict[str, Any],
) -> None:
    subscription = customer.subscribe(unique_name())
    event = customer.event("payment.succeeded", subscription, **paid)
    assert provider.tell(event) == "booked"
    assert customer.subscription(subscription["id"])["state"] == "pending"
    assert rows(postgres, TASKS, subscription["id"]) == []
    amount = paid.get("amount", 900)
    assert customer.invoices() == ([amount], {paid.get("currency", "EUR"): amount})


def test_billing_should_ask_for_no_more_than_it_needs_when_it_orders(
    customer: Customer, provider: Provider, postgres: Postgres, unique_name: Name
) -> None:
    subscription = customer.subscribe(unique_name())
    provider.tell(customer.event("payment.succeeded", subscription))
    customer.running(subscription["id"])
    tokens = (
        "SELECT t.scope, t.audience FROM auth.tokens t JOIN auth.grants g USING (grant_id)"
        " WHERE g.tenant_id = %s"
    )
    asked = rows(postgres, tokens, customer.tenant.tenant_id)
    assert set(asked) == {("instances:write", "instances")}


def test_billing_should_log_what_it_has_done_when_an_event_is_booked(
    stack: Stack,
    customer: Customer,
    provider: Provider,
    unique_name: Name,
    request: pytest.FixtureRequest,
) -> None:
    began = datetime.now(UTC)
    subscription = customer.subscribe(unique_name())
    provider.tell(customer.event("payment.succeeded", subscription))
    customer.running(subscription["id"])
    told: dict[str, Any] = {}

    def is_told() -> bool:
        lines = logged(stack["billing"], subscription["id"], began)
        told.update({line["message"]: line for line in lines})
        return told.keys() >= {"booked", "done"}

    eventually(is_told, within_s=SOON_S, reason="both should be in the log")
    booked, done = told["booked"], told["done"]
    assert (booked["kind"], done["kind"]) == ("payment.succeeded", "provision")
    assert (booked["amount"], booked["state"]) == (900, "active")
    for line in (booked, done):
        assert line["subscription"] == subscription["id"]
        assert line["nomock.test"] == request.node.nodeid


# Who may tell of an event


@pytest.fixture
def nothing_booked(customer: Customer, postgres: Postgres, unique_name: Name) -> Any:
    """Return a subscription of which nothing must have been booked when the test is over."""
    subscription = customer.subscribe(unique_name())
    yield subscription
    assert rows(postgres, EVENTS, subscription["id"]) == [(0,)]
    assert customer.subscription(subscription["id"])["state"] == "pending"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-signature", ""),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "v1,not base64"),
        ("webhook-signature", "v1,c29tZXRoaW5nIGVsc2U="),
        ("webhook-id", "TEST another"),
        ("webhook-id", ""),
        ("webhook-timestamp", "1"),
        ("webhook-timestamp", "soon"),
    ],
)
def test_event_should_be_refused_when_a_header_is_not_what_was_signed(
    provider: Provider, stack: Stack, name: str, value: str
) -> None:
    request = provider.request(payment_of_nobody())
    request["headers"][name] = value
    reply = stack["billing"].http.request(**request)
    assert refusal(reply) == (400, "invalid_signature")
    assert provider.secrets()[0] not in reply.text


def test_event_should_be_refused_when_its_body_was_changed_on_the_way(
    customer: Customer, provider: Provider, stack: Stack, nothing_booked: dict[str, Any]
) -> None:
    request = provider.request(customer.event("payment.succeeded", nothing_booked, amount=1))
    request["content"] = request["content"].replace(b'"amount": 1', b'"amount": 900')
    assert refusal(stack["billing"].http.request(**request)) == (400, "invalid_signature")


def test_event_should_be_refused_when_somebody_else_has_signed_it(
    customer: Customer, provider: Provider, stack: Stack, nothing_booked: dict[str, Any]
) -> None:
    request = provider.request(customer.event("payment.succeeded", nothing_booked))
    headers = request["headers"]
    told = headers["webhook-id"], headers["webhook-timestamp"], request["content"]
    strange = "whsec_c29tZWJvZHkgZWxzZSdzIHNlY3JldA=="
    headers["webhook-signature"] = provider.sign(*told, secret=strange)
    assert refusal(stack["billing"].http.request(**request)) == (400, "invalid_signature")


def test_event_should_be_taken_when_one_of_its_signatures_is_by_a_secret_that_is_being_replaced(
    customer: Customer, provider: Provider, stack: Stack, unique_name: Name
) -> None:
    subscription = customer.subscribe(unique_name())
    for secret in provider.secrets():
        request = provider.request(customer.event("payment.succeeded", subscription))
        headers = request["headers"]
        told = headers["webhook-id"], headers["webhook-timestamp"], request["content"]
        good = provider.sign(*told, secret=secret)
        headers["webhook-signature"] = f"v1a,AAAA v1,AAAA {good}"
        assert stack["billing"].http.request(**request).json() == {"outcome": "booked"}
    assert len(provider.secrets()) == 2


def test_event_should_be_refused_when_its_signature_has_more_than_base64(
    provider: Provider, stack: Stack
) -> None:
    request = provider.request(payment_of_nobody())
    good = request["headers"]["webhook-signature"]
    request["headers"]["webhook-signature"] = f"{good[:9]}!{good[9:]}"
    assert refusal(stack["billing"].http.request(**request)) == (400, "invalid_signature")


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp"])
def test_event_should_be_refused_when_what_is_signed_has_no_id_or_time(
    provider: Provider, stack: Stack, name: str
) -> None:
    request = provider.request(payment_of_nobody())
    headers = request["headers"]
    headers[name] = ""
    told = headers["webhook-id"], headers["webhook-timestamp"], request["content"]
    headers["webhook-signature"] = provider.sign(*told)
    assert refusal(stack["billing"].http.request(**request)) == (400, "invalid_signature")


@pytest.mark.parametrize("way", [-1, 1], ids=["past", "future"])
def test_event_should_be_refused_when_its_time_is_too_far_away(
    provider: Provider, waits: Waits, way: int
) -> None:
    sent_at = time.time() + way * (waits.tolerance_s + CLIENT_S)
    reply = provider.send(payment_of_nobody(), sent_at=sent_at)
    assert refusal(reply) == (400, "old_timestamp")


def test_event_should_be_taken_when_it_was_on_its_way_for_a_while(
    customer: Customer, provider: Provider, unique_name: Name, waits: Waits
) -> None:
    event = customer.event("payment.succeeded", customer.subscribe(unique_name()))
    sent_at = time.time() - waits.tolerance_s + CLIENT_S
    assert provider.tell(event, sent_at=sent_at) == "booked"


@pytest.mark.parametrize(
    "data",
    [
        {"amount": 900.0},
        {"amount": "900"},
        {"amount": True},
        {"amount": 0},
        {"amount": -900},
        {"amount": 10**13},
        {"currency": "eur"},
        {"sequence": 0},
        {"subscription": "all"},
        {"tenant": None},
    ],
    ids=str,
)
def test_event_should_be_refused_when_it_is_signed_and_makes_no_sense(
    provider: Provider, data: dict[str, Any]
) -> None:
    assert refusal(provider.send(payment_of_nobody(**data))) == (422, "invalid_event")


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b'{"type": 7, "data": {}}', b"\xff"])
def test_body_should_be_refused_when_it_is_signed_and_no_event(
    provider: Provider, body: bytes
) -> None:
    assert refusal(provider.send(body)) == (422, "invalid_event")


@pytest.mark.parametrize(
    ("body", "where"),
    [(b"\xff", "the body: "), (b'{"data": {}}', "type: "), (b'{"type": 1, "data": {}}', "type: ")],
)
def test_refusal_should_say_where_when_an_event_is_none(
    provider: Provider, body: bytes, where: str
) -> None:
    assert provider.send(body).json()["detail"].startswith(where)


def test_event_should_be_refused_when_its_id_is_longer_than_ids_are(provider: Provider) -> None:
    longest = "e" * 255
    event = {"type": "customer.moved", "data": {}}
    assert provider.tell(event, event_id=longest) == "ignored"
    assert refusal(provider.send(event, event_id=f"{longest}e")) == (422, "invalid_event")


def test_event_should_be_ignored_when_its_type_is_unknown(provider: Provider) -> None:
    assert provider.tell({"type": "customer.moved", "data": {"to": "the sea"}}) == "ignored"


def test_body_should_be_refused_when_it_is_larger_than_an_event(stack: Stack) -> None:
    largest = b" " * 64 * 1024
    for body, refused in (
        (largest, (400, "invalid_signature")),
        (largest + b" ", (413, "too_large")),
    ):
        reply = stack["billing"].http.post(WEBHOOK, content=body)
        assert refusal(reply) == refused


def test_event_should_be_refused_when_the_subscription_is_not_the_tenants(
    make_customer: Callable[..., Customer], provider: Provider, nothing_booked: dict[str, Any]
) -> None:
    event = make_customer().event("payment.succeeded", nothing_booked)
    assert refusal(provider.send(event)) == (404, "not_found")


# Once, in any order


def test_event_should_count_once_when_it_is_replayed(
    customer: Customer, provider: Provider, unique_name: Name
) -> None:
    subscription = customer.subscribe(unique_name())
    event, event_id = customer.event("payment.succeeded", subscription), unique_name()
    outcomes = [provider.tell(event, event_id=event_id) for _ in range(3)]
    assert outcomes == ["booked", "duplicate", "duplicate"]
    customer.running(subscription["id"])
    assert customer.invoices() == ([900], {"EUR": 900})
    assert len(customer.orders.all()) == 1


def test_event_should_count_once_when_it_comes_many_times_at_the_same_moment(
    customer: Customer, provider: Provider, unique_name: Name
) -> None:
    subscription = customer.subscribe(unique_name())
    request = provider.request(customer.event("payment.succeeded", subscription))
    replies = provider.tell_at_once([request] * 8)
    # A busy one says that it is, and the provider comes again.
    outcomes = [reply.json().get("outcome", "again") for reply in replies]
    outcomes += [provider.again(request) for _ in range(outcomes.count("again"))]
    assert sorted(x for x in outcomes if x != "again") == ["booked", *["duplicate"] * 7]
    customer.running(subscription["id"])
    assert customer.invoices() == ([900], {"EUR": 900})
    assert len(customer.orders.all()) == 1


def test_event_should_wait_when_another_one_of_its_subscription_is_being_booked(
    customer: Customer, provider: Provider, postgres: Postgres, unique_name: Name
) -> None:
    subscription = customer.subscribe(unique_name())
    cancelled = (unique_name(), customer.tenant.tenant_id, subscription["id"])
    event = customer.event("payment.succeeded", subscription, 2)
    # Each reads the state from all that are booked: side by side, neither would see the other.
    with held(postgres, BOOK, *cancelled) as other:
        assert refusal(provider.send(event)) == (503, "unavailable")
        other.commit()
    assert provider.tell(event) == "booked"
    assert customer.subscription(subscription["id"])["state"] == "cancelled"


def test_state_should_be_the_same_when_events_come_in_any_order(
    customer: Customer, provider: Provider, unique_name: Name
) -> None:
    ends = set()
    for order in permutations((1, 2, 3)):
        subscription = customer.subscribe(unique_name())
        # The first try fails, the second one pays, the next month's fails.
        events = {
            1: customer.event("payment.failed", subscription, 1),
            2: customer.event("payment.succeeded", subscription, 2, amount=1),
            3: customer.event("payment.failed", subscription, 3),
        }
        for number in order:
            provider.tell(events[number])
        ends.add(customer.subscription(subscription["id"])["state"])
    assert ends == {"past_due"}
    assert customer.invoices() == ([1] * 6, {"EUR": 6})


def test_subscription_should_stay_active_when_news_of_a_failure_before_the_payment_comes_late(
    customer: Customer, provider: Provider, unique_name: Name
) -> None:
    subscription = customer.subscribe(unique_name())
    provider.tell(customer.event("payment.succeeded", subscription, 2))
    provider.tell(customer.event("payment.failed", subscription, 1))
    assert customer.subscription(subscription["id"])["state"] == "active"
    customer.running(subscription["id"])


def test_nothing_should_be_provisioned_when_the_payment_comes_after_the_cancellation(
    customer: Customer, provider: Provider, postgres: Postgres, unique_name: Name
) -> None:
    subscription = customer.subscribe(unique_name())
    provider.tell(customer.event("subscription.cancelled", subscription, 2))
    assert provider.tell(customer.event("payment.succeeded", subscription, 1)) == "booked"
    assert customer.subscription(subscription["id"])["state"] == "cancelled"
    assert [kind for kind, _ in rows(postgres, TASKS, subscription["id"])] == ["deprovision"]
    # The money is there all the same: it has to be paid back.
    assert customer.invoices() == ([900], {"EUR": 900})


# What a tenant sees


def test_plans_should_be_shown_when_nobody_has_logged_in(stack: Stack) -> None:
    listed = stack["billing"].http.get("/plans").json()
    prices = {each["plan"]: (each["amount"], each["currency"]) for each in listed}
    assert prices == {"small": (900, "EUR"), "medium": (1900, "EUR"), "large": (4900, "EUR")}


def test_subscription_should_not_exist_when_another_tenant_asks(
    customer: Customer,
    make_customer: Callable[..., Customer],
    provider: Provider,
    unique_name: Name,
) -> None:
    subscription = customer.subscribe(unique_name())
    provider.tell(customer.event("payment.succeeded", subscription))
    other = make_customer()
    reply = other.send("GET", f"/subscriptions/{subscription['id']}")
    assert refusal(reply) == (404, "not_found")
    assert other.send("GET", "/subscriptions").json() == []
    assert other.invoices() == ([], {})
    customer.running(subscription["id"])


def test_booked_should_stay_as_it_is_when_the_service_itself_would_change_it(
    customer: Customer, provider: Provider, postgres: Postgres, unique_name: Name
) -> None:
    subscription = customer.subscribe(unique_name())
    provider.tell(customer.event("payment.succeeded", subscription, amount=1))
    with as_role(postgres, "billing_service", customer.tenant.tenant_id) as service:
        seen = service.execute("SELECT amount FROM billing.events").fetchall()
        assert seen == [(1,)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            service.execute("UPDATE billing.events SET amount = 900")
    with as_role(postgres, "billing_service") as nobody:
        assert nobody.execute("SELECT * FROM billing.events").fetchall() == []
        assert nobody.execute("SELECT * FROM billing.subscriptions").fetchall() == []


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        ({"plan": "huge", "name": "TEST"}, (422, "unknown_plan")),
        ({"plan": "small", "name": ""}, (422, "invalid_request")),
        ({"plan": "small", "name": "TEST", "amount": 1}, (422, "invalid_request")),
        ({}, (422, "invalid_request")),
    ],
    ids=["no such plan", "no name", "a price of one's own", "nothing"],
)
def test_checkout_should_be_refused_when_it_makes_no_sense(
    customer: Customer, asked: dict[str, Any], refused: tuple[int, str]
) -> None:
    assert refusal(customer.send("POST", "/subscriptions", json=asked)) == refused


def test_billing_should_refuse_a_token_when_it_was_made_for_instances(
    stack: Stack, customer: Customer
) -> None:
    reply = stack["billing"].http.get("/invoices", headers=customer.tenant.headers)
    assert refusal(reply) == (401, "invalid_token")


# Who may act for a tenant without its users


def test_client_should_not_act_for_a_tenant_when_it_registered_itself(
    make_client: Callable[..., AuthClient], customer: Customer, stack: Stack
) -> None:
    client = make_client(token_endpoint_auth_method="client_secret_basic")
    asked = {"grant_type": "client_credentials", "tenant": customer.tenant.tenant_id}
    assert oauth_refusal(client.post("/token", **asked)) == (400, "unauthorized_client")
    metadata = {"redirect_uris": ["https://a.example/"], "grant_types": ["client_credentials"]}
    reply = stack["auth"].http.post("/register", json=metadata)
    assert oauth_refusal(reply) == (400, "invalid_client_metadata")


def token_of_billing(stack: Stack, **form: str) -> httpx.Response:
    """Ask `auth` for a token by which `billing` acts for a tenant."""
    settings = stack["billing"].config.environment
    client = settings["AUTH_CLIENT_ID"] or "", settings["AUTH_CLIENT_SECRET"] or ""
    form = {"grant_type": "client_credentials", **form}
    reply: httpx.Response = stack["auth"].http.post("/token", data=form, auth=client)
    return reply


@pytest.mark.parametrize(
    ("tenant", "code"),
    [
        ("00000000-0000-0000-0000-000000000000", "invalid_grant"),
        ("everybody", "invalid_request"),
        ("", "invalid_request"),
    ],
    ids=["unknown", "no id", "none"],
)
def test_billing_itself_should_get_no_token_when_it_names_no_tenant(
    stack: Stack, tenant: str, code: str
) -> None:
    reply = token_of_billing(stack, tenant=tenant)
    assert oauth_refusal(reply) == (400, code)


def test_billing_itself_should_get_the_token_that_it_names_when_it_may_have_it(
    stack: Stack, customer: Customer
) -> None:
    tenant_id = customer.tenant.tenant_id
    reply = token_of_billing(stack, tenant=tenant_id, resource="mcp", scope="instances:read")
    said = claims_of(reply.json()["access_token"])
    assert (said["aud"], said["scope"]) == ("mcp", "instances:read")
    assert said["tenant"] == tenant_id


# When there is nothing to do


def test_database_should_be_left_alone_when_there_is_nothing_to_do(
    customer: Customer,
    provider: Provider,
    postgres: Postgres,
    unique_name: Name,
    waits: Waits,
) -> None:
    subscription = customer.subscribe(unique_name())
    provider.tell(customer.event("payment.succeeded", subscription))
    customer.running(subscription["id"])
    customer.until_all_is_done()
    ((before,),) = rows(postgres, TRANSACTIONS)
    began = time.monotonic()
    eventually(
        lambda: time.monotonic() - began > 2 * waits.turn_s,
        within_s=waits.delivered_s,
        reason="time should pass",
    )
    ((after,),) = rows(postgres, TRANSACTIONS)
    turns = (time.monotonic() - began) / waits.turn_s
    # The worker and billing look once a turn, each; the test and its stack some times, too.
    assert after - before <= 10 * turns + 20


# When something is away


@pytest.mark.parametrize("edge", ["billing->instances", "billing->auth"])
def test_instance_should_be_ordered_once_and_later_when_a_service_cannot_be_reached(
    faults: Faults, customer: Customer, provider: Provider, unique_name: Name, edge: str
) -> None:
    subscription = customer.subscribe(unique_name())
    with faults.refused(edge):
        # The provider need not wait for that, nor come again.
        assert provider.tell(customer.event("payment.succeeded", subscription)) == "booked"
        faults_met(customer, subscription)
    customer.running(subscription["id"])
    assert len(customer.orders.all()) == 1


def test_instance_should_be_given_back_when_it_was_cancelled_while_its_order_had_to_wait(
    faults: Faults, customer: Customer, provider: Provider, unique_name: Name
) -> None:
    subscription = customer.subscribe(unique_name())
    with faults.refused("billing->instances"):
        provider.tell(customer.event("payment.succeeded", subscription))
        faults_met(customer, subscription)
        provider.tell(customer.event("subscription.cancelled", subscription))
    customer.until_all_is_done()
    (instance,) = customer.orders.all()
    customer.orders.reach(instance["id"], "deprovisioned")


def test_order_should_be_done_when_another_process_holds_one_that_came_before(
    faults: Faults,
    make_customer: Callable[..., Customer],
    provider: Provider,
    postgres: Postgres,
    unique_name: Name,
    undo: ExitStack,
) -> None:
    first, second = make_customer(), make_customer()
    before, after = first.subscribe(unique_name()), second.subscribe(unique_name())
    with faults.refused("billing->instances"):
        provider.tell(first.event("payment.succeeded", before))
        faults_met(first, before)
        holder = undo.enter_context(held(postgres, LOCK_TASK, before["id"]))
    provider.tell(second.event("payment.succeeded", after))
    second.running(after["id"])
    assert first.orders.all() == []
    holder.rollback()
    first.running(before["id"])


def test_order_should_rest_between_two_tries_when_instances_is_away(
    faults: Faults,
    customer: Customer,
    provider: Provider,
    postgres: Postgres,
    unique_name: Name,
    waits: Waits,
) -> None:
    subscription = customer.subscribe(unique_name())
    with faults.refused("billing->instances"):
        began = time.monotonic()
        provider.tell(customer.event("payment.succeeded", subscription))
        eventually(
            lambda: rows(postgres, ATTEMPTS, subscription["id"])[0][0] > 1,
            within_s=waits.delivered_s,
            reason="the task should be tried again",
        )
        ((attempts,),) = rows(postgres, ATTEMPTS, subscription["id"])
        assert attempts - 1 <= (time.monotonic() - began) / waits.turn_s
    customer.running(subscription["id"])


def test_cancellation_should_be_done_when_its_instance_is_gone_already(
    customer: Customer, provider: Provider, postgres: Postgres, unique_name: Name
) -> None:
    subscription = customer.subscribe(unique_name())
    provider.tell(customer.event("payment.succeeded", subscription))
    instance = customer.running(subscription["id"])
    with postgres.connect() as conn:
        conn.execute("DELETE FROM instances.instances WHERE instance_id = %s", [instance["id"]])
    provider.tell(customer.event("subscription.cancelled", subscription))
    customer.until_all_is_done()


@pytest.mark.parametrize(
    ("service", "path", "status", "body"),
    [
        *(("instances", "/instances", status, {"code": "no"}) for status in (401, 429, 500)),
        *(("instances", "/instances", status, "<html>") for status in (202, 409)),
        *(("auth", "/token", status, "<html>") for status in (200, 400)),
    ],
)
def test_instance_should_be_ordered_once_and_later_when_an_answer_is_of_no_use(
    faults: Faults,
    customer: Customer,
    provider: Provider,
    unique_name: Name,
    service: str,
    path: str,
    status: int,
    body: Any,
) -> None:
    subscription = customer.subscribe(unique_name())
    with faults.http_status(f"billing->{service}", status, body=body, path=path, nth=1):
        provider.tell(customer.event("payment.succeeded", subscription))
        customer.running(subscription["id"])
    assert len(customer.orders.all()) == 1
    about = logged(customer.stack["billing"], subscription["id"])
    reasons = [line["reason"] for line in about if line["message"] == "put off"]
    assert f"{service} is unavailable" in {reason.partition(":")[0] for reason in reasons}


def faults_met(customer: Customer, subscription: dict[str, Any]) -> None:
    """Wait until an attempt has failed."""
    logs = customer.stack["billing"].logs
    eventually(
        lambda: any("put off" in x and subscription["id"] in x for x in logs().splitlines()),
        within_s=Waits(customer.stack).delivered_s,
        reason="the task should be put off",
    )


@pytest.mark.parametrize("way", ["http_half", "http_twice"])
def test_instance_should_be_ordered_once_when_the_answer_is_lost_or_the_order_arrives_twice(
    faults: Faults, customer: Customer, provider: Provider, unique_name: Name, way: str
) -> None:
    subscription = customer.subscribe(unique_name())
    with getattr(faults, way)("billing->instances", method="POST", path="/instances", nth=1):
        provider.tell(customer.event("payment.succeeded", subscription))
        customer.running(subscription["id"])
    assert len(customer.orders.all()) == 1


@pytest.mark.serial("stack")
def test_instance_should_be_ordered_once_when_billing_is_killed_in_the_middle_of_the_order(
    faults: Faults,
    customer: Customer,
    provider: Provider,
    postgres: Postgres,
    unique_name: Name,
) -> None:
    customer.orders.running(unique_name())
    subscription = customer.subscribe(unique_name())
    # `instances` hangs in the order, and nothing is answered yet.
    with held(postgres, LOCK_TENANT, customer.tenant.tenant_id) as tenant:
        provider.tell(customer.event("payment.succeeded", subscription))
        eventually(
            lambda: waiting_for_a_lock(postgres, "instances_service"),
            within_s=SOON_S,
            reason="the order should wait for its tenant",
        )
        with faults.kill("billing"):
            tenant.rollback()
            eventually(
                lambda: rows(postgres, TASKS, subscription["id"]) == [("provision", False)],
                within_s=SOON_S,
                reason="the task should be there, and open",
            )
    customer.running(subscription["id"])
    assert len(customer.orders.all()) == 2
    assert customer.invoices() == ([900], {"EUR": 900})


def test_event_should_be_booked_once_when_the_database_was_away_and_the_provider_comes_again(
    faults: Faults, customer: Customer, provider: Provider, unique_name: Name, waits: Waits
) -> None:
    subscription = customer.subscribe(unique_name())
    event, event_id = customer.event("payment.succeeded", subscription), unique_name()
    with faults.blackhole("billing->postgres"):
        began = time.monotonic()
        assert refusal(provider.send(event, event_id=event_id)) == (503, "unavailable")
        assert time.monotonic() - began < waits.refusal_s
    recovers_within(lambda: provider.send(event, event_id=event_id), waits.back_s)
    customer.running(subscription["id"])
    assert customer.invoices() == ([900], {"EUR": 900})
    assert len(customer.orders.all()) == 1
