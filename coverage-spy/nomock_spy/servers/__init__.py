"""Where each server lets its application be wrapped; one file a server, asgi and wsgi for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nomock_spy.activities import found_server
from nomock_spy.guard import swallow
from nomock_spy.standins import is_stand_in, replace


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

    def make(initialize: Any) -> Callable[..., Any]:
        code = initialize.__code__
        at = code.co_varnames[: code.co_argcount].index(parameter)

        def initialize_with_wrapped(*arguments: Any, **named: Any) -> Any:
            if parameter in named:
                named[parameter] = wrapped(server, wrap, named[parameter])
            elif len(arguments) > at:
                app = wrapped(server, wrap, arguments[at])
                arguments = (*arguments[:at], app, *arguments[at + 1 :])
            return initialize(*arguments, **named)

        return initialize_with_wrapped

    replace(owner, "__init__", make)


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
