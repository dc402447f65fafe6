"""The network between the services breaks in every way: what each answers meanwhile, and after.

A circuit that opens is open for every test of the stack. So a test that may open one holds its
edge alone, by `faults.none`, until it has closed.
"""

import base64
import hashlib
import json
import re
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from math import ceil
from typing import Any

import httpx
import pytest
from helpers.eventually import eventually
from helpers.mcp import RawSession, message_of
from helpers.oauth import AuthClient, Pkce, Tenant, User, claims_of
from helpers.oauth import refusal as oauth_refusal
from helpers.orders import Orders, refusal, resources, rows
from helpers.waits import BUSY_S, SOON_S, Waits

from nomock import Acknowledged, Faults, Outcome, Postgres, Stack, recovers_within

Name = Callable[[], str]
Ask = Callable[[], httpx.Response]
Said = Callable[[str, str], list[dict[str, Any]]]

# Of the rows in a long list.
NAME_KB = 0.2

MADE_OF_CODE = "SELECT FROM auth.tokens JOIN auth.grants USING (grant_id) WHERE code_hash = %s"

# Edge -> who says that what is behind it is away, in its log too.
NEEDS = {
    "instances->postgres": ("instances", "the database"),
    "instances->auth": ("instances", "auth"),
    "auth->postgres": ("auth", "the database"),
    "auth->redis": ("auth", "redis"),
    "mcp->auth": ("mcp", "auth"),
}


@pytest.fixture
def said(stack: Stack, request: pytest.FixtureRequest) -> Said:
    """Return a function that returns the log lines of a service with a message, of this test."""
    began = datetime.now(UTC)

    def said(service: str, message: str) -> list[dict[str, Any]]:
        # A request is logged a moment after its answer: one that is logged after it tells when.
        last = f"/{uuid.uuid4().hex}"
        stack[service].http.get(last)
        eventually(
            lambda: last in stack[service].logs(since=began),
            within_s=SOON_S,
            reason=f"{service} should log what it is asked",
        )
        raw = stack[service].logs(since=began).splitlines()
        lines = [json.loads(line) for line in raw if line.startswith("{")]
        mine = [line for line in lines if line.get("nomock.test") == request.node.nodeid]
        return [line for line in mine if line["message"] == message]

    return said


@pytest.fixture
def session(stack: Stack, faults: Faults, mcp_token: str) -> Iterator[RawSession]:
    """Return an open session at `mcp`, which nobody else may end meanwhile."""
    with faults.none("mcp"), RawSession(stack["mcp"].http, mcp_token) as session:
        yield session


@pytest.fixture
def ask(request: pytest.FixtureRequest, edge: str) -> Ask:
    """Return a request that needs an edge, and is answered well while that is whole."""
    if edge == "mcp->auth":
        session = request.getfixturevalue("session")
        return lambda: session.request("ping")
    if edge.startswith("auth->"):
        client = request.getfixturevalue("auth_client")
        if edge == "auth->postgres":
            return lambda: client.manage("GET")
        user = request.getfixturevalue("user")
        return lambda: client.log_in(user, Pkce())
    orders = request.getfixturevalue("orders")
    return lambda: orders.send("GET", "/instances")


def tool(session: RawSession, name: str = "list_instances", /, **arguments: Any) -> dict[str, Any]:
    """Call a tool and return its result."""
    reply = session.request("tools/call", {"name": name, "arguments": arguments})
    assert reply.status_code == 200, reply.text
    result: dict[str, Any] = {"isError": False} | message_of(reply)["result"]
    return result


def said_of(result: dict[str, Any]) -> str:
    """Return what the result of a tool says to the agent."""
    return " ".join(block["text"] for block in result["content"])


def works(ask: Ask) -> Callable[[], bool]:
    """Return whether a request is answered well; a redirect is."""
    return lambda: ask().status_code < 400


def met(faults: Faults) -> int:
    """Return how many requests the fault met that ended last."""
    told = [text for _, text in faults.story if "met it" in text]
    return int(re.findall(r": (\d+)", told[-1])[0])


def calls(said: Said, service: str, path: str) -> int:
    """Return how many requests of this test a service has answered."""
    return len([line for line in said(service, "request") if line["path"] == path])


# Time-outs: each service, each edge


