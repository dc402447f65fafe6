"""Applications that speak ASGI: https://asgi.readthedocs.io/en/latest/specs/main.html."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeVar

from nomock_spy.activities import NO_TEST, Activity, begin, found_framework
from nomock_spy.contexts import BACKGROUND, current
from nomock_spy.guard import swallow
from nomock_spy.standins import called_as, check_is_async

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

    def call(*arguments: Any, **named: Any) -> Any:
        if len(arguments) == 3 and not named and _is_served(arguments[0]):
            return _serve(app, *arguments)
        return app(*arguments, **named)

    spied: Application = called_as(app, call)
    return spied


def method(framework: str, call: Any) -> Callable[..., Any]:
    """Return a framework's ``__call__`` with what no server has begun as an activity.

    Raises TypeError where it is no coroutine function, or takes something else.
    """
    check_is_async(call)
    code = call.__code__
    if code.co_varnames[1 : code.co_argcount] != ("scope", "receive", "send"):
        raise TypeError(f"{call.__qualname__} takes something else than ASGI has")

    # It takes what that takes: uvicorn finds out by a wrong call whether it makes the application.
    async def call_in_activity(self: Any, scope: Any, receive: Any, send: Any) -> Any:
        if current.get() is BACKGROUND and _is_new(scope):
            found_framework(framework)
            return await _serve(lambda *three: call(self, *three), scope, receive, send)
        return await call(self, scope, receive, send)

    return call_in_activity


async def _serve(app: Application, scope: Scope, receive: Receive, send: Send) -> None:
    # At once: a websocket has no answer, and may never get or send anything.
    is_websocket = scope["type"] == "websocket"
    activity = begin(_baggage(scope), write_through=is_websocket)
    if activity is not NO_TEST:
        send = _flushing(activity, send)
        if is_websocket:
            receive = _flushing(activity, receive)
    try:
        await app(scope, receive, send)
    finally:
        activity.end()


def _is_served(scope: Any) -> bool:
    try:
        return scope["type"] in ("http", "websocket")
    except (KeyError, TypeError):
        return False


def _is_new(scope: Any) -> bool:
    return _is_served(scope) and bool(_baggage(scope))


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
