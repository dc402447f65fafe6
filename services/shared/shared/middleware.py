"""ASGI middleware that logs each request and keeps its baggage."""

import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from shared import baggage

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

log = logging.getLogger("requests")


class RequestLog:
    """One log line a request, with method, path, status and duration; health checks have none."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        values = [v.decode("latin-1") for k, v in scope["headers"] if k == b"baggage"]
        baggage.current.set(",".join(values))
        started = time.perf_counter()
        status = 500

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watch)
        finally:
            if scope["path"] != "/health":
                duration_ms = round((time.perf_counter() - started) * 1000, 1)
                fields = {"method": scope["method"], "path": scope["path"], "status": status}
                log.info("request", extra={**fields, "duration_ms": duration_ms})