@pytest.mark.parametrize(
    ("edge", "way"),
    [
        *((edge, "blackhole") for edge in NEEDS),
        ("instances->postgres", "reset"),
        ("auth->redis", "reset"),
        ("auth->postgres", "refused"),
        ("instances->auth", "refused"),
    ],
)
def test_caller_should_be_told_to_come_back_when_an_edge_is_broken(
    faults: Faults, ask: Ask, said: Said, edge: str, way: str, waits: Waits
) -> None:
    service, needs = NEEDS[edge]
    assert works(ask)()
    with faults.none(edge):
        with getattr(faults, way)(edge):
            reply = ask()
        assert reply.status_code == 503, reply.text
        assert int(reply.headers["retry-after"]) >= 1
        assert not re.search("toxiproxy|psycopg|Traceback", reply.text)
        assert {line["what"] for line in said(service, "unavailable")} == {needs}
        recovers_within(works(ask), waits.back_s)


@pytest.mark.parametrize(
    ("way", "says"),
    [
        ("refused", "ConnectError"),
        ("reset", "ReadError"),
        ("blackhole", "no answer within {patience_s:g} s"),
    ],
)
def test_agent_should_be_told_what_is_broken_when_instances_is_not_reached(
    faults: Faults, session: RawSession, way: str, says: str, waits: Waits
) -> None:
    assert not tool(session)["isError"]
    with faults.none("mcp->instances"):
        with getattr(faults, way)("mcp->instances"):
            result = tool(session)
        assert result["isError"]
        says = says.format(patience_s=waits.instances_patience_s)
        assert f"instances is unavailable: {says}" in said_of(result)
        recovers_within(lambda: not tool(session)["isError"], waits.back_s)


def test_door_should_say_what_is_away_when_it_cannot_ask_whether_a_token_is_good(
    faults: Faults, session: RawSession, said: Said, waits: Waits
) -> None:
    with faults.none("mcp->auth"):
        with faults.refused("mcp->auth"):
            reply = session.request("ping")
        told = reply.json()
        assert (reply.status_code, told["error"]) == (503, "temporarily_unavailable")
        assert told["error_description"].startswith("auth is unavailable: ConnectError")
        assert reply.headers["retry-after"] == "1"
        assert said("mcp", "unavailable")[0]["reason"].startswith("ConnectError")
        recovers_within(works(lambda: session.request("ping")), waits.back_s)


def test_caller_should_be_answered_in_time_when_auth_itself_waits_for_its_database(
    faults: Faults, orders: Orders, said: Said, waits: Waits
) -> None:
    orders.all()
    # auth would wait for a connection, each time, as long as for a transaction.
    with faults.none("instances->auth"):
        with faults.blackhole("auth->postgres"):
            reply = orders.send("GET", "/instances")
        assert refusal(reply) == (503, "unavailable")
        assert said("instances", "unavailable")[0]["what"] == "auth"
        recovers_within(lambda: orders.send("GET", "/instances"), waits.back_s)


# Retries: bounded, with pauses, and not of everything


@pytest.mark.parametrize("status", [502, 503, 504])
def test_request_should_succeed_when_only_the_first_call_of_auth_fails(
    faults: Faults, orders: Orders, said: Said, status: int
) -> None:
    orders.all()
    before = calls(said, "auth", "/introspect")
    with faults.http_status("instances->auth", status, path="/introspect", nth=1):
        assert orders.all() == []
    assert met(faults) == 1
    assert calls(said, "auth", "/introspect") == before + 1


def test_auth_should_be_asked_once_when_it_answers_that_it_is_broken(
    faults: Faults, orders: Orders
) -> None:
    with faults.http_status("instances->auth", 500, path="/introspect"):
        assert refusal(orders.send("GET", "/instances")) == (503, "unavailable")
    assert met(faults) == 1


@pytest.mark.parametrize(
    ("method", "name"), [("GET", "get_instance"), ("DELETE", "deprovision_instance")]
)
def test_call_should_be_repeated_when_its_method_allows_it_and_its_answer_is_lost(
    faults: Faults,
    orders: Orders,
    session: RawSession,
    unique_name: Name,
    method: str,
    name: str,
) -> None:
    instance_id = orders.placed(unique_name())["id"]
    with faults.http_half("mcp->instances", method=method, nth=1):
        result = tool(session, name, instance_id=instance_id)
    assert not result["isError"], said_of(result)
    assert met(faults) == 1


