"""MCP from a test: raw JSON-RPC over HTTP, and the fixtures that connect the official client."""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

import httpx
import pytest

from helpers.oauth import Tenant
from nomock import Stack

PATH = "/mcp"
VERSION = "2025-11-25"
ACCEPT = "application/json, text/event-stream"

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602


@pytest.fixture
def mcp_token(tenant: Tenant) -> str:
    """Return the token that the tenant's agent shows to `mcp`."""
    return tenant.new_token(resource="mcp")


@pytest.fixture
def connect_agent(stack: Stack) -> Callable[..., AbstractContextManager[Any]]:
    """Return a function that connects the official client, with a token."""
    from helpers import agent  # slow to import, so only for the tests that use it

    return lambda token, mode="legacy": agent.connect(stack["mcp"].url, token, mode)


@pytest.fixture
def mcp_client(
    connect_agent: Callable[..., AbstractContextManager[Any]], mcp_token: str
) -> Iterator[Any]:
    """Return the official client (`helpers.agent.Agent`) in a session of its own."""
    with connect_agent(mcp_token) as agent:
        yield agent


class RawSession:
    """JSON-RPC messages over plain HTTP, for what a well-behaved client never sends."""

    def __init__(self, http: httpx.Client, token: str | None) -> None:
        self.http = http
        self.headers = {"Accept": ACCEPT, "Content-Type": "application/json"}
        if token is not None:
            self.headers["Authorization"] = f"Bearer {token}"
        self._ids = itertools.count(1)

    def open(self, version: str = VERSION) -> dict[str, Any]:
        """Initialize a session, use it from now on and return the server's result."""
        reply = self.try_to_open(version)
        assert reply.status_code == 200, reply.text
        assert self.notify("notifications/initialized").status_code == 202
        result: dict[str, Any] = message_of(reply)["result"]
        return result

    def try_to_open(self, version: str = VERSION) -> httpx.Response:
        """Ask for a session, and use it from now on where there is one."""
        reply = self.request("initialize", initialize_params(version))
        if reply.is_success:
            self.headers |= {
                "Mcp-Session-Id": reply.headers["mcp-session-id"],
                "MCP-Protocol-Version": version,
            }
        return reply

    def close(self) -> httpx.Response:
        """End the session."""
        return self.http.delete(PATH, headers=self.headers)

    def send(self, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        """Post a body as it is."""
        return self.http.post(PATH, content=body, headers=self.headers | (headers or {}))

    def request(
        self,
        method: str,
        params: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """Post a request with an id of its own."""
        message = {"jsonrpc": "2.0", "id": next(self._ids), "method": method}
        if params is not None:
            message["params"] = params
        return self.send(json.dumps(message).encode(), headers)

    def notify(self, method: str) -> httpx.Response:
        """Post a notification, which has no id and gets no answer."""
        return self.send(json.dumps({"jsonrpc": "2.0", "method": method}).encode())

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # A test may have ended the session, or the token, itself.
        assert self.close().status_code in (200, 401, 404)


def initialize_params(version: str = VERSION) -> dict[str, Any]:
    """Return the params of an initialize request."""
    return {
        "protocolVersion": version,
        "capabilities": {},
        "clientInfo": {"name": "TEST raw", "version": "1"},
    }


def message_of(reply: httpx.Response) -> dict[str, Any]:
    """Return the JSON-RPC message in a reply, whether it came as JSON or as a stream of one."""
    body = reply.text
    if reply.headers["content-type"].startswith("text/event-stream"):
        lines = [line for line in body.splitlines() if line.startswith("data:")]
        assert len(lines) == 1, body
        body = lines[0].removeprefix("data:")
    message: dict[str, Any] = json.loads(body)
    return message


def error_of(reply: httpx.Response) -> tuple[int, int | None]:
    """Return the HTTP status and the JSON-RPC error code of a reply, None for a result."""
    return reply.status_code, message_of(reply).get("error", {}).get("code")


def text_of(result: Any) -> str:
    """Return what a tool call says to the agent."""
    return "\n".join(block.text for block in result.content if block.type == "text")
