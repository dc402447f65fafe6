"""A service that says what reached it, and answers in each way that HTTP/1 has.

An answer's head has no date: the same bytes asked directly and through a proxy are answered with
the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from socket import SHUT_WR
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Condition
from urllib.parse import parse_qs, urlsplit

seen: Counter[str] = Counter()
changed = Condition()


def note(key: str) -> int:
    """Count something, and wake who waits for it."""
    with changed:
        seen[key] += 1
        changed.notify_all()
        return seen[key]


class Handler(StreamRequestHandler):
    """One connection."""

    disable_nagle_algorithm = True
    timeout = 60

    def handle(self) -> None:
        number = note("connections")
        try:
            while self.one(number):
                pass
        except (OSError, ValueError):
            note("broken")
        finally:
            note(f"over {number}")

    def one(self, number: int) -> bool:
        raw = self.head()
        if not raw.endswith(b"\r\n\r\n"):
            if raw:  # no request: all that came is told, so that it can be compared
                self.answer(400, raw[:200] + b" %d" % len(raw), extra="Connection: close\r\n")
            return False
        line, *lines = raw[:-4].decode("latin-1").split("\r\n")
        fields = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        if line.count(" ") != 2 or {"content-length", "transfer-encoding"} <= fields.keys():
            self.answer(400, raw[:200], extra="Connection: close\r\n")
            return False
        method, target, _ = line.split(" ")
        url = urlsplit(target)
        asked = {k: v[0] for k, v in parse_qs(url.query).items()}
        if "key" in asked:
            note(asked["key"])
        if url.path == "/early":
            self.answer(413, b"too much", extra="Connection: close\r\n")
            return False
        if url.path == "/deaf":
            note(f"deaf {asked['id']}")
            with changed:
                changed.wait_for(lambda: seen[f"speak {asked['id']}"] > 0, timeout=60)
        if fields.get("expect"):
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self.chunked() if "transfer-encoding" in fields else self.sized(fields)
        way = getattr(self, "do_" + url.path.strip("/").replace("-", "_"), self.do_echo)
        ends = way(method=method, raw=raw, body=body, asked=asked, number=number)
        return not ends and fields.get("connection", "").lower() != "close"

    def head(self) -> bytes:
        raw = b""
        while not raw.endswith(b"\r\n\r\n") and len(raw) < 1_000_000:
            line = self.rfile.readline(100_000)
            raw += line
            if not line or (raw == line and not line.endswith(b"\r\n")):
                break
        return raw

    def sized(self, fields: dict[str, str]) -> tuple[int, str]:
        left = size = int(fields.get("content-length", 0))
        digest = hashlib.sha256()
        while left:
            data = self.rfile.read1(min(left, 1 << 20))
            if not data:
                raise ValueError
            digest.update(data)
            left -= len(data)
        return size, digest.hexdigest()

    def chunked(self) -> tuple[int, str]:
        size, digest = 0, hashlib.sha256()
        while count := int(self.rfile.readline().split(b";")[0], 16):
            digest.update(self.rfile.read(count))
            size += count
            self.rfile.readline()
        while self.rfile.readline() != b"\r\n":  # trailers
            pass
        return size, digest.hexdigest()

    def answer(self, status: int, body: bytes, *, head: bool = False, extra: str = "") -> None:
        start = f"HTTP/1.1 {status} Said\r\nX-Camel: Case\r\n{extra}Content-Length: {len(body)}"
        self.wfile.write(f"{start}\r\n\r\n".encode() + (b"" if head else body))

    # The ways; each returns whether the connection ends.

    def do_echo(self, *, method, raw, body, asked, number) -> bool:
        said = {"head": raw.decode("latin-1"), "size": body[0], "sha256": body[1]}
        self.answer(200, json.dumps(said).encode(), head=method == "HEAD")
        return False

    def do_connection(self, *, number, **_) -> bool:
        self.answer(200, b"%d" % number)
        return False

    def do_count(self, *, asked, **_) -> bool:
        with changed:
            self.answer(200, b"%d" % seen[asked["of"]])
        return False

    def do_await(self, *, asked, **_) -> bool:
        with changed:
            found = changed.wait_for(lambda: seen[asked["of"]] > 0, timeout=30)
        self.answer(200, b"it came" if found else b"it did not come")
        return False

    def do_big(self, *, asked, **_) -> bool:
        left = int(asked["size"])
        self.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Length: {left}\r\n\r\n".encode())
        piece = bytes(range(256)) * 4096
        while left:
            self.wfile.write(piece[:left])
            left -= min(left, len(piece))
        return False

    def do_chunked(self, **_) -> bool:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n")
        for size in (1, 10, 100_000):
            self.wfile.write(b"%x;a=b\r\n" % size + b"c" * size + b"\r\n")
        self.wfile.write(b"0\r\nX: last\r\n\r\n")
        return False

    def do_until_close(self, **_) -> bool:
        self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\nall there is")
        return True

    def do_closing(self, *, asked, **_) -> bool:
        self.answer(200, b"%d" % seen[asked.get("key", "")], extra="Connection: close\r\n")
        return True

    def do_interim(self, **_) -> bool:
        self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        self.answer(200, b"after it")
        return False

    def do_no_content(self, **_) -> bool:
        self.wfile.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        return False

    def do_not_modified(self, **_) -> bool:
        self.wfile.write(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n")
        return False

    def do_die(self, **_) -> bool:
        return True

    def do_die_in_the_middle(self, **_) -> bool:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nonly this")
        return True

    def do_hang(self, *, asked, **_) -> bool:
        note(f"hanging {asked['id']}")
        while self.rfile.read1():
            pass
        note(f"hung up {asked['id']}")
        return True

    def do_upgrade(self, **_) -> bool:
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\n\r\n")
        while data := self.rfile.read1():
            self.wfile.write(data)
        self.wfile.write(b"bye")
        self.connection.shutdown(SHUT_WR)
        return True


class Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


if __name__ == "__main__":
    Server(("0.0.0.0", int(sys.argv[1])), Handler).serve_forever()
