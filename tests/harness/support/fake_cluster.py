"""A cluster's API on loopback that answers as it is told: for what no node does at will.

What is not told is answered as a cluster does that has none of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

Answer = tuple[int, dict[str, Any]]


class FakeCluster(ThreadingHTTPServer):
    """Answers; ``answers`` is asked first, with method and path."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: Callable[[str, str], Answer | None] = lambda method, path: None
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def kubeconfig(self, path: Path, context: str = "fake") -> Path:
        """Write a kubeconfig by which it is reached."""
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": self.url}}],
            "users": [{"name": "u", "user": {"token": "t"}}],
            "contexts": [{"name": context, "context": {"cluster": "c", "user": "u"}}],
        }
        path.write_text(json.dumps(config), encoding="utf-8")
        return path


@contextmanager
def fake_cluster() -> Iterator[FakeCluster]:
    """Give a cluster that answers for a block."""
    server = FakeCluster()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def refusal(code: int, message: str) -> Answer:
    """Return an answer that refuses, as clusters word it."""
    return code, {"kind": "Status", "status": "Failure", "message": message, "code": code}


class _Handler(BaseHTTPRequestHandler):
    server: FakeCluster
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        given = json.loads(self.rfile.read(length) or b"{}")
        self.server.asked.append(f"{self.command} {self.path}")
        told = self.server.answers(self.command, self.path)
        if told is None:
            told = (200, given) if self.command == "PATCH" else refusal(404, "not found")
        status, body = told
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PATCH = do_DELETE = _answer  # noqa: N815 (as http.server calls them)
