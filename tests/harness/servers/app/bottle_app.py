"""The application of Bottle.

A line that runs for a request to ``/x`` and not at start-up ends with ``in: x``.
"""

import threading
from collections.abc import Iterator

from bottle import Bottle
from steps import STEPS

app = Bottle()


@app.get("/middle")
def middle() -> str:
    return str(STEPS[21]())  # in: middle


@app.get("/hangs")
def hangs() -> Iterator[str]:
    yield str(STEPS[23]())  # in: hangs
    threading.Event().wait()  # in: hangs later
