"""The application of Sanic, which is a server as well.

A line that runs for a request to ``/x`` and not at start-up ends with ``in: x``.
"""

import asyncio

from sanic import HTTPResponse, Request, Sanic, text
from steps import STEPS

app = Sanic("steps")


@app.get("/middle")
async def middle(request: Request) -> HTTPResponse:
    return text(str(STEPS[21]()))  # in: middle


@app.get("/hangs")
async def hangs(request: Request) -> None:
    response = await request.respond(content_type="text/plain")  # in: hangs
    await response.send(str(STEPS[23]()))  # in: hangs
    await asyncio.Event().wait()  # in: hangs later
