"""Tornado and Sanic: servers with a framework of their own, in which a coroutine has a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nomock_spy.activities import NO_TEST, begin, found_framework
from nomock_spy.guard import swallow
from nomock_spy.standins import check_is_async, replace


def install(module: Any) -> None:
    """Let the coroutine that has a request be an activity."""
    if module.__name__ == "tornado.web":
        replace(module.RequestHandler, "_execute", lambda run: _in_activity("tornado", run))
    else:
        # Not the application's own: Sanic compiles that anew from its source when it starts.
        replace(module.HttpProtocol, "__init__", _handing_on)


def _handing_on(init: Any) -> Callable[..., Any]:
    def init_and_hand_on(self: Any, *arguments: Any, **named: Any) -> None:
        init(self, *arguments, **named)
        try:
            self.request_handler = _in_activity("sanic", self.request_handler)
        except BaseException as error:
            swallow(error)

    return init_and_hand_on


def _in_activity(framework: str, handle: Any) -> Callable[..., Any]:
    check_is_async(handle)

    async def handle_in_activity(first: Any, *arguments: Any, **named: Any) -> Any:
        activity = NO_TEST
        try:
            found_framework(framework)
            # At once: it sends its answer by ways of its own.
            activity = begin(_baggage(first), write_through=True)
        except BaseException as error:
            swallow(error)
        try:
            return await handle(first, *arguments, **named)
        finally:
            activity.end()

    return handle_in_activity


def _baggage(first: Any) -> str:
    """Return the header of a request of Sanic, or of that which a handler of Tornado has."""
    headers = getattr(first, "request", first).headers
    get_all = getattr(headers, "getall", None)
    return ",".join(get_all("baggage", ()) if get_all else headers.get_list("baggage"))
