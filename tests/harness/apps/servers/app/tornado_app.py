"""The application of Tornado, which is a server as well.

A line that runs for a request to ``/x`` and not at start-up ends with ``in: x``.
"""

import asyncio

from steps import STEPS
from tornado.web import Application, RequestHandler

meetings: dict[str, asyncio.Barrier] = {}


class Steps(RequestHandler):
    async def get(self, meeting: str, parties: str, rounds: str, parts: str) -> None:
        everybody = meetings.setdefault(meeting, asyncio.Barrier(int(parties)))  # in: steps
        total = 0  # in: steps
        for part in parts.split("!"):  # in: steps
            await everybody.wait()  # in: steps
            for number in part.split(".") * int(rounds):  # in: steps
                total |= STEPS[int(number)]()  # in: steps
                await asyncio.sleep(0)  # in: steps
        self.write(str(total))  # in: steps


class Middle(RequestHandler):
    async def get(self) -> None:
        self.write(str(STEPS[21]()))  # in: middle


class Hangs(RequestHandler):
    async def get(self) -> None:
        self.write(str(STEPS[23]()))  # in: hangs
        await self.flush()  # in: hangs
        await asyncio.Event().wait()  # in: hangs later


async def main() -> None:
    routes = [("/middle", Middle), ("/hangs", Hangs), ("/steps/(.+)/(.+)/(.+)/(.+)", Steps)]
    Application(routes).listen(8000, "0.0.0.0")
    print("serving")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
