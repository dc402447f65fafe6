"""Where each server lets its application be wrapped; one file a server, asgi and wsgi for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nomock_spy.activities import found_server
from nomock_spy.guard import swallow


def wrapped(server: str, wrap: Callable[[Any], Any], app: Any) -> Any:
    """Return a server's application with each request as an activity; as it is if that fails."""
    try:
        spied = wrap(app)
        found_server(server)
    except BaseException as error:
        swallow(error)
        return app
    return spied
