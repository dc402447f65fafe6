"""Applications that speak ASGI: https://asgi.readthedocs.io/en/latest/specs/main.html."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeVar

from nomock_spy.activities import NO_TEST, Activity, begin
from nomock_spy.guard import swallow
from nomock_spy.standins import called_as

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
_Talk = TypeVar("_Talk", bound=Callable[..., Awaitable[Any]])


def wrap(app: Application) -> Application:
    """Return the application with each request and each websocket as an activity.

    However else it is called, it does what it does: a server finds out in this way whether it is
    a function that makes the application.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        # Direct: a websocket has no answer, and may never get or send anything.
        is_websocket = scope["type"] == "websocket"
        activity = begin(_baggage(scope), direct=is_websocket)
        if activity is not NO_TEST:
            send = _flushing(activity, send)
            if is_websocket:
                receive = _flushing(activity, receive)
        try:
            await app(scope, receive, send)
        finally:
            activity.end()

    def call(*arguments: Any, **named: Any) -> Any:
        if len(arguments) == 3 and not named and _is_served(arguments[0]):
            return serve(*arguments)
        return app(*arguments, **named)

    spied: Application = called_as(app, call)
    return spied


def _is_served(scope: Any) -> bool:
    try:
        return scope["type"] in ("http", "websocket")
    except (KeyError, TypeError):
        return False


def _flushing(activity: Activity, talk: _Talk) -> _Talk:
    """Return a ``send`` or ``receive`` that puts on disk what ran before it does anything."""

    async def talk_of_what_is_on_disk(*message: Message) -> Any:
        # Before every part of the answer: with a Content-Length the client has all of it
        # before the app says that this was all.
        activity.flush()
        return await talk(*message)

    try:
        flushing: _Talk = called_as(talk, talk_of_what_is_on_disk)
    except BaseException as error:
        swallow(error)
        return talk
    return flushing


def _baggage(scope: Scope) -> str:
    try:
        values = [value for name, value in scope["headers"] if name == b"baggage"]
        return b",".join(values).decode("latin-1")
    except BaseException as error:
        swallow(error)
        return ""
