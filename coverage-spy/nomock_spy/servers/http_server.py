"""http.server of the standard library: a handler has a method for each kind of request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nomock_spy.activities import NO_TEST, Activity, begin, found_framework
from nomock_spy.guard import swallow
from nomock_spy.standins import replace

_ACTIVITY = "nomock_activity"


def install(module: Any) -> None:
    """Let BaseHTTPRequestHandler begin an activity when it has read a request's headers."""
    replace(module.BaseHTTPRequestHandler, "handle_one_request", _ending)
    replace(module.BaseHTTPRequestHandler, "parse_request", _beginning)


def _ending(handle: Any) -> Callable[..., Any]:
    def handle_and_end(self: Any, *arguments: Any, **named: Any) -> Any:
        vars(self)[_ACTIVITY] = NO_TEST
        try:
            return handle(self, *arguments, **named)
        finally:
            activity: Activity = vars(self).pop(_ACTIVITY, NO_TEST)
            activity.end()

    return handle_and_end


def _beginning(parse: Any) -> Callable[..., Any]:
    def parse_and_begin(self: Any, *arguments: Any, **named: Any) -> Any:
        is_one = parse(self, *arguments, **named)
        try:
            # Not of what has the interface of a server: werkzeug's has no methods of the app's.
            if is_one and _ACTIVITY in vars(self) and hasattr(type(self), f"do_{self.command}"):
                found_framework("http.server")
                # At once: it sends its answer itself.
                baggage = ",".join(self.headers.get_all("baggage", ()))
                vars(self)[_ACTIVITY] = begin(baggage, write_through=True)
        except BaseException as error:
            swallow(error)
        return is_one

    return parse_and_begin
