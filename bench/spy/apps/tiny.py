"""An ASGI application that does next to nothing: what it costs beside that is the server's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any


async def app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Answer a request."""
    if scope["type"] != "http":
        return
    body = greeting(scope["path"])
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def greeting(path: str) -> bytes:
    """Return what the answer is."""
    words = ["hello"]
    for part in path.split("/"):
        if part:
            words.append(part)
    return " ".join(words).encode()