def test_auth_should_be_asked_three_times_when_each_answer_comes_in_half(
    faults: Faults, orders: Orders, said: Said, waits: Waits
) -> None:
    with faults.none("instances->auth"):
        orders.all()
        with faults.http_half("instances->auth", path="/introspect"):
            reply = orders.send("GET", "/instances")
        assert refusal(reply) == (503, "unavailable")
        assert met(faults) == 3
        # At their shortest: the pause before the second try, and the one before the third.
        assert reply.elapsed.total_seconds() >= 3 * waits.retry_pause_s
        recovers_within(lambda: orders.send("GET", "/instances"), waits.back_s)


def test_retries_should_not_multiply_when_the_service_behind_the_next_one_is_away(
    faults: Faults, session: RawSession, said: Said, waits: Waits
) -> None:
    with faults.none("instances->auth"):
        assert not tool(session)["isError"]
        before = calls(said, "instances", "/instances")
        with faults.http_status("instances->auth", 503, path="/introspect"):
            assert tool(session)["isError"]
        # instances has tried three times, and told when to come back.
        assert met(faults) == 3
        assert calls(said, "instances", "/instances") == before + 1
        recovers_within(lambda: not tool(session)["isError"], waits.back_s)


@pytest.mark.parametrize("way", ["http_half", "http_twice"])
def test_order_should_happen_once_when_its_answer_is_lost_or_it_arrives_twice(
    faults: Faults, orders: Orders, session: RawSession, unique_name: Name, way: str
) -> None:
    name = unique_name()
    with getattr(faults, way)("mcp->instances", method="POST", path="/instances", nth=1):
        result = tool(session, "order_instance", name=name, size="small")
    assert not result["isError"], said_of(result)
    assert [each["id"] for each in orders.all()] == [result["structuredContent"]["id"]]


def test_order_should_be_the_same_when_it_is_repeated_with_its_key_across_a_reset(
    faults: Faults, orders: Orders, unique_name: Name, waits: Waits
) -> None:
    name, key = unique_name(), unique_name()
    with faults.reset("instances->postgres"):
        assert refusal(orders.place(name, key=key)) == (503, "unavailable")
    recovers_within(lambda: orders.place(name, key=key), waits.back_s)
    assert orders.placed(name, key=key)["id"] == orders.all()[0]["id"]
    assert len(orders.all()) == 1


def test_order_without_a_key_should_not_be_repeated_when_the_database_resets_its_connection(
    faults: Faults, orders: Orders, unique_name: Name, said: Said, waits: Waits
) -> None:
    name, book = unique_name(), Acknowledged()
    orders.placed(unique_name())
    with faults.reset("instances->postgres"):
        book.send(name, lambda: orders.place(name))
    assert book.keys(Outcome.UNKNOWN) == [name]
    recovers_within(lambda: orders.send("GET", "/instances"), waits.back_s)
    assert name not in [each["name"] for each in orders.all()]
    assert len([x for x in said("instances", "request") if x["method"] == "POST"]) == 2


# Circuit breaker


def test_circuit_should_open_try_now_and_then_and_close_when_auth_fails_and_comes_back(
    faults: Faults, orders: Orders, waits: Waits
) -> None:
    with faults.none("instances->auth"):
        orders.all()
        with faults.http_status("instances->auth", 503, path="/introspect", everyone=True):
            began = time.monotonic()
            replies = [orders.send("GET", "/instances") for _ in range(8)]
            took_s = time.monotonic() - began
        # Five failures, then nobody asks, but for one trial after each rest.
        assert 5 <= met(faults) <= 5 + took_s / waits.circuit_rest_s
        assert {refusal(reply) for reply in replies} == {(503, "unavailable")}
        # An open circuit says itself how long it rests.
        assert int(replies[-1].headers["retry-after"]) == ceil(waits.circuit_rest_s)

        with faults.http_status("instances->auth", 503, path="/introspect", everyone=True):
            began = time.monotonic()
            rested = began + 1.25 * waits.circuit_rest_s
            eventually(
                lambda: orders.send("GET", "/instances") and time.monotonic() > rested,
                within_s=waits.back_s,
                reason="time should pass",
            )
            took_s = time.monotonic() - began
        # Half open: the trial failed, so that the circuit did not close.
        assert 1 <= met(faults) <= 1 + took_s / waits.circuit_rest_s

        recovers_within(lambda: orders.send("GET", "/instances"), waits.back_s, in_a_row=10)


