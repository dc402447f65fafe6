"""What a run left as evidence, for tests of it; and two services whose logs name their tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tiny import LISTENS, Service, Tiny, server

# Logs each request as JSON, with the test that its baggage names; `/die` ends it, and what a
# query `log=` holds it logs as it is.
LOGGER = """
import json, os, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

STORED = []

class Handler(BaseHTTPRequestHandler):
    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        at, query = urlsplit(self.path), parse_qs(urlsplit(self.path).query)
        baggage = dict(p.partition("=")[::2] for p in self.headers.get("baggage", "").split(","))
        line = {"level": "info", "service": os.environ["NAME"], "message": "request"}
        line |= {"method": self.command, "path": at.path}
        if "nomock.test" in baggage:
            line["nomock.test"] = unquote(baggage["nomock.test"])
        for text in query.get("log", []):
            print(text, flush=True)
        if at.path == "/die":
            os._exit(3)
        status = int(query.get("status", ["200"])[0])
        time.sleep(float(query.get("wait", ["0"])[0]))
        if status >= 500:
            line |= {"level": "error", "message": "it broke"}
        print(json.dumps(line), flush=True)
        if at.path == "/store" and body:
            STORED.append(body)
        content = body or (at.path == "/store" and b"".join(STORED)) or b"hello"
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        for header in query.get("header", []):
            self.send_header(*header.split(":", 1))
        self.end_headers()
        self.wfile.write(content)
    do_GET = do_POST = answer
    def log_message(self, *args): pass

ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""


def logging_service(name: str, **more: Any) -> Service:
    """A service that runs LOGGER, which ``write_logger`` has put beside the compose file."""
    return server(
        command=["python3", "-u", "/logger.py"],
        volumes=["./logger.py:/logger.py:ro"],
        environment={"NAME": name},
        healthcheck=LISTENS,
        **more,
    )


def two_services(tiny: Tiny) -> Tiny:
    """Write the project of two such services, ``web`` and ``api``."""
    tiny.write("logger.py", LOGGER)
    tiny.compose(web=logging_service("web"), api=logging_service("api"))
    return tiny


def folder_of_run(tiny: Tiny) -> Path:
    """Return the folder of the only run that left evidence."""
    (found,) = (tiny.path / ".nomock/evidence").iterdir()
    return found


def evidence_of(tiny: Tiny, test: str) -> Any:
    """Return what the only run left of a test, by a part of its name."""
    (found,) = (
        record
        for path in folder_of_run(tiny).glob("*/evidence.json")
        if test in (record := json.loads(path.read_text(encoding="utf-8")))["test"]["id"]
    )
    return found
