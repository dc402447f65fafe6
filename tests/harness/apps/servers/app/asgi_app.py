"""The application for servers that speak ASGI.

A line that runs for a request to ``/x`` and not at start-up ends with ``in: x``.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from steps import STEPS

meetings: dict[str, asyncio.Barrier] = {}
behind = {what: asyncio.Event() for what in ("background", "events", "websocket")}


async def steps(request: Request) -> Response:
    path = request.path_params  # in: steps
    everybody = meetings.setdefault(path["meeting"], asyncio.Barrier(path["parties"]))  # in: steps
    total = 0  # in: steps
    for part in path["parts"].split("!"):  # in: steps
        await everybody.wait()  # in: steps
        for number in part.split(".") * path["rounds"]:  # in: steps
            total |= STEPS[int(number)]()  # in: steps
            await asyncio.sleep(0)  # in: steps
    return JSONResponse(total)  # in: steps


async def stream(request: Request) -> Response:
    async def parts() -> AsyncIterator[str]:  # in: stream
        yield "one,"  # in: stream
        await asyncio.sleep(0)  # in: stream
        yield "two,"  # in: stream
        yield str(STEPS[20]())  # in: stream

    return StreamingResponse(parts())  # in: stream


async def middle(request: Request) -> Response:
    return PlainTextResponse(str(STEPS[21]()))  # in: middle


class Middle(BaseHTTPMiddleware):
    """Sends all of the content, and behind it a last part that is empty."""

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        return await call_next(request)  # in: middle


async def raises(request: Request) -> Response:
    raise LookupError(STEPS[22]())  # in: raises


async def hangs(request: Request) -> Response:
    async def parts() -> AsyncIterator[str]:  # in: hangs
        yield str(STEPS[23]())  # in: hangs
        await never()  # in: hangs later
        yield "never"

    return StreamingResponse(parts())  # in: hangs


async def thread(request: Request) -> Response:
    done: list[int] = []  # in: thread
    worker = threading.Thread(target=lambda: done.append(STEPS[24]()))  # in: thread
    worker.start()  # in: thread
    worker.join()  # in: thread
    return JSONResponse(done[0])  # in: thread


async def executor(request: Request) -> Response:
    loop = asyncio.get_running_loop()  # in: executor
    return JSONResponse(await loop.run_in_executor(None, STEPS[25]))  # in: executor


def pool(request: Request) -> Response:
    return JSONResponse(STEPS[26]())  # in: pool


async def never() -> None:
    await asyncio.Event().wait()  # in: never


async def background(request: Request) -> Response:
    async def task() -> None:  # in: background
        STEPS[27]()  # in: background
        behind["background"].set()  # in: background
        await never()  # in: background

    return PlainTextResponse("sent", background=BackgroundTask(task))  # in: background


async def events(request: Request) -> Response:
    async def parts() -> AsyncIterator[str]:  # in: events
        yield "sent"  # in: events
        STEPS[28]()  # in: events
        behind["events"].set()  # in: events
        await never()  # in: events

    return StreamingResponse(parts())  # in: events


async def websocket(socket: WebSocket) -> None:
    await socket.accept()  # in: websocket
    STEPS[29]()  # in: websocket
    behind["websocket"].set()  # in: websocket
    await never()  # in: websocket


async def ran(request: Request) -> Response:
    await behind[request.path_params["what"]].wait()  # in: ran
    return PlainTextResponse("ran")  # in: ran


app = Starlette(
    routes=[
        Route("/steps/{meeting}/{parties:int}/{rounds:int}/{parts}", steps),
        Route("/stream", stream),
        Route("/middle", middle, middleware=[Middleware(Middle)]),
        Route("/raises", raises),
        Route("/hangs", hangs),
        Route("/thread", thread),
        Route("/executor", executor),
        Route("/pool", pool),
        Route("/background", background),
        Route("/events", events),
        WebSocketRoute("/websocket", websocket),
        Route("/ran/{what}", ran),
    ]
)
