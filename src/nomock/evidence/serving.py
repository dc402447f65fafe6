"""Serves the page of a run on loopback while the run goes on, and its events.

Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from nomock.evidence.events import Events
from nomock.evidence.folder import FILE

_OWN_NAMES = {"127.0.0.1", "localhost"}
# A reader that takes nothing is let go: the run ends without it.
_PATIENCE_S = 2.0


class LivePage:
    """The server; ``url`` is where."""

    def __init__(self, events: Events, page: Callable[[], str], folder: Path) -> None:
        """``page`` returns the page, ``folder`` is the run's: its files can be asked for, too."""

        class Handler(_Handler):
            pass

        Handler.events, Handler.page, Handler.folder = events, staticmethod(page), folder
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False  # who listens still gets the last event
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let the readers go; the events have to be closed before."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    events: Events
    page: Callable[[], str]
    folder: Path
    timeout = _PATIENCE_S

    def do_GET(self) -> None:
        """Answer with the page, the events, or a file of evidence."""
        # A page of somebody else's, by a name that leads here, is not to read it.
        if (self.headers.get("Host") or "").partition(":")[0] not in _OWN_NAMES:
            self.send_error(403)
            return
        path = self.path.partition("?")[0].lstrip("/")
        if path == "":
            self._send("text/html; charset=utf-8", self.page().encode())
        elif path == "events":
            self._stream()
        else:
            self._send_file(path)

    def _send_file(self, path: str) -> None:
        parts = path.split("/")
        if len(parts) != 2 or parts[1] != FILE or ".." in parts[0]:
            self.send_error(404)
            return
        try:
            self._send("application/json", (self.folder / parts[0] / parts[1]).read_bytes())
        except OSError:
            self.send_error(404)

    def _send(self, content_type: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def _stream(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        last = self.headers.get("Last-Event-ID") or ""
        try:
            for number, event, text in self.events.listen(int(last) + 1 if last.isdecimal() else 0):
                self.wfile.write(f"id: {number}\nevent: {event}\ndata: {text}\n\n".encode())
                self.wfile.flush()
        except OSError:
            pass  # it went away, or takes nothing

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal is pytest's."""
