"""The service that is called: a step of its own for each way, and what it was sent."""

from __future__ import annotations

import json
import sys
from typing import Any
from urllib.parse import unquote

STEPS = {
    "http.client": lambda: 1,  # by: http.client
    "putrequest": lambda: 2,  # by: putrequest
    "urllib": lambda: 3,  # by: urllib
    "urllib3": lambda: 4,  # by: urllib3
    "requests": lambda: 5,  # by: requests
    "httpx": lambda: 6,  # by: httpx
    "async httpx": lambda: 7,  # by: async httpx
    "aiohttp": lambda: 8,  # by: aiohttp
}


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    kind, _, way = unquote(scope["path"]).strip("/").partition("/")
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    if kind == "redirect":
        headers = [(b"location", b"/answer/" + way.encode())]
        await send({"type": "http.response.start", "status": 307, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    if kind == "job":
        sys.audit("nomock.context", "nomock.test=tests%2Ftest_a.py%3A%3Athe_job")
        done = "job"  # by: the job
        sys.audit("nomock.context", "")
        assert done == "job"
    STEPS[way]()
    baggage = [value.decode("latin-1") for name, value in scope["headers"] if name == b"baggage"]
    answer = {"baggage": baggage, "body": body.decode(), "client": scope["client"][1]}
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(answer).encode()})
