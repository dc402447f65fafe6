"""The application of aiohttp.web, which is a server as well.

A line that runs for a request to ``/x`` and not at start-up ends with ``in: x``.
"""

import asyncio

from aiohttp import web
from steps import STEPS

meetings: dict[str, asyncio.Barrier] = {}


async def steps(request: web.Request) -> web.Response:
    meeting, parties, rounds, parts = request.match_info.values()  # in: steps
    everybody = meetings.setdefault(meeting, asyncio.Barrier(int(parties)))  # in: steps
    total = 0  # in: steps
    for part in parts.split("!"):  # in: steps
        await everybody.wait()  # in: steps
        for number in part.split(".") * int(rounds):  # in: steps
            total |= STEPS[int(number)]()  # in: steps
            await asyncio.sleep(0)  # in: steps
    return web.Response(text=str(total))  # in: steps


async def middle(request: web.Request) -> web.Response:
    return web.Response(text=str(STEPS[21]()))  # in: middle


async def hangs(request: web.Request) -> None:
    response = web.StreamResponse()  # in: hangs
    await response.prepare(request)  # in: hangs
    await response.write(str(STEPS[23]()).encode())  # in: hangs
    await asyncio.Event().wait()  # in: hangs later


if __name__ == "__main__":
    app = web.Application()
    app.router.add_get("/steps/{meeting}/{parties}/{rounds}/{parts}", steps)
    app.router.add_get("/middle", middle)
    app.router.add_get("/hangs", hangs)
    web.run_app(app, port=8000)
