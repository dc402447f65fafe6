"""The application for servers that speak WSGI.

A line that runs for a request to ``/x`` and not at start-up ends with ``in: x``.
"""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from flask import Flask, Response, jsonify
from steps import STEPS

app = Flask(__name__)
meetings: dict[str, threading.Barrier] = {}
workers = ThreadPoolExecutor(1)
behind = {what: threading.Event() for what in ("closing", "events")}


@app.get("/steps/<meeting>/<int:parties>/<int:rounds>/<parts>")
def steps(meeting: str, parties: int, rounds: int, parts: str) -> Response:
    everybody = meetings.setdefault(meeting, threading.Barrier(parties))  # in: steps
    total = 0  # in: steps
    for part in parts.split("!"):  # in: steps
        everybody.wait()  # in: steps
        for number in part.split(".") * rounds:  # in: steps
            total |= STEPS[int(number)]()  # in: steps
            time.sleep(0)  # in: steps
    return jsonify(total)  # in: steps


@app.get("/stream")
def stream() -> Response:
    def parts() -> Iterator[str]:  # in: stream
        yield "one,"  # in: stream
        yield "two,"  # in: stream
        yield str(STEPS[20]())  # in: stream

    return Response(parts())  # in: stream


@app.get("/middle")
def middle() -> Response:
    content = str(STEPS[21]())  # in: middle
    parts = (part for part in content)  # in: middle
    return Response(parts, headers={"Content-Length": str(len(content))})  # in: middle


@app.get("/raises")
def raises() -> Response:
    raise LookupError(STEPS[22]())  # in: raises


@app.get("/hangs")
def hangs() -> Response:
    def parts() -> Iterator[str]:  # in: hangs
        yield str(STEPS[23]())  # in: hangs
        never()  # in: hangs later
        yield "never"

    return Response(parts())  # in: hangs


@app.get("/thread")
def thread() -> Response:
    done: list[int] = []  # in: thread
    worker = threading.Thread(target=lambda: done.append(STEPS[24]()))  # in: thread
    worker.start()  # in: thread
    worker.join()  # in: thread
    return jsonify(done[0])  # in: thread


@app.get("/executor")
def executor() -> Response:
    return jsonify(workers.submit(STEPS[25]).result())  # in: executor


def never() -> None:
    threading.Event().wait()  # in: never


@app.get("/closing")
def closing() -> Response:
    def task() -> None:  # in: closing
        STEPS[27]()  # in: closing
        behind["closing"].set()  # in: closing
        never()  # in: closing later

    response = Response("sent")  # in: closing
    response.call_on_close(task)  # in: closing
    return response  # in: closing


@app.get("/events")
def events() -> Response:
    def parts() -> Iterator[str]:  # in: events
        yield "sent"  # in: events
        STEPS[28]()  # in: events
        behind["events"].set()  # in: events
        never()  # in: events later

    return Response(parts())  # in: events


@app.get("/ran/<what>")
def ran(what: str) -> str:
    behind[what].wait()  # in: ran
    return "ran"  # in: ran