# Redis


def test_limits_should_fail_closed_and_the_rest_go_on_when_redis_is_away(
    stack: Stack, faults: Faults, confidential_client: AuthClient, user: User, unique_name: Name
) -> None:
    tokens = confidential_client.tokens(user)
    with faults.refused("auth->redis"):
        for reply in (
            confidential_client.log_in(user, Pkce()),
            confidential_client.refresh(tokens["refresh_token"]),
        ):
            assert oauth_refusal(reply) == (503, "temporarily_unavailable")
            assert int(reply.headers["retry-after"]) >= 1
        assert confidential_client.is_active(tokens["access_token"])
        assert confidential_client.manage("GET").status_code == 200
        assert stack["auth"].http.get("/jwks").status_code == 200
    # The refusal has not used the token up.
    assert confidential_client.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize(("edge", "step"), [("auth->redis", 100), ("auth->postgres", 250)])
def test_code_should_be_good_for_one_answer_when_a_store_is_cut_off_at_any_byte(
    faults: Faults, postgres: Postgres, auth_client: AuthClient, user: User, edge: str, step: int
) -> None:
    answers = []
    with faults.none(edge):  # a code lasts a minute, and no longer than redis does
        for after_bytes in range(0, 18 * step, step):  # 20 logins a minute are allowed
            pkce = Pkce()
            code = auth_client.code(user, pkce)
            with faults.cut_after(edge, after_bytes=after_bytes):
                reply = auth_client.redeem(code, pkce)
            answers.append(reply.status_code)
            assert reply.status_code in (200, 503), reply.text
            # Cut off in the very commit, the answer is lost, and the code is used.
            made = rows(postgres, MADE_OF_CODE, hashlib.sha256(code.encode()).hexdigest())
            again = auth_client.redeem(code, pkce)
            assert again.status_code == (400 if made else 200), (after_bytes, reply, again.text)
            assert oauth_refusal(auth_client.redeem(code, pkce)) == (400, "invalid_grant")
            if reply.status_code == 200:
                break
    assert set(answers) == {200, 503}


# The keys of auth


@pytest.fixture
def forged(tenant: Tenant) -> dict[str, str]:
    """Return the header that shows a token by a key that nobody knows."""
    header = json.dumps({"alg": "ES256", "typ": "at+jwt", "kid": "nobody"}).encode()
    encoded = base64.urlsafe_b64encode(header).rstrip(b"=").decode()
    return {"Authorization": f"Bearer {encoded}.{tenant.token.partition('.')[2]}"}


def test_known_keys_should_do_when_another_waits_for_unknown_ones(
    faults: Faults, orders: Orders, forged: dict[str, str], waits: Waits
) -> None:
    late_s = waits.auth_try_s / 2

    def ask() -> bool:
        reply = orders.send("GET", "/instances", headers=forged)
        assert refusal(reply) == (401, "invalid_token")
        # Keys are fetched now and then only, and then late.
        return reply.elapsed.total_seconds() > late_s

    assert orders.all() == []
    with (
        faults.none("instances->auth"),
        faults.http_delay("instances->auth", delay_ms=round(1000 * late_s), path="/jwks"),
        ThreadPoolExecutor(1) as thread,
    ):
        asking = thread.submit(eventually, ask, within_s=SOON_S, reason="keys should be asked for")
        answered = 0
        while not asking.done():
            reply = orders.send("GET", "/instances")
            assert reply.status_code == 200
            # One by one they would wait for the keys, too.
            answered += reply.elapsed.total_seconds() < late_s
        asking.result()
    assert answered


