"""The application of FastAPI.

A line that runs for a request to ``/x`` and not at start-up ends with ``in: x``.
"""

import asyncio
from collections.abc import AsyncIterator

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse, StreamingResponse
from steps import STEPS

app = FastAPI()
meetings: dict[str, asyncio.Barrier] = {}


@app.get("/steps/{meeting}/{parties}/{rounds}/{parts}")
async def steps(meeting: str, parties: int, rounds: int, parts: str) -> int:
    everybody = meetings.setdefault(meeting, asyncio.Barrier(parties))  # in: steps
    total = 0  # in: steps
    for part in parts.split("!"):  # in: steps
        await everybody.wait()  # in: steps
        for number in part.split(".") * rounds:  # in: steps
            total |= STEPS[int(number)]()  # in: steps
            await asyncio.sleep(0)  # in: steps
    return total  # in: steps


@app.get("/middle", response_class=PlainTextResponse)
def middle() -> str:
    return str(STEPS[21]())  # in: middle


@app.get("/hangs")
async def hangs() -> StreamingResponse:
    async def parts() -> AsyncIterator[str]:  # in: hangs
        yield str(STEPS[23]())  # in: hangs
        await asyncio.Event().wait()  # in: hangs later

    return StreamingResponse(parts())  # in: hangs
