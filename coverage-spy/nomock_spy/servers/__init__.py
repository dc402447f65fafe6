"""Where each server lets its application be wrapped; one file a server, asgi and wsgi for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nomock_spy.activities import found_server
from nomock_spy.guard import swallow
from nomock_spy.standins import is_stand_in, replace, replace_argument


def wrapped(server: str, wrap: Callable[[Any], Any], app: Any) -> Any:
    """Return a server's application with each request as an activity; as it is if that fails."""
    try:
        spied = app if is_stand_in(app) else wrap(app)  # one server runs another
        if is_stand_in(spied):
            found_server(server)
    except BaseException as error:
        swallow(error)
        return app
    return spied


def wrap_argument(server: str, owner: Any, parameter: str, wrap: Callable[[Any], Any]) -> None:
    """Have a class of a server begin with its application wrapped: the parameter of that name.

    Raises AttributeError or ValueError where it has none.
    """
    replace_argument(owner, "__init__", parameter, lambda app: wrapped(server, wrap, app))


def wrap_what_is_loaded(
    server: str, owner: Any, load: str, attribute: str, wrap: Callable[[Any], Any]
) -> None:
    """Have a method of a server's class wrap the application that it has put in an attribute."""

    def make(load_app: Any) -> Callable[..., Any]:
        def load_and_wrap(self: Any, *arguments: Any, **named: Any) -> Any:
            result = load_app(self, *arguments, **named)
            app = getattr(self, attribute, None)
            if app is not None:
                setattr(self, attribute, wrapped(server, wrap, app))
            return result

        return load_and_wrap

    replace(owner, load, make)
