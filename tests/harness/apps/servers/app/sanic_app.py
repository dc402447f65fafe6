"""The application of Sanic, which is a server as well.

A line that runs for a request to ``/x`` and not at start-up ends with ``in: x``.
"""

import asyncio

from sanic import HTTPResponse, Request, Sanic, text
from steps import STEPS

app = Sanic("steps")
meetings: dict[str, asyncio.Barrier] = {}


@app.get("/steps/<meeting:str>/<parties:int>/<rounds:int>/<parts:str>")
async def steps(
    request: Request, meeting: str, parties: int, rounds: int, parts: str
) -> HTTPResponse:
    everybody = meetings.setdefault(meeting, asyncio.Barrier(parties))  # in: steps
    total = 0  # in: steps
    for part in parts.split("!"):  # in: steps
        await everybody.wait()  # in: steps
        for number in part.split(".") * rounds:  # in: steps
            total |= STEPS[int(number)]()  # in: steps
            await asyncio.sleep(0)  # in: steps
    return text(str(total))  # in: steps


@app.get("/middle")
async def middle(request: Request) -> HTTPResponse:
    return text(str(STEPS[21]()))  # in: middle


@app.get("/hangs")
async def hangs(request: Request) -> None:
    response = await request.respond(content_type="text/plain")  # in: hangs
    await response.send(str(STEPS[23]()))  # in: hangs
    await asyncio.Event().wait()  # in: hangs later
