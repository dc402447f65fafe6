"""How a service calls another one: the other one is respx's."""

from __future__ import annotations

from typing import Any
from unittest.mock import AsyncMock

import httpx
import pytest
import respx
from shared import baggage
from shared.errors import Unavailable
from shared.http import CircuitBreaker, Client, read
from shared.waits import CallWaits

WAITS = CallWaits(try_s=2.5, pause_s=0.05, rest_s=2.0, idle_s=2.0)


@pytest.fixture
def pauses(mocker: Any) -> AsyncMock:
    return mocker.patch("shared.http.asyncio.sleep", new=AsyncMock())


@pytest.fixture
async def client(pauses: AsyncMock) -> Any:
    client = Client("auth", "http://auth:8000", WAITS)
    yield client
    await client.aclose()


@pytest.fixture
def auth() -> Any:
    with respx.mock(base_url="http://auth:8000", assert_all_called=False) as auth:
        yield auth


async def test_reply_should_come_back_when_the_service_answers(client: Client, auth: Any) -> None:
    auth.get("/jwks").respond(200, json={"keys": []})
    reply = await client.request("GET", "/jwks")
    assert reply.json() == {"keys": []}


async def test_request_should_carry_the_baggage_when_one_is_being_served(
    client: Client, auth: Any
) -> None:
    route = auth.get("/jwks").respond(200)
    token = baggage.current.set("nomock.test=x")
    await client.request("GET", "/jwks", headers={"X-More": "1"})
    baggage.current.reset(token)
    await client.request("GET", "/jwks")
    first, second = (call.request.headers for call in route.calls)
    assert (first["baggage"], first["x-more"]) == ("nomock.test=x", "1")
    assert "baggage" not in second


@pytest.mark.parametrize("status", [400, 401, 404, 409, 500])
async def test_reply_should_come_back_when_it_is_an_error_of_its_own(
    client: Client, auth: Any, status: int
) -> None:
    route = auth.get("/x").respond(status)
    assert (await client.request("GET", "/x")).status_code == status
    assert route.call_count == 1


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_request_should_be_tried_three_times_with_pauses_when_it_is_safe_to_repeat(
    client: Client, auth: Any, pauses: AsyncMock, status: int
) -> None:
    route = auth.get("/x").respond(status)
    with pytest.raises(Unavailable, match=f"answered {status}"):
        await client.request("GET", "/x")
    assert route.call_count == 3
    first, second = (call.args[0] for call in pauses.await_args_list)
    assert 0.05 <= first <= 0.1
    assert 0.1 <= second <= 0.2


async def test_request_should_succeed_when_a_later_try_does(client: Client, auth: Any) -> None:
    auth.get("/x").mock(side_effect=[httpx.ReadError("gone"), httpx.Response(200)])
    assert (await client.request("GET", "/x")).status_code == 200


async def test_request_should_be_sent_once_when_the_service_says_when_to_come_back(
    client: Client, auth: Any
) -> None:
    route = auth.get("/x").respond(503, headers={"Retry-After": "1"})
    with pytest.raises(Unavailable):
        await client.request("GET", "/x")
    assert route.call_count == 1


@pytest.mark.parametrize(
    ("error", "repeatable", "tries"),
    [
        (httpx.ReadTimeout("slow"), None, 1),
        (httpx.ReadTimeout("slow"), True, 3),
        (httpx.ConnectError("refused"), None, 3),
        (httpx.ConnectTimeout("slow"), None, 3),
    ],
)
async def test_post_should_be_repeated_only_when_that_does_no_harm(
    client: Client, auth: Any, error: Exception, repeatable: bool | None, tries: int
) -> None:
    route = auth.post("/x").mock(side_effect=error)
    with pytest.raises(Unavailable):
        await client.request("POST", "/x", repeatable=repeatable)
    assert route.call_count == tries


def test_client_should_have_time_outs_and_limits_when_it_is_made(mocker: Any) -> None:
    made = mocker.patch("shared.http.httpx.AsyncClient")
    Client("auth", "http://auth:8000", WAITS)
    told = made.call_args.kwargs
    assert told["timeout"] == 2.5
    assert told["trust_env"] is False
    assert told["limits"].keepalive_expiry == 2.0


async def test_call_should_be_given_up_when_the_patience_is_over(mocker: Any, auth: Any) -> None:
    import asyncio

    async def hang(_: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError

    auth.get("/x").mock(side_effect=hang)
    waits = CallWaits(try_s=0.01, pause_s=0.001, rest_s=2.0, idle_s=2.0)
    client = Client("auth", "http://auth:8000", waits)
    with pytest.raises(Unavailable, match=r"no answer within 0\.02 s"):
        await asyncio.wait_for(client.request("GET", "/x"), 5)
    assert client.breaker.failures == 1


# The circuit


def test_circuit_should_open_when_there_were_five_failures_in_a_row(mocker: Any) -> None:
    clock = mocker.patch("shared.http.time.monotonic", return_value=100.0)
    breaker = CircuitBreaker(rest_s=2.0)
    for _ in range(5):
        assert breaker.admits()
        breaker.record(success=False)
    assert not breaker.admits()
    clock.return_value = 101.9
    assert not breaker.admits()
    clock.return_value = 102.1
    assert breaker.admits()
    assert not breaker.admits()  # one trial only
    breaker.record(success=True)
    assert breaker.admits()
    assert breaker.failures == 0


def test_circuit_should_stay_closed_when_a_success_is_between_failures() -> None:
    breaker = CircuitBreaker(rest_s=2.0)
    for success in (False, False, True, False, False, True, False):
        breaker.record(success=success)
    assert breaker.admits()


async def test_request_should_not_be_sent_when_the_circuit_is_open(
    client: Client, auth: Any
) -> None:
    route = auth.get("/x").respond(503, headers={"Retry-After": "1"})
    for _ in range(5):
        with pytest.raises(Unavailable, match="answered 503"):
            await client.request("GET", "/x")
    with pytest.raises(Unavailable, match="circuit open") as refused:
        await client.request("GET", "/x")
    assert route.call_count == 5
    assert refused.value.retry_after_s == 2


# Reading


@pytest.mark.parametrize("body", ["<html>", "[]", "null", "7"])
def test_nonsense_should_be_unavailable_when_it_is_read(body: str) -> None:
    with pytest.raises(Unavailable, match="nonsense"):
        read("auth", httpx.Response(200, text=body), lambda told: told["keys"])


def test_answer_should_be_read_when_it_makes_sense() -> None:
    assert read("auth", httpx.Response(200, json={"a": 1}), lambda told: told["a"]) == 1
