"""HTTP clients (httpx) whose requests say which test they belong to."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
from httpx import AsyncClient, Client

from nomock.baggage import BAGGAGE_HEADER, baggage_header
from nomock.tracecontext import TRACEPARENT_HEADER, traceparent_header

__all__ = [
    "NETWORK_ERRORS",
    "AsyncClient",
    "Client",
    "ask",
    "async_client",
    "client",
    "was_never_sent",
]

NETWORK_ERRORS = (httpx.HTTPError, OSError)
"""What is raised where no answer came; OSError by other clients than httpx."""

_BEFORE_SENDING = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    ConnectionRefusedError,
)

# Longer than any time-out a service should have: a test wants to see the service's own.
_TIMEOUT_S = 30.0
# Shorter than servers keep an idle connection, 5 s with uvicorn: where both end it at one moment,
# a request is sent into a connection that is closing, and gets no answer.
_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=2.0)


def was_never_sent(error: BaseException) -> bool:
    """Tell whether a request that ended with this error certainly never left."""
    return isinstance(error, _BEFORE_SENDING)


def _mark(request: httpx.Request) -> None:
    baggage = baggage_header(request.headers.get(BAGGAGE_HEADER, ""))
    if baggage:
        request.headers[BAGGAGE_HEADER] = baggage
    # A client of the test's own that traces knows its span better.
    if TRACEPARENT_HEADER not in request.headers and (traceparent := traceparent_header()):
        request.headers[TRACEPARENT_HEADER] = traceparent


def _nothing() -> None:
    pass


def client(base_url: str, *, on_request: Callable[[], None] = _nothing) -> Client:
    """Return a client of one service; redirects are not followed, cookies are its own.

    ``on_request`` is called before each request; it may wait.
    """

    def before(request: httpx.Request) -> None:
        on_request()
        _mark(request)

    return Client(
        base_url=base_url,
        timeout=_TIMEOUT_S,
        limits=_LIMITS,
        event_hooks={"request": [before]},
        trust_env=False,
    )


def async_client(base_url: str, *, on_request: Callable[[], None] = _nothing) -> AsyncClient:
    """Return an asyncio client whose requests carry the running test's id as baggage.

    It belongs to the event loop that first uses it.
    """

    async def before(request: httpx.Request) -> None:
        on_request()
        _mark(request)

    return AsyncClient(
        base_url=base_url,
        timeout=_TIMEOUT_S,
        limits=_LIMITS,
        event_hooks={"request": [before]},
        trust_env=False,
    )


def ask(method: str, url: str, body: object = None, *, timeout_s: float) -> tuple[int, str]:
    """Send JSON, or nothing, and return status and text, over a connection of its own.

    Raises TimeoutError where no answer came in time, ConnectionError where none will come.
    """
    # ASCII: the name of a test may hold what has no UTF-8.
    content = None if body is None else json.dumps(body)
    headers = {} if body is None else {"Content-Type": "application/json"}
    try:
        # `verify` would read all certificates of this machine, for a URL that is not https.
        reply = httpx.request(
            method,
            url,
            content=content,
            headers=headers,
            timeout=timeout_s,
            trust_env=False,
            verify=False,
        )
    except httpx.TimeoutException as error:
        raise TimeoutError(str(error)) from error
    except httpx.TransportError as error:
        raise ConnectionError(str(error)) from error
    return reply.status_code, reply.text
