"""HTTP clients (httpx) whose requests say which test they belong to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

import httpx
from httpx import AsyncClient, Client

from nomock.adapters.exchanges import Body, Exchange, Headers, begin_exchange
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
    "was_refused_here",
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


def was_refused_here(error: BaseException) -> bool:
    """Tell whether a request never left, since HTTP has no way to write it down."""
    return isinstance(
        error, (httpx.LocalProtocolError, httpx.InvalidURL, httpx.UnsupportedProtocol)
    )


def _mark(request: httpx.Request) -> None:
    baggage = baggage_header(request.headers.get(BAGGAGE_HEADER, ""))
    if baggage:
        request.headers[BAGGAGE_HEADER] = baggage
    # A client of the test's own that traces knows its span better.
    if TRACEPARENT_HEADER not in request.headers and (traceparent := traceparent_header()):
        request.headers[TRACEPARENT_HEADER] = traceparent


def _nothing() -> None:
    pass


Answered = Callable[[int, bytes], None]
Sending = Callable[[str, str, bytes], Answered | None]
"""Called with a request's method, path and body before it leaves; what it returns, if anything, is
called with the status and the body of the answer."""


def _unseen(method: str, path: str, body: bytes) -> Answered | None:
    return None


class _Client(Client):
    """Writes its exchanges down, for the evidence of a test that fails."""

    def send(self, request: httpx.Request, **how: Any) -> httpx.Response:
        """Send a request, as httpx does."""
        try:
            response = super().send(request, **how)
        except BaseException as error:
            _failed(request, error)
            raise
        _ended(response)
        return response


class _AsyncClient(AsyncClient):
    """The same in an event loop."""

    async def send(self, request: httpx.Request, **how: Any) -> httpx.Response:
        """Send a request, as httpx does."""
        try:
            response = await super().send(request, **how)
        except BaseException as error:
            _failed(request, error)
            raise
        _ended(response)
        return response


_ANSWERED = "nomock_answered"
"""Where a request keeps who is to hear the answer."""
_EXCHANGE = "nomock_exchange"
"""Where a request keeps its exchange, among the extensions of httpx."""


# A form with files is a stream to httpx. One that is short is read, so that it is seen, and so are
# the secrets in it; it is sent from memory then.
_MOST_READ_BYTES = 1024 * 1024


def _is_short_form(request: httpx.Request) -> bool:
    kind = request.headers.get("Content-Type", "")
    length = request.headers.get("Content-Length", "")
    is_short = length.isdecimal() and int(length) <= _MOST_READ_BYTES
    return is_short and kind.startswith("multipart/form-data")


def _begin(request: httpx.Request) -> None:
    try:
        body = Body.of(request.content)
    except httpx.RequestNotRead:
        body = Body()
    headers = _pairs(request.headers)
    request.extensions[_EXCHANGE] = begin_exchange(request.method, str(request.url), headers, body)


def _answered(response: httpx.Response) -> None:
    exchange = response.request.extensions.get(_EXCHANGE)
    if isinstance(exchange, Exchange):
        exchange.answered_s = monotonic()
        exchange.status = response.status_code
        exchange.answer_headers = _pairs(response.headers)
        exchange.answer = Body()


def _ended(response: httpx.Response) -> None:
    """Keep the bodies, also of the redirects that led there; a stream has none here."""
    for part in (*response.history, response):
        exchange = part.request.extensions.get(_EXCHANGE)
        if isinstance(exchange, Exchange) and part.is_stream_consumed:
            exchange.ended_s = exchange.began_s + part.elapsed.total_seconds()
            exchange.answer = Body.of(part.content)
    answered = response.request.extensions.get(_ANSWERED)
    if answered is not None and response.is_stream_consumed:
        answered(response.status_code, response.content)


def _before(request: httpx.Request, on_send: Sending) -> None:
    """Do what comes before a request leaves; its body is read, if it is to be."""
    _begin(request)
    try:
        body = request.content
    except httpx.RequestNotRead:
        body = b""
    if answered := on_send(request.method, request.url.path, body):
        request.extensions[_ANSWERED] = answered


def _failed(request: httpx.Request, error: BaseException) -> None:
    """Write down why there is no answer; of several, after a redirect, for the last request."""
    last = getattr(error, "_request", None) or request
    exchange = last.extensions.get(_EXCHANGE)
    if isinstance(exchange, Exchange):
        exchange.ended_s = monotonic()
        exchange.error = f"{type(error).__name__}: {error}".rstrip(": ")


def _pairs(headers: httpx.Headers) -> Headers:
    return tuple(headers.multi_items())


_USUAL: dict[str, Any] = {"timeout": _TIMEOUT_S, "limits": _LIMITS, "trust_env": False}


def client(
    base_url: str,
    *,
    on_request: Callable[[], None] = _nothing,
    on_send: Sending = _unseen,
    **options: Any,
) -> Client:
    """Return a client of one service; redirects are not followed, cookies are its own.

    ``on_request`` is called before each request; it may wait. ``on_send`` is called with what it
    is, and an error of it keeps it from leaving. ``options`` are those of httpx.
    """

    def before(request: httpx.Request) -> None:
        on_request()
        _mark(request)
        if _is_short_form(request):
            request.read()
        _before(request, on_send)

    hooks = _hooks(options.pop("event_hooks", None), before, _answered)
    return _Client(base_url=base_url, event_hooks=hooks, **{**_USUAL, **options})


def async_client(
    base_url: str,
    *,
    on_request: Callable[[], None] = _nothing,
    on_send: Sending = _unseen,
    **options: Any,
) -> AsyncClient:
    """Return an asyncio client whose requests carry the running test's id as baggage.

    It belongs to the event loop that first uses it.
    """

    async def before(request: httpx.Request) -> None:
        on_request()
        _mark(request)
        if _is_short_form(request):
            await request.aread()
        _before(request, on_send)

    async def after(response: httpx.Response) -> None:
        _answered(response)

    hooks = _hooks(options.pop("event_hooks", None), before, after)
    return _AsyncClient(base_url=base_url, event_hooks=hooks, **{**_USUAL, **options})


def _hooks(theirs: Mapping[str, list[Any]] | None, before: Any, after: Any) -> dict[str, list[Any]]:
    """Return the hooks of a client: a request is written down as the user's own have left it."""
    theirs = theirs or {}
    return {
        "request": [*theirs.get("request", ()), before],
        "response": [after, *theirs.get("response", ())],
    }


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
