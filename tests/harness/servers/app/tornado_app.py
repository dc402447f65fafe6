"""The application of Tornado, which is a server as well.

A line that runs for a request to ``/x`` and not at start-up ends with ``in: x``.
"""

import asyncio

from steps import STEPS
from tornado.web import Application, RequestHandler


class Middle(RequestHandler):
    async def get(self) -> None:
        self.write(str(STEPS[21]()))  # in: middle


class Hangs(RequestHandler):
    async def get(self) -> None:
        self.write(str(STEPS[23]()))  # in: hangs
        await self.flush()  # in: hangs
        await asyncio.Event().wait()  # in: hangs later


async def main() -> None:
    Application([("/middle", Middle), ("/hangs", Hangs)]).listen(8000, "0.0.0.0")
    print("serving")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
