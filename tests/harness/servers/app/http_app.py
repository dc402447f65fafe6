"""An application of the standard library alone: http.server.

A line that runs for a request to ``/x`` and not at start-up ends with ``in: x``.
"""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from steps import STEPS


class Handler(BaseHTTPRequestHandler):
    """Answers a GET; one that hangs says of its own where its answer ends."""

    def do_GET(self) -> None:
        if self.path == "/middle":  # in: every
            self.answer(200, str(STEPS[21]()))  # in: middle
        elif self.path == "/hangs":  # in: hangs
            self.answer(200, str(STEPS[23]()))  # in: hangs
            threading.Event().wait()  # in: hangs later
        else:
            self.answer(404, "")

    def answer(self, status: int, body: str) -> None:
        self.send_response(status)  # in: every
        self.end_headers()  # in: every
        self.wfile.write(body.encode())  # in: every


if __name__ == "__main__":
    server = ThreadingHTTPServer(("0.0.0.0", 8000), Handler)
    print("serving")
    server.serve_forever()
