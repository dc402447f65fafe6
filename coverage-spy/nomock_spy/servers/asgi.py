"""Applications that speak ASGI: https://asgi.readthedocs.io/en/latest/specs/main.html."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from nomock_spy.activities import NO_TEST, Activity, begin
from nomock_spy.guard import swallow
from nomock_spy.standins import called_as

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def wrap(app: Application) -> Application:
    """Return the application with each request and each websocket as an activity.

    However else it is called, it does what it does: a server finds out in this way whether it is
    a function that makes the application.
    """

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        activity = begin(_baggage(scope))
        try:
            await app(scope, receive, send if activity is NO_TEST else _flushing(activity, send))
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


def _flushing(activity: Activity, send: Send) -> Send:
    async def send_what_is_on_disk(message: Message) -> None:
        # Before every part of the answer: with a Content-Length the client has all of it
        # before the app says that this was all.
        activity.flush()
        await send(message)

    try:
        flushing: Send = called_as(send, send_what_is_on_disk)
    except BaseException as error:
        swallow(error)
        return send
    return flushing


def _baggage(scope: Scope) -> str:
    try:
        values = [value for name, value in scope["headers"] if name == b"baggage"]
        return b",".join(values).decode("latin-1")
    except BaseException as error:
        swallow(error)
        return ""
