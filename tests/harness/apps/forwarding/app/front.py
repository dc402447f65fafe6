"""The service that calls the other one, in the way that the path names."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl, unquote

from calls import ASYNCHRONOUS, BLOCKING, Request

BACK = ("127.0.0.1", 8001)


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    way = unquote(scope["path"]).strip("/")
    asked = parse_qsl(scope["query_string"].decode("latin-1"))
    request = Request(
        f"http://{BACK[0]}:{BACK[1]}" + dict(asked).get("path", "/"),
        [("Baggage", value) for key, value in asked if key == "baggage"],
        tuple(value.encode() for key, value in asked if key == "part"),
    )
    status, answer = 200, b""
    if way in BLOCKING:
        answer = await asyncio.to_thread(BLOCKING[way], request)
    elif way in ASYNCHRONOUS:
        answer = await ASYNCHRONOUS[way](request)
    else:
        status = 200 if way == "ready" and await ready() else 404
    await send({"type": "http.response.start", "status": status, "headers": []})
    await send({"type": "http.response.body", "body": answer})


async def ready() -> bool:
    """Tell whether the other service listens."""
    try:
        _, writer = await asyncio.open_connection(*BACK)
    except ConnectionError:
        return False
    writer.close()
    return True
