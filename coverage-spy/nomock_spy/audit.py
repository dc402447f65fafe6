"""Python's audit events: https://docs.python.org/3/library/audit_events.html.

One hook for all that the spy listens to: a service that starts raises thousands of events, and
each hook is called for each.
"""

from __future__ import annotations

import sys

from nomock_spy.guard import swallow
from nomock_spy.hints import Callable

_handlers: dict[str, Callable[[tuple[object, ...]], None]] = {}


def listen(event: str, handle: Callable[[tuple[object, ...]], None]) -> None:
    """Have a function called with the arguments of each event of a name."""
    if not _handlers:
        sys.addaudithook(_on_event)
    _handlers[event] = handle


def _on_event(event: str, arguments: tuple[object, ...]) -> None:
    handle = _handlers.get(event)
    if handle is not None:
        try:
            handle(arguments)
        except BaseException as error:
            swallow(error)
