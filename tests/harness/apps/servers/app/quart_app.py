"""The application of Quart.

A line that runs for a request to ``/x`` and not at start-up ends with ``in: x``.
"""

import asyncio
from collections.abc import AsyncIterator

from quart import Quart
from steps import STEPS

app = Quart(__name__)
meetings: dict[str, asyncio.Barrier] = {}


@app.get("/steps/<meeting>/<int:parties>/<int:rounds>/<parts>")
async def steps(meeting: str, parties: int, rounds: int, parts: str) -> str:
    everybody = meetings.setdefault(meeting, asyncio.Barrier(parties))  # in: steps
    total = 0  # in: steps
    for part in parts.split("!"):  # in: steps
        await everybody.wait()  # in: steps
        for number in part.split(".") * rounds:  # in: steps
            total |= STEPS[int(number)]()  # in: steps
            await asyncio.sleep(0)  # in: steps
    return str(total)  # in: steps


@app.get("/middle")
async def middle() -> str:
    return str(STEPS[21]())  # in: middle


@app.get("/hangs")
async def hangs() -> AsyncIterator[bytes]:
    async def parts() -> AsyncIterator[bytes]:  # in: hangs
        yield str(STEPS[23]()).encode()  # in: hangs
        await asyncio.Event().wait()  # in: hangs later

    return parts()  # in: hangs