def test_keys_should_be_fetched_now_and_then_only_when_tokens_by_unknown_ones_keep_coming(
    orders: Orders, forged: dict[str, str], said: Said, waits: Waits
) -> None:
    orders.all()
    before = calls(said, "auth", "/jwks")
    began = time.monotonic()
    for _ in range(20):
        reply = orders.send("GET", "/instances", headers=forged)
        assert refusal(reply) == (401, "invalid_token")
        assert reply.json()["detail"] == "the token is signed by an unknown key"
    took_s = time.monotonic() - began
    assert calls(said, "auth", "/jwks") - before <= 1 + took_s / waits.keys_every_s


@pytest.mark.parametrize("body", ["<html>", []])
def test_caller_should_get_503_when_auth_answers_nonsense_about_its_token(
    faults: Faults, orders: Orders, body: Any
) -> None:
    with faults.http_status("instances->auth", 200, body=body, path="/introspect"):
        reply = orders.send("GET", "/instances")
    assert refusal(reply) == (503, "unavailable")
    assert reply.json()["detail"].startswith("auth did not answer")
    assert orders.all() == []


@pytest.mark.parametrize("body", ["<html>", {"keys": "none"}, {"keys": [{"kty": "?"}]}])
def test_caller_should_get_503_when_the_keys_of_auth_are_nonsense(
    faults: Faults, orders: Orders, forged: dict[str, str], body: Any
) -> None:
    orders.all()
    with faults.http_status("instances->auth", 200, body=body, path="/jwks"):
        eventually(  # keys are fetched now and then only
            lambda: refusal(orders.send("GET", "/instances", headers=forged))[0] != 401,
            within_s=SOON_S,
            reason="keys should be asked for",
        )
        reply = orders.send("GET", "/instances", headers=forged)
        assert refusal(reply) == (503, "unavailable")
        assert reply.json()["detail"].startswith("auth did not answer")
    assert orders.all() == []


@pytest.mark.parametrize(
    ("edge", "path", "status", "body"),
    [
        pytest.param("mcp->auth", "/token", 200, "<html>", id="page of auth"),
        pytest.param("mcp->auth", "/token", 200, {}, id="nothing of auth"),
        pytest.param("mcp->auth", "/token", 400, "<html>", id="400 of auth"),
        pytest.param("mcp->auth", "/token", 429, "<html>", id="429 of auth"),
        pytest.param("mcp->auth", "/token", 500, "<html>", id="500 of auth"),
        pytest.param("mcp->instances", "/instances", 200, "<html>", id="page of instances"),
        pytest.param("mcp->instances", "/instances", 200, [{}], id="nothing of instances"),
        pytest.param("mcp->instances", "/instances", 409, "<html>", id="409 of instances"),
        pytest.param("mcp->instances", "/instances", 500, "<html>", id="500 of instances"),
    ],
)
def test_agent_should_be_told_who_is_at_fault_when_an_answer_is_nonsense(
    faults: Faults, session: RawSession, edge: str, path: str, status: int, body: Any
) -> None:
    with faults.http_status(edge, status, body=body, path=path):
        result = tool(session)
    assert result["isError"]
    assert f"{edge.partition('->')[2]} is unavailable" in said_of(result)
    assert not tool(session)["isError"]


@pytest.mark.parametrize(
    ("body", "why"),
    [({"error": "no"}, "no"), ({"error": "no", "error_description": "not now"}, "not now")],
)
def test_agent_should_be_told_why_when_auth_gives_no_token_for_its_own(
    faults: Faults, session: RawSession, body: Any, why: str
) -> None:
    with faults.http_status("mcp->auth", 400, body=body, path="/token"):
        result = tool(session)
    assert result["isError"]
    assert f"auth gives no token for instances: {why}" in said_of(result)


def test_agent_should_be_served_when_only_the_kept_token_is_no_longer_good(
    faults: Faults, session: RawSession, said: Said
) -> None:
    assert not tool(session)["isError"]
    before = calls(said, "auth", "/token")
    with faults.http_status("mcp->instances", 401, body="<html>", path="/instances", nth=1):
        assert not tool(session)["isError"]
    assert calls(said, "auth", "/token") == before + 1


# Half an answer, small pieces, little at a time, late


