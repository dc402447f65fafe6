"""Applications that speak ASGI: https://asgi.readthedocs.io/en/latest/specs/main.html."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from nomock_spy.activities import begin
from nomock_spy.guard import swallow

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def wrap(app: Application) -> Application:
    """Return the application with each request and each websocket as an activity."""
    if getattr(app, "nomock_spied", False):  # one server runs another: gunicorn uvicorn's
        return app

    async def spied(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await app(scope, receive, send)
            return
        activity = begin(_baggage(scope))

        async def send_what_is_on_disk(message: Message) -> None:
            # Before every part of the answer: with a Content-Length the client has all of it
            # before the app says that this was all.
            activity.flush()
            await send(message)

        try:
            await app(scope, receive, send_what_is_on_disk)
        finally:
            activity.end()

    spied.nomock_spied = True  # type: ignore[attr-defined]
    return spied


def _baggage(scope: Scope) -> str:
    try:
        values = [value for name, value in scope["headers"] if name == b"baggage"]
        return b",".join(values).decode("latin-1")
    except BaseException as error:
        swallow(error)
        return ""
