"""aiohttp.web: its server hands each request to one function, an application's or any."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nomock_spy.activities import begin
from nomock_spy.guard import swallow
from nomock_spy.servers import wrap_argument
from nomock_spy.standins import called_as

Handler = Callable[[Any], Awaitable[Any]]


def install(module: Any) -> None:
    """Wrap what aiohttp.web_server.Server is given."""
    wrap_argument("aiohttp", module.Server, "handler", _wrap)


def _wrap(handler: Handler) -> Handler:
    async def handled(request: Any) -> Any:
        # At once: a handler may send parts of its answer itself. The rest is sent behind it.
        activity = begin(_baggage(request), write_through=True)
        try:
            return await handler(request)
        finally:
            activity.end()

    spied: Handler = called_as(handler, handled)
    return spied


def _baggage(request: Any) -> str:
    try:
        return ",".join(request.headers.getall("baggage", ()))
    except BaseException as error:
        swallow(error)
        return ""
