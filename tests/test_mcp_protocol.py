"""MCP over Streamable HTTP: the handshake, sessions, tools, JSON-RPC errors, and who is let in."""

import json
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from helpers.eventually import eventually
from helpers.expiry import answer_when_over
from helpers.logs import logged
from helpers.mcp import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    PATH,
    VERSION,
    RawSession,
    error_of,
    initialize_params,
    message_of,
    text_of,
)
from helpers.oauth import AuthClient, Tenant, User
from helpers.waits import SOON_S

from nomock import Stack

TOOLS = {"order_instance", "list_instances", "get_instance", "deprovision_instance"}
METADATA_PATH = "/.well-known/oauth-protected-resource/mcp"


@pytest.fixture
def raw(stack: Stack, mcp_token: str) -> RawSession:
    """A caller with a good token and no session yet."""
    return RawSession(stack["mcp"].http, mcp_token)


@pytest.fixture
def session(raw: RawSession) -> Iterator[RawSession]:
    """A caller in an open session, which is ended after the test."""
    with raw:
        yield raw


# The handshake


def test_handshake_should_agree_on_the_newest_session_version_when_the_official_client_opens_one(
    mcp_client: Any,
) -> None:
    assert mcp_client.client.protocol_version == VERSION
    assert mcp_client.client.server_info.name == "nomock-mcp"
    assert mcp_client.client.server_capabilities.tools is not None


def test_client_should_need_no_session_when_it_speaks_the_stateless_version(
    connect_agent: Callable[..., Any], mcp_token: str
) -> None:
    with connect_agent(mcp_token, mode="auto") as agent:
        assert agent.client.protocol_version == "2026-07-28"
        assert agent.get("list_instances") == []


def test_initialize_should_answer_in_the_older_version_when_the_client_asks_for_it(
    raw: RawSession,
) -> None:
    result = raw.open("2025-03-26")

    assert result["protocolVersion"] == "2025-03-26"
    assert result["instructions"]
    assert raw.close().status_code == 200


def test_initialize_should_be_refused_when_its_params_are_missing(raw: RawSession) -> None:
    reply = raw.request("initialize", {})

    assert message_of(reply)["error"]["code"] == INVALID_PARAMS


# Sessions


def test_session_should_answer_404_when_it_was_ended(raw: RawSession) -> None:
    raw.open()
    assert raw.request("ping").status_code == 200

    assert raw.close().status_code == 200

    assert error_of(raw.request("ping")) == (404, INVALID_REQUEST)
    assert raw.close().status_code == 404


def test_request_should_answer_404_when_its_session_is_unknown(raw: RawSession) -> None:
    reply = raw.request("tools/list", headers={"Mcp-Session-Id": uuid.uuid4().hex})

    assert error_of(reply) == (404, INVALID_REQUEST)


def test_request_should_be_invalid_when_it_names_no_session(raw: RawSession) -> None:
    assert error_of(raw.request("tools/list")) == (400, INVALID_REQUEST)


def test_session_should_answer_404_when_another_user_presents_its_id(
    stack: Stack, session: RawSession, make_tenant: Callable[..., Tenant]
) -> None:
    stranger = RawSession(stack["mcp"].http, make_tenant().new_token(resource="mcp"))

    taken = {"Mcp-Session-Id": session.headers["Mcp-Session-Id"]}
    reply = stranger.request("ping", headers=taken)

    assert error_of(reply) == (404, INVALID_REQUEST)
    assert session.request("ping").status_code == 200


def test_session_should_carry_one_event_stream_when_two_are_opened(session: RawSession) -> None:
    headers = session.headers | {"Accept": "text/event-stream"}
    with session.http.stream("GET", PATH, headers=headers) as stream:
        assert stream.status_code == 200
        assert stream.headers["content-type"].startswith("text/event-stream")

        second = session.http.get(PATH, headers=headers)

    assert error_of(second) == (409, INVALID_REQUEST)


# Messages


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"jsonrpc": "2.0", "id": 1,}', b'"\xff"'],
    ids=["nothing", "cut", "comma", "encoding"],
)
def test_body_should_be_a_parse_error_when_it_is_no_json(session: RawSession, body: bytes) -> None:
    assert error_of(session.send(body)) == (400, PARSE_ERROR)


