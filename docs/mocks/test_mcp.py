"""The MCP server: auth and instances are respx's, the protocol is spoken by hand."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import AsyncMock, MagicMock
from uuid import uuid4

import httpx
import pytest
import respx
from conftest import ENVIRONMENT, access_token
from mcp.server.mcpserver.exceptions import ToolError
from mcp_server import app as mcp_app
from mcp_server.config import Config
from mcp_server.identity import BearerTokens, ExchangeRefused, TokenExchange
from mcp_server.instances import Instances
from shared.errors import Unavailable
from shared.http import Client
from shared.tokens import Claims, InvalidToken
from shared.waits import CallWaits, TokenWaits

INSTANCE = {"id": str(uuid4()), "name": "web", "size": "small", "state": "requested"}
WAITS = CallWaits(2.5, 0.05, 2.0, 2.0)


@pytest.fixture
def services(key: Any, mocker: Any) -> Any:
    """auth, which finds every token good and exchanges it, and instances."""
    mocker.patch("shared.http.asyncio.sleep", new=AsyncMock())
    with respx.mock(assert_all_called=False, assert_all_mocked=True) as services:
        keys = {"keys": [{**key.as_dict(private=False), "use": "sig", "alg": "ES256"}]}
        services.get("http://auth.internal:8000/jwks").respond(200, json=keys)
        services.post("http://auth.internal:8000/introspect", name="introspect").respond(
            200, json={"active": True}
        )
        services.post("http://auth.internal:8000/token", name="exchange").respond(
            200, json={"access_token": "exchanged", "expires_in": 300}
        )
        services.post("http://instances:8000/instances", name="order").respond(202, json=INSTANCE)
        services.get("http://instances:8000/instances", name="list").respond(200, json=[INSTANCE])
        one = f"http://instances:8000/instances/{INSTANCE['id']}"
        services.get(one, name="get").respond(200, json=INSTANCE)
        services.delete(one, name="delete").respond(
            202, json={**INSTANCE, "state": "deprovisioning"}
        )
        yield services


# The exchange of tokens


@pytest.fixture
async def exchange(services: Any) -> Any:
    client = Client("auth", "http://auth.internal:8000", WAITS)
    waits = TokenWaits(leeway_s=5, keys_every_s=1)
    yield TokenExchange(client, waits, audience="instances", credentials=("mcp", "secret"), limit=2)
    await client.aclose()


async def test_token_should_be_exchanged_once_when_it_comes_again(
    exchange: TokenExchange, services: Any
) -> None:
    assert await exchange.token_for("ann's") == "exchanged"
    assert await exchange.token_for("ann's") == "exchanged"
    assert services["exchange"].call_count == 1
    form = services["exchange"].calls.last.request.content.decode()
    assert "subject_token=ann%27s" in form
    assert "audience=instances" in form


async def test_exchanged_token_should_be_each_callers_own_when_there_are_several(
    exchange: TokenExchange, services: Any
) -> None:
    answers = [{"access_token": f"for-{n}", "expires_in": 300} for n in ("ann", "bob")]
    services["exchange"].side_effect = [httpx.Response(200, json=each) for each in answers]
    assert await exchange.token_for("ann") == "for-ann"
    assert await exchange.token_for("bob") == "for-bob"
    assert await exchange.token_for("ann") == "for-ann"


async def test_token_should_be_exchanged_again_when_the_kept_one_is_about_to_expire(
    exchange: TokenExchange, services: Any, mocker: Any
) -> None:
    clock = mocker.patch("mcp_server.identity.time.monotonic", return_value=100.0)
    await exchange.token_for("ann")
    clock.return_value = 394.0
    await exchange.token_for("ann")
    assert services["exchange"].call_count == 1
    clock.return_value = 395.0
    await exchange.token_for("ann")
    assert services["exchange"].call_count == 2


async def test_tokens_should_be_forgotten_when_there_are_too_many(
    exchange: TokenExchange, services: Any
) -> None:
    for name in ("a", "b", "c"):
        await exchange.token_for(name)
    assert list(exchange._kept) == ["b", "c"]
    exchange.forget("b")
    exchange.forget("nobody")
    assert list(exchange._kept) == ["c"]


@pytest.mark.parametrize(
    ("reply", "error", "said"),
    [
        (httpx.Response(429), Unavailable, "too many token exchanges"),
        (httpx.Response(500, text="<html>"), Unavailable, "answered 500"),
        (httpx.Response(200, text="<html>"), Unavailable, "nonsense"),
        (httpx.Response(200, json={}), Unavailable, "nonsense"),
        (
            httpx.Response(400, json={"error": "x", "error_description": "not active"}),
            ExchangeRefused,
            "not active",
        ),
        (httpx.Response(400, json={"error": "invalid_request"}), ExchangeRefused, "invalid"),
        (httpx.Response(400, text="<html>"), Unavailable, "nonsense"),
    ],
)
async def test_exchange_should_say_who_is_at_fault_when_it_fails(
    exchange: TokenExchange,
    services: Any,
    reply: httpx.Response,
    error: type[Exception],
    said: str,
) -> None:
    services["exchange"].side_effect = None
    services["exchange"].return_value = reply
    with pytest.raises(error, match=said):
        await exchange.token_for("ann")


async def test_sdk_should_get_who_calls_when_the_token_is_good() -> None:
    verifier = AsyncMock()
    said = Claims("ann", "client-1", frozenset({"b", "a"}), "t", "free", 7, "a-token")
    verifier.verify.return_value = said
    told = await BearerTokens(verifier, "http://auth:8000").verify_token("a-token")
    assert told is not None
    assert (told.client_id, told.subject, told.scopes) == ("client-1", "ann", ["a", "b"])
    assert (told.expires_at, told.claims) == (7, {"iss": "http://auth:8000", "tenant": "t"})
    verifier.verify.side_effect = InvalidToken("no")
    assert await BearerTokens(verifier, "x").verify_token("a-token") is None


# The calls of instances


@pytest.fixture
async def api(services: Any, mocker: Any) -> Any:
    client = Client("instances", "http://instances:8000", WAITS)
    tokens = MagicMock(token_for=AsyncMock(return_value="exchanged"))
    mocker.patch("mcp_server.instances.get_access_token", return_value=MagicMock(token="ann's"))
    yield Instances(client, tokens)
    await client.aclose()


async def test_order_should_be_sent_with_the_exchanged_token_and_its_key(
    api: Instances, services: Any
) -> None:
    told = await api.order("web", "small", "a-key")
    assert (told.name, told.state) == ("web", "requested")
    request = services["order"].calls.last.request
    assert request.headers["authorization"] == "Bearer exchanged"
    assert request.headers["idempotency-key"] == "a-key"
    assert json.loads(request.content) == {"name": "web", "size": "small"}
    api.tokens.token_for.assert_awaited_once_with("ann's")


async def test_order_should_be_repeated_with_the_same_key_when_its_answer_is_lost(
    api: Instances, services: Any
) -> None:
    services["order"].side_effect = [
        httpx.ReadTimeout("lost"),
        httpx.Response(202, json=INSTANCE),
    ]
    await api.order("web", "small", None)
    keys = [call.request.headers["idempotency-key"] for call in services["order"].calls]
    assert len(keys) == 2
    assert keys[0] == keys[1] != ""


async def test_instances_should_be_read_and_removed_when_they_are_asked_for(
    api: Instances, services: Any
) -> None:
    from uuid import UUID

    assert [each.id for each in await api.all()] == [INSTANCE["id"]]
    assert (await api.get(UUID(INSTANCE["id"]))).name == "web"
    assert (await api.deprovision(UUID(INSTANCE["id"]))).state == "deprovisioning"
    assert services["delete"].call_count == 1


async def test_exchange_should_be_repeated_once_when_instances_refuses_the_token(
    api: Instances, services: Any
) -> None:
    services["list"].side_effect = [httpx.Response(401), httpx.Response(200, json=[])]
    assert await api.all() == []
    api.tokens.forget.assert_called_once_with("ann's")


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (
            httpx.Response(409, json={"title": "Quota exceeded", "detail": "two at the most"}),
            r"Quota exceeded \(409\): two at the most",
        ),
        (httpx.Response(500, text="<html>"), "try again in 1 s"),
        (httpx.Response(503, headers={"Retry-After": "1"}), "try again in 1 s"),
        (httpx.Response(200, text="<html>"), "try again in 1 s"),
    ],
)
async def test_agent_should_be_told_what_is_wrong_when_instances_refuses(
    api: Instances, services: Any, reply: httpx.Response, said: str
) -> None:
    services["list"].side_effect = None
    services["list"].return_value = reply
    with pytest.raises(ToolError, match=said):
        await api.all()


async def test_agent_should_be_told_when_auth_gives_no_token(api: Instances) -> None:
    api.tokens.token_for.side_effect = ExchangeRefused("not active")
    with pytest.raises(ToolError, match="auth gives no token for instances: not active"):
        await api.all()


async def test_agent_should_be_told_when_there_is_no_token(api: Instances, mocker: Any) -> None:
    mocker.patch("mcp_server.instances.get_access_token", return_value=None)
    with pytest.raises(ToolError, match="no access token"):
        await api.all()


# The protocol


@asynccontextmanager
async def served() -> Any:
    """The application, started, and a client of it."""
    app = mcp_app.create_app(Config.from_environment())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://mcp:8000") as client,
    ):
        yield client


async def ask(
    http: Any, token: str, method: str, params: Any = None, **headers: str
) -> httpx.Response:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}
    more = {
        "Accept": "application/json, text/event-stream",
        "Authorization": f"Bearer {token}",
        "Mcp-Protocol-Version": "2025-06-18",
    }
    reply: httpx.Response = await http.post("/mcp", json=body, headers={**more, **headers})
    return reply


async def initialize(http: Any, token: str) -> dict[str, str]:
    params = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "a client", "version": "1"},
    }
    reply = await ask(http, token, "initialize", params)
    assert reply.status_code == 200, reply.text
    return {"Mcp-Session-Id": reply.headers["mcp-session-id"]}


def result(reply: httpx.Response) -> Any:
    assert reply.status_code == 200, reply.text
    (data,) = [line[6:] for line in reply.text.splitlines() if line.startswith("data: {")]
    return json.loads(data)


async def test_agent_should_order_when_it_has_a_token(services: Any, key: Any) -> None:
    token = access_token(key, aud="mcp")
    async with served() as http:
        session = await initialize(http, token)
        listed = result(await ask(http, token, "tools/list", **session))["result"]["tools"]
        assert {tool["name"] for tool in listed} == {
            "order_instance",
            "list_instances",
            "get_instance",
            "deprovision_instance",
        }
        params = {"name": "order_instance", "arguments": {"name": "web", "size": "small"}}
        told = result(await ask(http, token, "tools/call", params, **session))["result"]
        assert told["structuredContent"]["id"] == INSTANCE["id"]
        for name in ("get_instance", "deprovision_instance"):
            params = {"name": name, "arguments": {"instance_id": INSTANCE["id"]}}
            told = result(await ask(http, token, "tools/call", params, **session))["result"]
            assert told["structuredContent"]["name"] == "web"
        params = {"name": "list_instances", "arguments": {}}
        told = result(await ask(http, token, "tools/call", params, **session))["result"]
        assert len(told["structuredContent"]["result"]) == 1


async def test_tool_should_be_invalid_params_when_nobody_has_heard_of_it(
    services: Any, key: Any
) -> None:
    token = access_token(key, aud="mcp")
    async with served() as http:
        session = await initialize(http, token)
        params = {"name": "unheard_of", "arguments": {}}
        told = result(await ask(http, token, "tools/call", params, **session))
        assert told["error"]["code"] == -32602


async def test_session_should_answer_404_when_another_user_presents_its_id(
    services: Any, key: Any
) -> None:
    ann, bob = access_token(key, aud="mcp", sub="ann"), access_token(key, aud="mcp", sub="bob")
    async with served() as http:
        session = await initialize(http, ann)
        assert (await ask(http, bob, "tools/list", **session)).status_code == 404
        assert (await ask(http, ann, "tools/list", **session)).status_code == 200


async def test_door_should_be_closed_when_the_token_is_not_good(services: Any, key: Any) -> None:
    async with served() as http:
        for token in ("", "nonsense", access_token(key, aud="instances")):
            reply = await ask(http, token, "tools/list")
            assert reply.status_code == 401
            assert "resource_metadata" in reply.headers["www-authenticate"]
        reply = await ask(http, access_token(key, aud="mcp", scope="x"), "tools/list")
        assert reply.status_code == 403


async def test_request_should_be_forbidden_when_it_comes_from_another_origin_or_host(
    services: Any, key: Any
) -> None:
    token = access_token(key, aud="mcp")
    async with served() as http:
        reply = await ask(http, token, "tools/list", Origin="http://evil.example")
        assert reply.status_code == 403
        reply = await ask(http, token, "tools/list", Host="evil.example")
        assert reply.status_code == 421


async def test_door_should_stay_closed_when_auth_is_away(services: Any, key: Any) -> None:
    services["introspect"].side_effect = httpx.ConnectError("refused")
    async with served() as http:
        reply = await ask(http, access_token(key, aud="mcp"), "tools/list")
    assert (reply.status_code, reply.json()["error"]) == (503, "temporarily_unavailable")
    assert reply.headers["retry-after"] == "1"


async def test_metadata_should_name_the_issuer_when_they_are_asked_for() -> None:
    async with served() as http:
        for path in (mcp_app.METADATA_PATH, f"{mcp_app.METADATA_PATH}/mcp"):
            told = (await http.get(path)).json()
            assert told["authorization_servers"] == ["http://auth:8000"]
            assert told["resource"] == "http://mcp:8000/mcp"
            assert told["scopes_supported"] == ["instances:read", "instances:write"]
        assert (await http.get("/health")).json() == {"status": "ok"}


def test_config_should_be_read_when_the_environment_has_it(monkeypatch: Any) -> None:
    config = Config.from_environment()
    assert config.issuer == ENVIRONMENT["AUTH_ISSUER"]
    assert (config.auth_waits.try_s, config.instances_waits.try_s) == (2.5, 3.5)
    assert "mcp:*" in config.allowed_hosts
    monkeypatch.setenv("INSTANCES_TIMEOUT_S", "2.4")
    with pytest.raises(Exception, match="INSTANCES_TIMEOUT_S"):
        Config.from_environment()
