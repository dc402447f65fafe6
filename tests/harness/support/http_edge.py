"""The HTTP fault proxy before a server of ours, in containers, reached directly and through it."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from uuid import uuid4

from places import APPS
from tiny import IMAGE, ROOT, Service, check, docker

from nomock.adapters.httpfaults import CONTROL_PORT, HttpFaults
from nomock.baggage import BAGGAGE_HEADER, with_members

EDGE = "shop->web"
TIMEOUT_S = 30
SERVER = APPS / "http_upstream" / "server.py"
EDGES = {
    EDGE: ("18001", "web:8000"),
    "shop->shut": ("18002", "web:9"),  # nobody listens there
    "shop->gone": ("18003", "gone:8000"),  # nobody has that name
}


def fault_proxy(*published: str) -> Service:
    """The proxy as the reference stack runs it, with some edges published, too."""
    return {
        "build": {
            "context": str(ROOT / "http-fault-proxy"),
            "args": {"PYTHON_IMAGE": IMAGE},
        },
        "volumes": ["./httpfaults.json:/etc/httpfaults/edges.json:ro"],
        "ports": [f"127.0.0.1::{port}" for port in (str(CONTROL_PORT), *published)],
        "read_only": True,
        "cap_drop": ["ALL"],
        "stop_grace_period": "1s",
        "healthcheck": check(f"exec 3<>/dev/tcp/127.0.0.1/{CONTROL_PORT}"),
    }


def web() -> Service:
    """The server."""
    return {
        "image": IMAGE,
        "command": ["python3", "-u", "/server.py", "8000"],
        "volumes": [f"{SERVER}:/server.py:ro"],
        "ports": ["127.0.0.1::8000"],
        "init": True,
        "stop_signal": "SIGKILL",
        "healthcheck": check("exec 3<>/dev/tcp/127.0.0.1/8000"),
    }


def edges_file() -> str:
    """The edges as the proxy reads them."""
    return json.dumps(
        [
            {"name": name, "listen": f"0.0.0.0:{port}", "upstream": upstream}
            for name, (port, upstream) in EDGES.items()
        ]
    )


@dataclass
class HttpEdge:
    """The running pair."""

    project: str
    folder: Path
    ports: dict[str, int] = field(default_factory=dict)
    """Where each edge is on this machine, and as "direct" the server itself."""

    @cached_property
    def faults(self) -> HttpFaults:
        return HttpFaults("127.0.0.1", self.control_port)

    @cached_property
    def control_port(self) -> int:
        return self.port("httpfaults", str(CONTROL_PORT))

    def put(self, action: str, test: str | None, **more: Any) -> str:
        """Add a rule and return its id."""
        rule_id = uuid4().hex
        self.faults.put(rule_id, {"edge": EDGE, "action": action, "test": test, **more})
        return rule_id

    def hits(self, rule_id: str) -> int:
        hits = self.faults.rules()[rule_id]["hits"]
        assert isinstance(hits, int)
        return hits

    def connection(self, edge: str = EDGE) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.ports[edge], timeout=TIMEOUT_S)

    def socket(self, edge: str = EDGE) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.ports[edge]), TIMEOUT_S)

    def said(self, edge: str, pieces: Sequence[bytes], *, half_close: bool = False) -> bytes:
        """Say something on a connection of its own and return all that is answered."""
        with self.socket(edge) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
            try:
                for piece in pieces:
                    sock.sendall(piece)
                if half_close:
                    sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # the other side has heard enough
            return rest_of(sock)

    def asked(self, path: str) -> str:
        """Ask the server itself."""
        with opened(self.connection("direct")) as connection:
            return ask(connection, "GET", path)[1].decode()

    def kill_web(self) -> None:
        docker("kill", f"{self.project}-web-1")

    def start_web(self) -> None:
        """Start the server again, on another port of this machine."""
        self.compose("up", "--wait")
        self.ports["direct"] = self.port("web", "8000")

    def port(self, service: str, target: str) -> int:
        return int(self.compose("port", service, target).rpartition(":")[2])

    def compose(self, *words: str) -> str:
        where = ("--project-directory", str(self.folder), "--project-name", self.project)
        return docker("compose", *where, *words)

    def exec(self, *command: str) -> str:
        """Run a command in the proxy's container."""
        return docker("exec", f"{self.project}-httpfaults-1", *command)


def rest_of(sock: socket.socket) -> bytes:
    """Return all that comes until the other side hangs up."""
    got = bytearray()
    try:
        while data := sock.recv(1 << 16):
            got += data
    except ConnectionResetError:
        pass
    return bytes(got)


@contextmanager
def opened(connection: HTTPConnection) -> Iterator[HTTPConnection]:
    """Close it in the end."""
    try:
        yield connection
    finally:
        connection.close()


def ask(
    connection: HTTPConnection,
    method: str,
    path: str,
    *,
    test: str | None = None,
    body: Any = None,
    **headers: str,
) -> tuple[int, bytes]:
    """Send a request of a test and return status and body of the answer."""
    reply = begin(connection, method, path, test=test, body=body, **headers)
    return reply.status, reply.read()


def begin(
    connection: HTTPConnection,
    method: str,
    path: str,
    *,
    test: str | None = None,
    body: Any = None,
    **headers: str,
) -> HTTPResponse:
    """Send a request of a test and return the answer, its body unread."""
    if test is not None:
        headers[BAGGAGE_HEADER] = with_members("user=1", test)
    connection.request(method, path, body=body, headers=headers)
    return connection.getresponse()


@contextmanager
def http_edge(folder: Path) -> Iterator[HttpEdge]:
    """Start the pair in a folder, and remove it."""
    published = [port for port, _ in EDGES.values()]
    services = {"httpfaults": fault_proxy(*published), "web": web()}
    (folder / "docker-compose.yml").write_text(json.dumps({"services": services}))
    (folder / "httpfaults.json").write_text(edges_file())
    edge = HttpEdge(f"nomock-t-{uuid4().hex[:8]}", folder)
    try:
        edge.compose("up", "--detach", "--wait", "--build", "--quiet-pull")
        for name, (listen, _) in EDGES.items():
            edge.ports[name] = edge.port("httpfaults", listen)
        edge.ports["direct"] = edge.port("web", "8000")
        yield edge
    finally:
        edge.compose("down", "--volumes", "--rmi", "local", "--timeout", "0")
