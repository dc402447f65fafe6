"""The application of Bottle.

A line that runs for a request to ``/x`` and not at start-up ends with ``in: x``.
"""

import threading
import time
from collections.abc import Iterator

from bottle import Bottle
from steps import STEPS

app = Bottle()
meetings: dict[str, threading.Barrier] = {}


@app.get("/steps/<meeting>/<parties:int>/<rounds:int>/<parts>")
def steps(meeting: str, parties: int, rounds: int, parts: str) -> str:
    everybody = meetings.setdefault(meeting, threading.Barrier(parties))  # in: steps
    total = 0  # in: steps
    for part in parts.split("!"):  # in: steps
        everybody.wait()  # in: steps
        for number in part.split(".") * rounds:  # in: steps
            total |= STEPS[int(number)]()  # in: steps
            time.sleep(0)  # in: steps
    return str(total)  # in: steps


@app.get("/middle")
def middle() -> str:
    return str(STEPS[21]())  # in: middle


@app.get("/hangs")
def hangs() -> Iterator[str]:
    yield str(STEPS[23]())  # in: hangs
    threading.Event().wait()  # in: hangs later
