"""A registry of images on loopback: as much of its protocol as a push needs.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#push
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from uuid import uuid4


class Registry(ThreadingHTTPServer):
    """Keeps what is pushed; ``refuses`` is a part of a path that it answers with 403.

    The engine tries for over a minute where it is answered with 503.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.blobs: dict[str, bytes] = {}
        self.uploads: dict[str, bytes] = {}
        self.manifests: dict[str, str] = {}
        """The digest of each manifest by its name and tag."""
        self.refuses = ""
        self.login = ""
        """``user:password`` without which nothing is taken: whoever has it gets a token."""

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"


@contextmanager
def registry() -> Iterator[Registry]:
    """Give a registry that answers for a block."""
    server = Registry()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Registry
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def _ask(self) -> None:
        body = self._body()
        if self.server.refuses and self.server.refuses in self.path:
            self._say(403, body=b'{"errors": [{"code": "DENIED", "message": "no room"}]}')
            return
        path, _, query = self.path.partition("?")
        if self.server.login and self._is_unknown(path):
            return
        found = re.fullmatch(r"/v2/(.*?)/?(?:(blobs/uploads|blobs|manifests)/([^/]*))?", path)
        kind, what = (found[2], found[3]) if found else (None, "")
        if kind == "blobs":
            self._say(200 if what in self.server.blobs else 404)
        elif kind == "blobs/uploads":
            self._upload(path, what, query, body)
        elif kind == "manifests" and self.command == "PUT" and found:
            digest = _digest(body)
            self.server.manifests[f"{found[1]}:{what}"] = digest
            self._say(201, {"Docker-Content-Digest": digest, "Location": path})
        else:
            self._say(404 if kind else 200)

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = _ask  # noqa: N815 (as http.server calls them)

    def _upload(self, path: str, upload: str, query: str, body: bytes) -> None:
        if self.command == "POST":
            upload = uuid4().hex
            path += upload
        self.server.uploads[upload] = self.server.uploads.get(upload, b"") + body
        if self.command != "PUT":
            end = len(self.server.uploads[upload]) - 1
            self._say(202, {"Location": path, "Range": f"0-{max(0, end)}"})
            return
        content = self.server.uploads.pop(upload)
        self.server.blobs[_digest(content)] = content
        assert query.endswith(_digest(content).replace(":", "%3A"))
        self._say(201, {"Docker-Content-Digest": _digest(content), "Location": path})

    def _is_unknown(self, path: str) -> bool:
        """Ask a stranger to get a token, as registries of clouds do, or give one."""
        given = self.headers.get("Authorization") or ""
        if path == "/token":
            is_known = given == f"Basic {b64encode(self.server.login.encode()).decode()}"
            if is_known:
                self._say(200, body=b'{"token": "the-token"}')
            else:
                self._say(401)
            return True
        if given == "Bearer the-token":
            return False
        realm = f'realm="http://{self.server.address}/token",service="here",scope="push"'
        self._say(401, {"WWW-Authenticate": f"Bearer {realm}"})
        return True

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _say(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
