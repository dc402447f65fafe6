"""MCP from a test: the official client for what users do, raw JSON-RPC for what they must not."""

import itertools
import json
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import Any, Self

import httpx
import httpx2
from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, Tool

from nomock.context import BAGGAGE_HEADER, current_test, with_test

PATH = "/mcp"
VERSION = "2025-11-25"
ACCEPT = "application/json, text/event-stream"

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602


class Agent:
    """The official SDK client, connected; its methods block, so that any test can use them."""

    def __init__(self, portal: BlockingPortal, client: Client) -> None:
        self._portal = portal
        self.client = client

    def tools(self) -> dict[str, Tool]:
        """Return the server's tools by name."""
        return {tool.name: tool for tool in self._portal.call(self.client.list_tools).tools}

    def call(self, tool: str, **arguments: Any) -> CallToolResult:
        """Call a tool; a JSON-RPC error is raised as the SDK's `MCPError`."""
        return self._portal.call(self.client.call_tool, tool, arguments)

    def get(self, tool: str, **arguments: Any) -> Any:
        """Call a tool that must succeed and return its structured result."""
        result = self.call(tool, **arguments)
        assert not result.is_error, text_of(result)
        content = result.structured_content
        assert content is not None, f"{tool} returned no structured content"
        # The SDK wraps what is not an object, such as a list, into one.
        return content["result"] if set(content) == {"result"} else content


def text_of(result: CallToolResult) -> str:
    """Return what a tool call says to the agent."""
    return "\n".join(block.text for block in result.content if block.type == "text")


@contextmanager
def connect(url: str, token: str, mode: str = "legacy") -> Iterator[Agent]:
    """Connect the official client to the server at `url`, the service's base address.

    `mode` is the SDK's: "legacy" opens a session by initialize, "auto" speaks the stateless
    version of the protocol when the server does.
    """
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(_connected(url, token, mode)) as client,
    ):
        yield Agent(portal, client)


@asynccontextmanager
async def _connected(url: str, token: str, mode: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    hooks = {"request": [_mark]}
    async with (
        httpx2.AsyncClient(headers=headers, event_hooks=hooks, timeout=20) as http,
        Client(streamable_http_client(url + PATH, http_client=http), mode=mode) as client,
    ):
        yield client


async def _mark(request: httpx2.Request) -> None:
    """Do for the SDK's HTTP client what the plugin does for `stack[...].http`."""
    baggage = with_test(request.headers.get(BAGGAGE_HEADER, ""), current_test())
    request.headers[BAGGAGE_HEADER] = baggage


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
        reply = self.request("initialize", initialize_params(version))
        assert reply.status_code == 200, reply.text
        self.headers |= {
            "Mcp-Session-Id": reply.headers["mcp-session-id"],
            "MCP-Protocol-Version": version,
        }
        assert self.notify("notifications/initialized").status_code == 202
        return message_of(reply)["result"]

    def close(self) -> httpx.Response:
        """End the session."""
        return self.http.delete(PATH, headers=self.headers)

    def send(self, body: bytes, **headers: str) -> httpx.Response:
        """Post a body as it is."""
        return self.http.post(PATH, content=body, headers=self.headers | headers)

    def request(
        self, method: str, params: dict[str, Any] | None = None, **headers: str
    ) -> httpx.Response:
        """Post a request with an id of its own."""
        message = {"jsonrpc": "2.0", "id": next(self._ids), "method": method}
        if params is not None:
            message["params"] = params
        return self.send(json.dumps(message).encode(), **headers)

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
    if reply.headers["content-type"].startswith("text/event-stream"):
        lines = [line for line in reply.text.splitlines() if line.startswith("data:")]
        assert len(lines) == 1, reply.text
        return json.loads(lines[0].removeprefix("data:"))
    return reply.json()


def error_of(reply: httpx.Response) -> tuple[int, int]:
    """Return the HTTP status and the JSON-RPC error code of a reply."""
    return reply.status_code, message_of(reply)["error"]["code"]
