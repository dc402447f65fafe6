"""httpcore, which sends what httpx is asked to.

Here rather than in httpx: a request of httpx's belongs to the service, which may send it again for
another test; httpcore has one of its own for each time, also for each redirect.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nomock_spy.clients import baggage_of_the_test
from nomock_spy.guard import swallow
from nomock_spy.standins import check_is_async, replace


def install(module: Any) -> None:
    """Let the pools of connections, of which proxies are a kind, complete the headers."""
    replace(module.ConnectionPool, "handle_request", _for_the_test)
    replace(module.AsyncConnectionPool, "handle_async_request", _for_the_test_async)


def _for_the_test(handle_request: Any) -> Callable[..., Any]:
    def handle_for_the_test(self: Any, request: Any, *arguments: Any, **named: Any) -> Any:
        return handle_request(self, _completed(request), *arguments, **named)

    return handle_for_the_test


def _for_the_test_async(handle_request: Any) -> Callable[..., Any]:
    check_is_async(handle_request)

    async def handle_for_the_test(self: Any, request: Any, *arguments: Any, **named: Any) -> Any:
        return await handle_request(self, _completed(request), *arguments, **named)

    return handle_for_the_test


def _completed(request: Any) -> Any:
    """Return the request, or another one like it with the baggage of the test."""
    try:
        headers = request.headers
        values = (value.decode("latin-1") for name, value in headers if _is_baggage(name))
        baggage = baggage_of_the_test(values)
        if baggage is None:
            return request
        completed = object.__new__(type(request))
        vars(completed).update(vars(request))
        others = [(name, value) for name, value in headers if not _is_baggage(name)]
        completed.headers = [*others, (b"baggage", baggage.encode("latin-1"))]
    except BaseException as error:
        swallow(error)
        return request
    return completed


def _is_baggage(name: bytes) -> bool:
    return name.lower() == b"baggage"
