"""An application of the standard library alone: http.server.

A line that runs for a request to ``/x`` and not at start-up ends with ``in: x``.
"""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from steps import STEPS

meetings: dict[str, threading.Barrier] = {}


class Handler(BaseHTTPRequestHandler):
    """Answers a GET; one that hangs says of its own where its answer ends."""

    def do_GET(self) -> None:
        _, route, *words = self.path.split("/")  # in: every
        getattr(self, f"on_{route}", self.missing)(*words)  # in: every

    def on_middle(self) -> None:
        self.answer(str(STEPS[21]()))  # in: middle

    def on_hangs(self) -> None:
        self.answer(str(STEPS[23]()))  # in: hangs
        threading.Event().wait()  # in: hangs later

    def on_steps(self, meeting: str, parties: str, rounds: str, parts: str) -> None:
        everybody = meetings.setdefault(meeting, threading.Barrier(int(parties)))  # in: steps
        total = 0  # in: steps
        for part in parts.split("!"):  # in: steps
            everybody.wait()  # in: steps
            for number in part.split(".") * int(rounds):  # in: steps
                total |= STEPS[int(number)]()  # in: steps
                time.sleep(0)  # in: steps
        self.answer(str(total))  # in: steps

    def missing(self) -> None:
        self.send_error(404)

    def answer(self, body: str) -> None:
        self.send_response(200)  # in: every
        self.end_headers()  # in: every
        self.wfile.write(body.encode())  # in: every


if __name__ == "__main__":
    server = ThreadingHTTPServer(("0.0.0.0", 8000), Handler)
    print("serving")
    server.serve_forever()
