"""Each message of OAuth and MCP is as its standard says: what it demands, and what it allows."""

from typing import Any

import httpx
import mcp.types
import pytest
from helpers.mcp import RawSession, message_of
from helpers.oauth import AuthClient, Tenant, User, claims_of
from helpers.standards import (
    ACCESS_TOKEN_CLAIMS,
    ACCESS_TOKEN_HEADER,
    CLIENT,
    EXCHANGED,
    INTROSPECTION,
    KEY_SET,
    RESOURCE_METADATA,
    SERVER_METADATA,
    TOKEN_ERROR,
    TOKENS,
    Schema,
    breaches,
)
from pydantic import BaseModel

from nomock import Stack

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"


@pytest.mark.parametrize(
    ("service", "path", "schema"),
    [
        ("auth", "/.well-known/oauth-authorization-server", SERVER_METADATA),
        ("auth", "/jwks", KEY_SET),
        ("mcp", "/.well-known/oauth-protected-resource/mcp", RESOURCE_METADATA),
    ],
    ids=["RFC 8414", "RFC 7517", "RFC 9728"],
)
def test_document_should_be_as_its_standard_says_when_anybody_reads_it(
    stack: Stack, service: str, path: str, schema: Schema
) -> None:
    reply = stack[service].http.get(path)
    assert reply.headers["content-type"].partition(";")[0] in (
        "application/json",
        "application/jwk-set+json",
    )
    assert breaches(reply.json(), schema) == []


def test_registration_should_be_as_rfc_7591_says_when_a_client_is_read_again(
    confidential_client: AuthClient,
) -> None:
    assert breaches(confidential_client.registration, CLIENT) == []
    assert breaches(confidential_client.manage("GET").json(), CLIENT) == []


def test_tokens_should_be_as_rfc_6749_says_when_they_are_issued_and_refreshed(
    auth_client: AuthClient, user: User
) -> None:
    issued = auth_client.tokens(user)
    assert breaches(issued, TOKENS) == []
    reply = auth_client.refresh(issued["refresh_token"])
    assert breaches(reply.json(), TOKENS) == []
    assert reply.headers["cache-control"] == "no-store"  # RFC 6749, section 5.1


def test_access_token_should_be_as_rfc_9068_says_when_it_is_issued(tenant: Tenant) -> None:
    assert breaches(claims_of(tenant.token, part=0), ACCESS_TOKEN_HEADER) == []
    assert breaches(claims_of(tenant.token), ACCESS_TOKEN_CLAIMS) == []


def test_exchanged_token_should_be_as_rfc_8693_says_when_a_service_asks_for_it(
    stack: Stack, tenant: Tenant
) -> None:
    service = AuthClient(stack["auth"], {"client_id": "mcp", "client_secret": "mcp-client-secret"})
    reply = service.post(
        "/token",
        grant_type=EXCHANGE,
        subject_token=tenant.new_token(resource="mcp"),
        subject_token_type=ACCESS_TOKEN,
        audience="instances",
    )
    assert breaches(reply.json(), EXCHANGED) == []
    assert breaches(claims_of(reply.json()["access_token"]), ACCESS_TOKEN_CLAIMS) == []


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"grant_type": "password"},
        {"grant_type": "authorization_code", "code": "nonsense", "code_verifier": "short"},
        {"grant_type": "refresh_token", "refresh_token": 'näh\n"\\'},
        {"grant_type": "refresh_token", "refresh_token": "nobody's", "client_id": "nobody"},
    ],
    ids=["nothing", "unknown grant", "unknown code", "odd characters", "unknown client"],
)
def test_refusal_should_be_as_rfc_6749_says_when_a_token_request_is_wrong(
    auth_client: AuthClient, form: dict[str, str | None]
) -> None:
    reply = auth_client.post("/token", **form)
    assert breaches(reply.json(), TOKEN_ERROR) == []
    is_client = reply.json()["error"] == "invalid_client"
    assert reply.status_code in ({400, 401} if is_client else {400})


def test_introspection_should_be_as_rfc_7662_says_when_a_token_is_active_or_not(
    confidential_client: AuthClient, user: User
) -> None:
    token = confidential_client.tokens(user)["access_token"]
    active = confidential_client.post("/introspect", token=token).json()
    assert (active["active"], breaches(active, INTROSPECTION)) == (True, [])
    unknown = confidential_client.post("/introspect", token="nonsense").json()
    assert (unknown["active"], breaches(unknown, INTROSPECTION)) == (False, [])


# MCP: the models are the official SDK's, made of the schema that the specification publishes.


@pytest.fixture
def session(stack: Stack, mcp_token: str) -> RawSession:
    """A caller with a good token, without a session yet."""
    return RawSession(stack["mcp"].http, mcp_token)


def as_published(reply: httpx.Response, model: type[BaseModel]) -> dict[str, Any]:
    """Return the result in a reply; it has nothing that the model does not name."""
    message = message_of(reply)
    mcp.types.JSONRPCResponse.model_validate(message)
    result: dict[str, Any] = message["result"]
    again = model.model_validate(result).model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert again == result
    return result


def test_messages_should_be_as_mcp_publishes_them_when_a_session_is_used(
    session: RawSession,
) -> None:
    as_published(session.try_to_open(), mcp.types.InitializeResult)
    assert session.notify("notifications/initialized").status_code == 202
    as_published(session.request("ping"), mcp.types.EmptyResult)
    tools = as_published(session.request("tools/list"), mcp.types.ListToolsResult)["tools"]
    assert {tool["inputSchema"]["type"] for tool in tools} == {"object"}
    called = session.request("tools/call", {"name": "list_instances", "arguments": {}})
    as_published(called, mcp.types.CallToolResult)
    wrong = {"name": "get_instance", "arguments": {"instance_id": "nonsense"}}
    result = as_published(session.request("tools/call", wrong), mcp.types.CallToolResult)
    assert result["isError"] is True
    assert session.close().status_code == 200


@pytest.mark.parametrize(
    ("method", "params"),
    [("tools/fly", None), ("tools/call", {"arguments": 1}), ("tools/call", {"name": "no_tool"})],
    ids=["unknown method", "wrong params", "unknown tool"],
)
def test_error_should_be_as_json_rpc_says_when_a_request_is_wrong(
    session: RawSession, method: str, params: dict[str, Any] | None
) -> None:
    with session:
        message = message_of(session.request(method, params))
    error = mcp.types.JSONRPCError.model_validate(message)
    assert set(message) == {"jsonrpc", "id", "error"}
    assert set(message["error"]) <= {"code", "message", "data"}
    assert error.error.message