@pytest.mark.parametrize(
    "message",
    [
        [],
        {},
        {"jsonrpc": "1.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1]},
    ],
    ids=["batch", "empty", "version", "method", "params"],
)
def test_message_should_be_refused_when_it_is_json_and_not_json_rpc(
    session: RawSession, message: object
) -> None:
    reply = session.send(json.dumps(message).encode())

    assert error_of(reply) == (400, INVALID_PARAMS)


def test_request_should_fail_with_method_not_found_when_nobody_serves_its_method(
    session: RawSession,
) -> None:
    reply = session.request("instances/explode")

    assert message_of(reply)["error"]["code"] == METHOD_NOT_FOUND


def test_reply_should_carry_the_id_of_its_request_when_the_id_is_a_string(
    session: RawSession,
) -> None:
    body = {"jsonrpc": "2.0", "id": "a string", "method": "ping"}

    assert message_of(session.send(json.dumps(body).encode())) == {
        "jsonrpc": "2.0",
        "id": "a string",
        "result": {},
    }


def test_notification_should_be_accepted_without_an_answer_when_it_is_well_formed(
    session: RawSession,
) -> None:
    reply = session.notify("notifications/initialized")

    assert (reply.status_code, reply.content) == (202, b"")


def test_request_should_not_be_acceptable_when_the_client_takes_no_event_stream(
    session: RawSession,
) -> None:
    reply = session.request("ping", headers={"Accept": "application/json"})

    assert error_of(reply) == (406, INVALID_REQUEST)


def test_request_should_be_refused_when_its_body_is_larger_than_the_server_reads(
    session: RawSession,
) -> None:
    assert session.send(b" " * (4 * 1024 * 1024 + 1)).status_code == 413


# Tools


def test_tools_should_say_what_they_take_and_change_when_listed(mcp_client: Any) -> None:
    tools = mcp_client.tools()

    assert set(tools) == TOOLS
    assert tools["order_instance"].input_schema["required"] == ["name", "size"]
    assert tools["get_instance"].input_schema["properties"]["instance_id"]["format"] == "uuid"
    hints = {
        name: (told.read_only_hint, told.destructive_hint, told.idempotent_hint)
        for name, told in ((name, tool.annotations) for name, tool in tools.items())
    }
    assert hints == {
        "order_instance": (False, False, None),
        "list_instances": (True, None, None),
        "get_instance": (True, None, None),
        "deprovision_instance": (False, True, True),
    }
    assert all(tool.description and tool.output_schema for tool in tools.values())


def test_arguments_should_be_told_whole_when_tools_are_listed(mcp_client: Any) -> None:
    tools = mcp_client.tools()
    told = {
        name: {key: value for key, value in schema.items() if key != "title"}
        for tool in ("order_instance", "get_instance")
        for name, schema in tools[tool].input_schema["properties"].items()
    }
    assert told == {
        "name": {
            "type": "string",
            "minLength": 1,
            "description": "What the tenant calls the instance",
        },
        "size": {"type": "string", "description": "small, medium or large"},
        "idempotency_key": {
            "anyOf": [{"type": "string"}, {"type": "null"}],
            "default": None,
            "description": "Repeat an order with the same key to get it once",
        },
        "instance_id": {
            "type": "string",
            "format": "uuid",
            "description": "The id that order_instance returned",
        },
    }


def test_order_should_be_found_by_its_id_when_it_was_placed_by_a_tool(
    mcp_client: Any, unique_name: Callable[[], str]
) -> None:
    ordered = mcp_client.get("order_instance", name=unique_name(), size="small")

    found = mcp_client.get("get_instance", instance_id=ordered["id"])

    assert (found["id"], found["name"]) == (ordered["id"], ordered["name"])


def test_order_should_exist_once_when_it_is_repeated_with_its_key(
    mcp_client: Any, unique_name: Callable[[], str]
) -> None:
    order = {"name": unique_name(), "size": "small", "idempotency_key": str(uuid.uuid4())}

    first = mcp_client.get("order_instance", **order)
    second = mcp_client.get("order_instance", **order)

    assert first["id"] == second["id"]
    assert [each["id"] for each in mcp_client.get("list_instances")] == [first["id"]]


def test_order_should_be_a_tool_error_when_the_quota_is_reached(
    mcp_client: Any, unique_name: Callable[[], str]
) -> None:
    for _ in range(2):  # what a free tenant may have
        mcp_client.get("order_instance", name=unique_name(), size="small")

    result = mcp_client.call("order_instance", name=unique_name(), size="small")

    assert result.is_error
    assert "409" in text_of(result)
    assert "quota" in text_of(result).lower()
    assert len(mcp_client.get("list_instances")) == 2


def test_token_should_be_exchanged_once_when_an_agent_calls_several_tools(
    stack: Stack, mcp_client: Any, request: pytest.FixtureRequest
) -> None:
    began = datetime.now(UTC).isoformat(timespec="milliseconds")

    def exchanges() -> int:
        """Return how often a token was made for this test since it began."""
        lines = logged(stack["auth"], '"/token"')
        mine = [x for x in lines if x.get("nomock.test", "").endswith(request.node.name)]
        return len([line for line in mine if line["time"] >= began])

    for _ in range(3):
        assert mcp_client.get("list_instances") == []
    eventually(exchanges, within_s=SOON_S, reason="auth should log the exchange")
    assert exchanges() == 1


def test_instance_should_be_a_tool_error_when_it_does_not_exist(mcp_client: Any) -> None:
    result = mcp_client.call("get_instance", instance_id=str(uuid.uuid4()))

    assert result.is_error
    assert "404" in text_of(result)


@pytest.mark.parametrize("tool", ["get_instance", "deprovision_instance"])
def test_instance_should_not_be_found_when_it_belongs_to_another_tenant(
    connect_agent: Callable[..., Any],
    mcp_client: Any,
    make_tenant: Callable[..., Tenant],
    unique_name: Callable[[], str],
    tool: str,
) -> None:
    with connect_agent(make_tenant().new_token(resource="mcp")) as other:
        theirs = other.get("order_instance", name=unique_name(), size="small")

        result = mcp_client.call(tool, instance_id=theirs["id"])

        assert result.is_error
        assert "404" in text_of(result)
        assert other.get("get_instance", instance_id=theirs["id"])["state"] != "deprovisioned"
    assert mcp_client.get("list_instances") == []


def test_arguments_should_be_a_tool_error_when_they_do_not_fit_the_schema(mcp_client: Any) -> None:
    result = mcp_client.call("get_instance", instance_id="not a uuid")

    assert result.is_error
    assert "instance_id" in text_of(result)


def test_tool_should_be_invalid_params_when_nobody_has_heard_of_it(mcp_client: Any) -> None:
    from mcp import MCPError

    with pytest.raises(MCPError, match="Unknown tool: explode") as caught:
        mcp_client.call("explode")

    assert caught.value.code == INVALID_PARAMS


def test_call_should_be_invalid_params_when_it_names_no_tool(session: RawSession) -> None:
    reply = session.request("tools/call", {"arguments": {}})

    assert message_of(reply)["error"]["code"] == INVALID_PARAMS


def test_calls_should_each_get_their_own_answer_when_one_session_sends_many_at_once(
    mcp_client: Any, unique_name: Callable[[], str]
) -> None:
    ids = [
        mcp_client.get("order_instance", name=unique_name(), size="small")["id"] for _ in range(2)
    ]
    asked = ids * 5

    with ThreadPoolExecutor(len(asked)) as pool:
        found = list(pool.map(lambda i: mcp_client.get("get_instance", instance_id=i), asked))

    assert [each["id"] for each in found] == asked


def test_sessions_should_each_see_their_own_tenant_when_many_are_open_at_once(
    connect_agent: Callable[..., Any],
    make_tenant: Callable[..., Tenant],
    unique_name: Callable[[], str],
) -> None:
    tenants = [make_tenant() for _ in range(4)]

    def order_and_list(tenant: Tenant) -> tuple[list[str], list[str]]:
        with connect_agent(tenant.new_token(resource="mcp")) as agent:
            ordered = agent.get("order_instance", name=unique_name(), size="small")
            return [ordered["id"]], [each["id"] for each in agent.get("list_instances")]

    with ThreadPoolExecutor(len(tenants)) as pool:
        for ordered, listed in pool.map(order_and_list, tenants):
            assert listed == ordered


# Who is let in


def test_door_should_name_its_metadata_when_a_request_brings_no_token(stack: Stack) -> None:
    reply = RawSession(stack["mcp"].http, None).request("initialize", initialize_params())

    assert reply.status_code == 401
    challenge = reply.headers["www-authenticate"]
    assert challenge.startswith("Bearer ")
    assert f'resource_metadata="http://mcp:8000{METADATA_PATH}"' in challenge


@pytest.mark.parametrize("path", [METADATA_PATH, METADATA_PATH.removesuffix("/mcp")])
def test_metadata_should_name_the_authorization_server_when_anybody_asks(
    stack: Stack, path: str
) -> None:
    metadata = stack["mcp"].http.get(path).json()

    assert metadata["resource"] == "http://mcp:8000/mcp"
    assert metadata["authorization_servers"] == ["http://auth:8000"]
    assert set(metadata["scopes_supported"]) == {"instances:read", "instances:write"}


def test_health_should_be_ok_when_asked_without_a_token(stack: Stack) -> None:
    reply = stack["mcp"].http.get("/health")

    assert (reply.status_code, reply.json()) == (200, {"status": "ok"})


def test_token_should_be_refused_when_it_was_made_for_another_audience(
    stack: Stack, tenant: Tenant
) -> None:
    caller = RawSession(stack["mcp"].http, tenant.token)

    reply = caller.request("initialize", initialize_params())

    assert reply.status_code == 401
    assert reply.json()["error"] == "invalid_token"


def test_token_should_be_refused_when_one_character_of_its_signature_was_changed(
    stack: Stack, mcp_token: str
) -> None:
    head, signature = mcp_token.rsplit(".", 1)
    forged = f"{head}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"

    reply = RawSession(stack["mcp"].http, forged).request("initialize", initialize_params())

    assert reply.status_code == 401


def test_session_should_be_closed_to_its_token_when_that_expires(
    stack: Stack, make_client: Callable[..., AuthClient], user: User
) -> None:
    def begin(lifetime_s: int) -> Callable[[], httpx.Response]:
        client = make_client(access_token_lifetime_s=lifetime_s)
        caller = RawSession(stack["mcp"].http, client.tokens(user, resource="mcp")["access_token"])
        caller.try_to_open()
        return lambda: caller.request("ping")

    assert answer_when_over(begin, lambda reply: reply.is_success).status_code == 401


def test_session_should_be_closed_to_its_token_when_that_is_revoked(
    session: RawSession, tenant: Tenant, mcp_token: str
) -> None:
    assert session.request("ping").status_code == 200

    assert tenant.client.post("/revoke", token=mcp_token).status_code == 200

    assert session.request("ping").status_code == 401


def test_token_should_be_insufficient_when_it_has_no_scope_to_read(
    stack: Stack, tenant: Tenant
) -> None:
    caller = RawSession(
        stack["mcp"].http, tenant.new_token(resource="mcp", scope="instances:write")
    )

    reply = caller.request("initialize", initialize_params())

    assert reply.status_code == 403
    assert reply.json()["error"] == "insufficient_scope"


def test_order_should_be_a_tool_error_when_the_token_may_only_read(
    connect_agent: Callable[..., Any], tenant: Tenant, unique_name: Callable[[], str]
) -> None:
    token = tenant.new_token(resource="mcp", scope="instances:read")
    with connect_agent(token) as agent:
        result = agent.call("order_instance", name=unique_name(), size="small")

        assert result.is_error
        assert "403" in text_of(result)
        assert agent.get("list_instances") == []


def test_request_should_be_forbidden_when_it_comes_from_a_page_of_another_origin(
    raw: RawSession,
) -> None:
    reply = raw.request(
        "initialize", initialize_params(), headers={"Origin": "http://evil.example"}
    )

    assert reply.status_code == 403


def test_request_should_be_misdirected_when_its_host_is_not_ours(raw: RawSession) -> None:
    reply = raw.request("initialize", initialize_params(), headers={"Host": "evil.example"})

    assert reply.status_code == 421
