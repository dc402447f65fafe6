"""The application of Litestar.

A line that runs for a request to ``/x`` and not at start-up ends with ``in: x``.
"""

import asyncio
from collections.abc import AsyncIterator

from litestar import Litestar, get
from litestar.response import Stream
from steps import STEPS

meetings: dict[str, asyncio.Barrier] = {}


@get("/steps/{meeting:str}/{parties:int}/{rounds:int}/{parts:str}", media_type="text/plain")
async def steps(meeting: str, parties: int, rounds: int, parts: str) -> str:
    everybody = meetings.setdefault(meeting, asyncio.Barrier(parties))  # in: steps
    total = 0  # in: steps
    for part in parts.split("!"):  # in: steps
        await everybody.wait()  # in: steps
        for number in part.split(".") * rounds:  # in: steps
            total |= STEPS[int(number)]()  # in: steps
            await asyncio.sleep(0)  # in: steps
    return str(total)  # in: steps


@get("/middle", media_type="text/plain")
async def middle() -> str:
    return str(STEPS[21]())  # in: middle


@get("/hangs")
async def hangs() -> Stream:
    async def parts() -> AsyncIterator[bytes]:  # in: hangs
        yield str(STEPS[23]()).encode()  # in: hangs
        await asyncio.Event().wait()  # in: hangs later

    return Stream(parts(), media_type="text/plain")  # in: hangs


app = Litestar([steps, middle, hangs])
