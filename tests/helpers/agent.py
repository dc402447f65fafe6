"""The official MCP client as an agent uses it: with a token, or logging in by itself.

Imported only by the fixtures that need it: the SDK takes a second to import.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
from anyio.from_thread import BlockingPortal, start_blocking_portal
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)
from mcp_types import CallToolResult, Tool
from pydantic import AnyUrl

from helpers.oauth import REDIRECT_URI, User, redirected
from helpers.waits import CLIENT_S
from nomock import Stack, trace_headers

INSIDE_URL = "http://mcp:8000/mcp"


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
        result: CallToolResult = self._portal.call(self.client.call_tool, tool, arguments)
        return result

    def get(self, tool: str, **arguments: Any) -> Any:
        """Call a tool that must succeed and return its structured result."""
        result = self.call(tool, **arguments)
        assert not result.is_error, [block.text for block in result.content if block.type == "text"]
        content = result.structured_content
        assert content is not None, f"{tool} returned no structured content"
        # The SDK wraps what is not an object, such as a list, into one.
        return content["result"] if set(content) == {"result"} else content


@contextmanager
def connect(url: str, token: str, mode: str) -> Iterator[Agent]:
    """Connect the official client to the server at `url`, the service's base address.

    `mode` is the SDK's: "legacy" opens a session by initialize, "auto" speaks the stateless
    version of the protocol when the server does.
    """
    headers = {"Authorization": f"Bearer {token}"}
    with _connected(f"{url}/mcp", mode, headers=headers) as agent:
        yield agent


@contextmanager
def log_in(stack: Stack, user: User, client_name: str) -> Iterator[Agent]:
    """Connect as an agent that knows only the server's address and finds out the rest.

    That is the SDK's own OAuth: a 401 leads it to the metadata, those to `auth`, where it
    registers itself under `client_name` and sends its user to log in.
    """
    answered: dict[str, str] = {}

    async def send_user(address: str) -> None:
        # What a browser does: the form repeats the request's parameters and adds the user's.
        form = dict(parse_qsl(urlsplit(address).query))
        form |= {"username": user.username, "password": user.password}
        answered.update(redirected(stack["auth"].http.post("/authorize", data=form)))

    async def receive_code() -> AuthorizationCodeResult:
        return AuthorizationCodeResult.model_validate(answered)

    metadata = OAuthClientMetadata(
        client_name=client_name,
        redirect_uris=[AnyUrl(REDIRECT_URI)],
        token_endpoint_auth_method="none",
    )
    oauth = OAuthClientProvider(INSIDE_URL, metadata, _Memory(), send_user, receive_code)
    with _connected(INSIDE_URL, "legacy", auth=oauth, transport=_FromOutside(stack)) as agent:
        yield agent


@contextmanager
def _connected(url: str, mode: str, **options: Any) -> Iterator[Agent]:
    @asynccontextmanager
    async def connected() -> AsyncIterator[Client]:
        hooks = {"request": [_mark]}
        async with (
            httpx2.AsyncClient(
                event_hooks=hooks, timeout=CLIENT_S, trust_env=False, **options
            ) as http,
            Client(streamable_http_client(url, http_client=http), mode=mode) as client,
        ):
            yield client

    with start_blocking_portal() as portal:
        manager = portal.wrap_async_context_manager(connected())
        client = manager.__enter__()
        try:
            yield Agent(portal, client)
        finally:
            # A failure of the test is none of the client's: through its task groups it would
            # come back as an exception group that hides the assertion.
            manager.__exit__(None, None, None)


class _FromOutside(httpx2.AsyncHTTPTransport):
    """Reaches services by the names they have inside the stack, as a user's DNS would."""

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self.stack = stack

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        published = httpx2.URL(self.stack[request.url.host].url)
        # A copy: the SDK sends the same request again once it has logged in.
        inside = httpx2.Request(
            request.method,
            request.url.copy_with(host=published.host, port=published.port),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return await super().handle_async_request(inside)


class _Memory:
    """Keeps what the SDK learns while it logs in."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


async def _mark(request: httpx2.Request) -> None:
    """Do for the SDK's HTTP client what the plugin does for `stack[...].http`."""
    request.headers.update(trace_headers(request.headers.get("baggage", "")))
