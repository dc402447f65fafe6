"""The application of Quart.

A line that runs for a request to ``/x`` and not at start-up ends with ``in: x``.
"""

import asyncio
from collections.abc import AsyncIterator

from quart import Quart
from steps import STEPS

app = Quart(__name__)


@app.get("/middle")
async def middle() -> str:
    return str(STEPS[21]())  # in: middle


@app.get("/hangs")
async def hangs() -> AsyncIterator[bytes]:
    async def parts() -> AsyncIterator[bytes]:  # in: hangs
        yield str(STEPS[23]()).encode()  # in: hangs
        await asyncio.Event().wait()  # in: hangs later

    return parts()  # in: hangs