def test_order_should_happen_once_when_the_database_is_cut_off_at_any_byte(
    faults: Faults, make_orders: Callable[..., Orders], unique_name: Name
) -> None:
    orders, book = make_orders("enterprise"), Acknowledged()
    orders.placed(unique_name())

    def order(name: str) -> None:
        book.send(name, lambda: orders.place(name, key=name))

    for after_bytes in range(50, 6050, 100):
        with faults.cut_after("instances->postgres", after_bytes=after_bytes):
            order(unique_name())
        if book.keys(Outcome.OK):
            break
    lost = book.keys(Outcome.UNKNOWN)
    assert lost, "some should have been cut off"
    for name in lost:
        order(name)
    assert book.keys(Outcome.UNKNOWN) == []
    book.check(each["name"] for each in orders.all())


def test_orders_should_happen_once_when_the_edge_to_the_database_comes_and_goes(
    faults: Faults, make_orders: Callable[..., Orders], unique_name: Name, waits: Waits
) -> None:
    orders, book = make_orders("enterprise"), Acknowledged()
    orders.placed(unique_name())

    def order(name: str) -> None:
        book.send(name, lambda: orders.place(name, key=name))

    with faults.flap("instances->postgres", period_ms=150), ThreadPoolExecutor(4) as threads:
        list(threads.map(order, [unique_name() for _ in range(30)]))
    recovers_within(lambda: orders.send("GET", "/instances"), waits.back_s)
    for name in book.keys(Outcome.UNKNOWN):
        order(name)
    assert book.keys(Outcome.UNKNOWN) == []
    book.check(each["name"] for each in orders.all())


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("slice", {"size_bytes": 1}),
        ("slow_close", {"delay_ms": 300}),
        ("latency", {"latency_ms": 20, "jitter_ms": 20}),
    ],
)
def test_nothing_should_fail_when_every_edge_is_a_bad_line(
    faults: Faults,
    session: RawSession,
    tenant: Tenant,
    unique_name: Name,
    kind: str,
    arguments: Any,
) -> None:
    with ExitStack() as on:
        for edge in (*NEEDS, "mcp->instances", "worker->postgres"):
            on.enter_context(getattr(faults, kind)(edge, **arguments))
        ordered = tool(session, "order_instance", name=unique_name(), size="small")
        assert not ordered["isError"], said_of(ordered)
        token = tenant.new_token(resource="mcp")
        assert claims_of(token)["aud"] == "mcp"
        listed = tool(session)["structuredContent"]["result"]
    assert [each["id"] for each in listed] == [ordered["structuredContent"]["id"]]


@pytest.mark.parametrize(("transactions", "status"), [(0.01, 200), (2, 503)])
def test_long_list_should_come_whole_or_not_at_all_when_there_is_little_bandwidth(
    faults: Faults,
    postgres: Postgres,
    orders: Orders,
    unique_name: Name,
    transactions: float,
    status: int,
    waits: Waits,
) -> None:
    orders.placed(unique_name())
    with postgres.connect() as conn:
        conn.execute(
            "INSERT INTO instances.instances (tenant_id, name, size, state)"
            " SELECT %s, repeat('TEST ', 39) || n, 'small', 'deprovisioned'"
            " FROM generate_series(1, 199) n",
            [orders.tenant.tenant_id],
        )
    # The names alone take as long as so many transactions may.
    kb_s = ceil(200 * NAME_KB / (transactions * waits.transaction_s))
    with faults.bandwidth("instances->postgres", kb_s=kb_s):
        reply = orders.send("GET", "/instances")
    assert reply.status_code == status
    assert status != 200 or len(reply.json()) == 200
    recovers_within(lambda: len(orders.all()) == 200, waits.back_s)


# Pools


def test_pool_should_heal_when_many_waited_in_a_database_that_did_not_answer(
    faults: Faults, orders: Orders, waits: Waits
) -> None:
    ask = {"method": "GET", "path": "/instances"}
    with faults.blackhole("instances->postgres"):
        replies = orders.at_once(*[ask] * 8)
    assert {refusal(reply) for reply in replies} == {(503, "unavailable")}
    recovers_within(lambda: orders.send("GET", "/instances"), waits.back_s)
    assert {reply.status_code for reply in orders.at_once(*[ask] * 8)} == {200}


def test_request_should_be_answered_when_the_database_comes_back_while_it_waits(
    stack: Stack, faults: Faults, auth_client: AuthClient, waits: Waits
) -> None:
    with ThreadPoolExecutor(1) as thread:
        with faults.refused("auth->postgres"):
            began = datetime.now(UTC)
            waiting = thread.submit(auth_client.manage, "GET")
            eventually(
                lambda: "error connecting" in stack["auth"].logs(since=began),
                within_s=waits.transaction_s,
                reason="auth should try to connect",
            )
        # It waits for a connection as long as for a transaction, and had not to be refused.
        assert waiting.result().status_code == 200


# Tokens that end meanwhile


@pytest.fixture
def short_lived(make_client: Callable[..., AuthClient], user: User) -> Callable[..., str]:
    """Return a function that makes a token, which still lasts for a time once that is asked for."""

    def make(lasts_s: float, **asked: str) -> str:
        # Its end is a whole second, and it is made and asked for by slow machines.
        lifetime_s = ceil(lasts_s + BUSY_S / 2)
        client = make_client(access_token_lifetime_s=lifetime_s)
        token: str = client.tokens(user, **asked)["access_token"]
        return token

    return make


def lasts_at_most(token: str, lasts_s: float) -> float:
    """Return when a token ends, once that is no further away."""
    ends = float(claims_of(token)["exp"])
    eventually(
        lambda: ends - time.time() <= lasts_s,
        within_s=lasts_s + BUSY_S,
        reason="time should pass",
    )
    return ends


def test_request_should_be_finished_when_its_token_ends_meanwhile(
    faults: Faults, orders: Orders, short_lived: Callable[..., str], waits: Waits
) -> None:
    with faults.none("instances->postgres"):
        orders.all()  # so that it has connections
    # Five round trips to the database, and the answer of auth. It may be seven, as psycopg prepares
    # what a connection is asked the sixth time: still within the time of a transaction.
    trip_ms, auth_ms = round(1000 * waits.transaction_s / 14), round(1000 * waits.auth_try_s / 3)
    lasts_s = (5 * trip_ms + auth_ms) / 1000 * 0.9
    with (
        faults.latency("instances->postgres", latency_ms=trip_ms),
        faults.http_delay("instances->auth", delay_ms=auth_ms, path="/introspect"),
    ):
        # Made here, since a fault may have to wait for another test's.
        token = short_lived(lasts_s)
        headers = {"Authorization": f"Bearer {token}"}
        ends = lasts_at_most(token, lasts_s)
        reply = orders.send("GET", "/instances", headers=headers)
    assert time.time() > ends
    assert reply.status_code == 200, reply.text
    assert refusal(orders.send("GET", "/instances", headers=headers)) == (401, "invalid_token")


def test_agent_should_be_told_when_its_token_ends_while_it_is_exchanged(
    stack: Stack, faults: Faults, short_lived: Callable[..., str], waits: Waits
) -> None:
    assert stack["mcp"].http.get("/health").status_code == 200  # waits for other tests' faults
    late_s = 0.7 * waits.auth_try_s
    lasts_s = 0.8 * late_s
    token = short_lived(lasts_s, resource="mcp")
    session = RawSession(stack["mcp"].http, token)
    session.open()
    with faults.http_delay("mcp->auth", delay_ms=round(1000 * late_s), path="/token", nth=1):
        lasts_at_most(token, lasts_s)
        result = tool(session)
    assert result["isError"]
    assert "auth gives no token for instances" in said_of(result)
    assert session.request("ping").status_code == 401


# Faults of one test


def test_request_of_another_test_should_pass_when_this_ones_is_answered_wrongly(
    stack: Stack, faults: Faults, orders: Orders
) -> None:
    others = orders.tenant.headers | {"Baggage": "nomock.test=another"}
    inactive = {"active": False}
    with faults.http_status("instances->auth", 200, body=inactive, path="/introspect"):
        assert refusal(orders.send("GET", "/instances")) == (401, "invalid_token")
        other = httpx.get(f"{stack['instances'].url}/instances", headers=others, trust_env=False)
    assert other.status_code == 200
    assert met(faults) == 1


# The worker


def test_order_should_be_provisioned_once_when_the_workers_connections_are_reset(
    faults: Faults, orders: Orders, unique_name: Name, postgres: Postgres
) -> None:
    with faults.reset("worker->postgres"):
        ordered = orders.placed(unique_name())
    orders.reach(ordered["id"], "running")
    assert resources(postgres, ordered["id"]) == 1
