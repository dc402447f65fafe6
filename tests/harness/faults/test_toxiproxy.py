"""Toxiproxy's adapter on a real Toxiproxy, with connections that stall, vanish and hang."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from tiny import IMAGE, ask, docker, inspect, settled_image

from nomock.adapters.toxiproxy import Edge, Toxic, Toxiproxy
from nomock.errors import ConfigError, ToxiproxyError, UnknownEdgeError

TOXIPROXY_IMAGE = settled_image("TOXIPROXY_IMAGE", "nomock/toxiproxy:2.12.0")

# Edge -> the port of Toxiproxy, and that of the upstream.
EDGES = {
    "test->echo": (9001, 7001),
    "test->flood": (9002, 7002),
    "test->blackhole": (9003, 7003),
}
ECHO, FLOOD, BLACKHOLE = EDGES

# An echo; a server that sends for as long as somebody reads, and says when nobody does; a port that
# takes no connection and refuses none, since its queue is full.
UPSTREAM = """
import socket, socketserver, threading

class Echo(socketserver.BaseRequestHandler):
    def handle(self):
        while data := self.request.recv(65536):
            self.request.sendall(data)

class Flood(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.settimeout(1)
        try:
            while True:
                self.request.send(bytes(65536))
        except TimeoutError:
            print("stalled", flush=True)
        self.request.settimeout(None)
        self.request.sendall(bytes(65536))

class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    def handle_error(self, *about):
        pass

full = socket.create_server(("0.0.0.0", 7003), backlog=0)
waiting = []
try:
    while True:
        waiting.append(socket.create_connection(full.getsockname(), timeout=0.3))
except TimeoutError:
    pass
for port, handler in ((7001, Echo), (7002, Flood)):
    threading.Thread(target=Server(("0.0.0.0", port), handler).serve_forever).start()
print("ready", flush=True)
"""


class Upstream:
    """A container that has all upstreams."""

    def __init__(self) -> None:
        self.id = docker("run", "--detach", "--init", IMAGE, "python3", "-c", UPSTREAM).strip()
        follow = ["docker", "logs", "--follow", self.id]
        self._log = subprocess.Popen(follow, stdout=subprocess.PIPE, text=True)
        self.says("ready")
        self.address = inspect(self.id)["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]

    def says(self, word: str) -> None:
        """Return when it has said so."""
        assert self._log.stdout is not None
        assert self._log.stdout.readline() == f"{word}\n"

    def close(self) -> None:
        self._log.kill()
        self._log.communicate()
        ask("DELETE", f"/containers/{self.id}", force="1")


class Proxy:
    """Toxiproxy in a container; after a restart it has other ports, and the edges of its file."""

    def __init__(self, upstream: Upstream, edges: Path) -> None:
        self.upstream = upstream
        self.restarts = 0
        edges.write_text(
            json.dumps(
                [
                    {"name": name, "listen": f":{own}", "upstream": f"{upstream.address}:{theirs}"}
                    for name, (own, theirs) in EDGES.items()
                ]
            )
        )
        ports = [f"--publish=127.0.0.1::{port}" for port in (8474, 9001, 9002, 9003)]
        self.id = docker(
            *("run", "--detach", "--env=LOG_LEVEL=warn", f"--volume={edges}:/edges.json:ro"),
            *(*ports, TOXIPROXY_IMAGE, "-host=0.0.0.0", "-config=/edges.json"),
        ).strip()
        self.wait()

    def wait(self) -> None:
        """Return when it has its edges."""
        edges: dict[str, Any] = {}
        while len(edges) < len(EDGES):
            assert inspect(self.id)["State"]["Running"], self.log()
            with suppress(OSError):
                edges = self.ask("GET", "/proxies")

    def port(self, inner: int = 8474) -> int:
        return int(inspect(self.id)["NetworkSettings"]["Ports"][f"{inner}/tcp"][0]["HostPort"])

    def restart(self) -> tuple[str, int]:
        self.restarts += 1
        with suppress(Exception):
            ask("POST", f"/containers/{self.id}/unpause")
        ask("POST", f"/containers/{self.id}/restart", t="0")
        return "127.0.0.1", self.port()

    def ask(self, method: str, path: str, body: object = None, *, timeout_s: float = 10) -> Any:
        """Ask Toxiproxy past the adapter."""
        data = None if body is None else json.dumps(body).encode()
        request = Request(f"http://127.0.0.1:{self.port()}{path}", data, method=method)
        with urlopen(request, timeout=timeout_s) as reply:
            return json.loads(reply.read() or "null")

    def adapter(self, **options: Any) -> Toxiproxy:
        return Toxiproxy("127.0.0.1", self.port(), **{"restart": self.restart, **options})

    def connect(self, edge: str) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port(EDGES[edge][0])), timeout=10)

    def stall(self) -> socket.socket:
        """Connect to the flood and read nothing until nothing fits in between any more."""
        connection = self.connect(FLOOD)
        self.upstream.says("stalled")
        return connection

    def log(self) -> str:
        done = subprocess.run(["docker", "logs", self.id], capture_output=True, text=True)
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    started = Upstream()
    try:
        yield started
    finally:
        started.close()


@pytest.fixture
def start(upstream: Upstream, tmp_path: Path) -> Iterator[Callable[[], Proxy]]:
    """Starts a Toxiproxy for this test alone."""
    started: list[Proxy] = []

    def one() -> Proxy:
        started.append(Proxy(upstream, tmp_path / f"edges{len(started)}.json"))
        return started[-1]

    try:
        yield one
    finally:
        for proxy in started:
            ask("DELETE", f"/containers/{proxy.id}", force="1")


@pytest.fixture
def proxy(start: Callable[[], Proxy]) -> Proxy:
    return start()


def latency(latency_ms: int = 300, name: str = "slow", stream: str = "downstream") -> Toxic:
    return Toxic(name, "latency", stream, {"latency": latency_ms, "jitter": 0})


def path_of(edge: str, *more: str) -> str:
    return "/".join(["/proxies", quote(edge, safe=""), *more])


def echo_s(connection: socket.socket) -> float:
    """Return how long the echo takes."""
    begun = time.monotonic()
    connection.sendall(b"?")
    assert connection.recv(1) == b"?"
    return time.monotonic() - begun


def ends(connection: socket.socket) -> bool:
    """Read to the end, which comes sooner or later."""
    with suppress(ConnectionResetError):
        while connection.recv(1 << 20):
            pass
    return True


# --- what there is, and what is asked for ---


def test_edges_should_be_told_as_they_are_when_toxiproxy_is_asked(proxy: Proxy) -> None:
    toxiproxy = proxy.adapter()
    upstream = proxy.upstream.address
    edges = toxiproxy.edges()
    assert set(edges) == set(EDGES)
    assert edges[ECHO] == Edge(ECHO, 9001, f"{upstream}:7001", True, (), "[::]")
    assert (edges[ECHO].source, edges[ECHO].target) == ("test", "echo")
    proxy.ask("POST", "/proxies", {"name": "plain", "listen": ":9004", "upstream": "db:5432"})
    plain = toxiproxy.edges()["plain"]
    assert (plain.source, plain.target) == ("", "db")


@pytest.mark.parametrize("edge_is_open", [True, False])
def test_every_type_should_be_added_changed_and_removed_when_its_edge_is_open_or_closed(
    proxy: Proxy, edge_is_open: bool
) -> None:
    toxiproxy = proxy.adapter()
    if not edge_is_open:
        toxiproxy.disable(ECHO)
    first = [
        Toxic("a", "latency", "upstream", {"latency": 0, "jitter": 0}),
        Toxic("b", "latency", "downstream", {"latency": 1000, "jitter": 20}),
        Toxic("c", "bandwidth", "downstream", {"rate": 1}),
        Toxic("d", "slow_close", "downstream", {"delay": 1}),
        Toxic("e", "timeout", "upstream", {"timeout": 0}),
        Toxic("f", "reset_peer", "downstream", {"timeout": 0}),
        Toxic("g", "slicer", "upstream", {"average_size": 2, "size_variation": 1, "delay": 7}),
        Toxic("h", "limit_data", "downstream", {"bytes": 0}),
    ]
    second = [
        Toxic(t.name, t.type, t.stream, {key: value + 5 for key, value in t.attributes.items()})
        for t in first
    ]
    for toxic in first:
        toxiproxy.add(ECHO, toxic)
    edge = toxiproxy.edges()[ECHO]
    assert sorted(edge.toxics, key=lambda toxic: toxic.name) == first
    assert edge.enabled is edge_is_open
    for toxic in second:
        toxiproxy.update(ECHO, toxic)
    assert sorted(toxiproxy.edges()[ECHO].toxics, key=lambda toxic: toxic.name) == second
    for toxic in second:
        toxiproxy.remove(ECHO, toxic.name)
        toxiproxy.remove(ECHO, toxic.name)
    edge = toxiproxy.edges()[ECHO]
    assert edge.toxics == ()
    assert edge.enabled is edge_is_open
    assert proxy.restarts == 0
    assert proxy.log() == ""  # it warns of what it deprecates


def test_connections_should_be_bitten_and_stay_open_when_a_toxic_is_added(proxy: Proxy) -> None:
    toxiproxy = proxy.adapter()
    with proxy.connect(ECHO) as connection:
        echo_s(connection)
        toxiproxy.add(ECHO, latency(300))
        assert echo_s(connection) >= 0.3
        toxiproxy.update(ECHO, latency(500))
        assert echo_s(connection) >= 0.5
        toxiproxy.remove(ECHO, "slow")
        echo_s(connection)


def test_an_attribute_should_be_nothing_when_it_is_left_out(proxy: Proxy) -> None:
    toxiproxy = proxy.adapter()
    toxiproxy.add(ECHO, Toxic("slow", "latency", "upstream", {"latency": 5}))
    assert toxiproxy.edges()[ECHO].toxics == (latency(5, stream="upstream"),)


def test_an_edge_should_stay_closed_or_opened_when_it_is_so_twice(proxy: Proxy) -> None:
    toxiproxy = proxy.adapter()
    with proxy.connect(ECHO) as connection:
        echo_s(connection)
        toxiproxy.disable(ECHO)
        toxiproxy.disable(ECHO)
        assert ends(connection)
    assert not toxiproxy.edges()[ECHO].enabled
    toxiproxy.enable(ECHO)
    toxiproxy.enable(ECHO)
    assert toxiproxy.edges()[ECHO].enabled
    with proxy.connect(ECHO) as connection:
        echo_s(connection)


def test_an_edge_should_open_when_it_was_made_closed(proxy: Proxy) -> None:
    proxy.ask("DELETE", path_of(ECHO))
    listen = {"name": ECHO, "listen": "0.0.0.0:9001", "enabled": False}
    proxy.ask("POST", "/proxies", {**listen, "upstream": f"{proxy.upstream.address}:7001"})
    toxiproxy = proxy.adapter()
    toxiproxy.add(ECHO, latency(300))
    toxiproxy.enable(ECHO)
    with proxy.connect(ECHO) as connection:
        assert echo_s(connection) >= 0.3


def test_toxiproxy_should_be_asked_itself_when_the_environment_names_a_proxy(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("all_proxy", "http://127.0.0.1:9")
    toxiproxy = proxy.adapter()
    toxiproxy.add(ECHO, latency())
    toxiproxy.disable(ECHO)
    toxiproxy.remove(ECHO, "slow")
    assert toxiproxy.edges()[ECHO].toxics == ()


# --- what is refused ---


@pytest.mark.parametrize(
    ("toxic", "message"),
    [
        (
            Toxic("t", "latancy", "downstream", {"latency": 1}),
            "latancy toxic 't': there is no type 'latancy'\n"
            "  there is: latency, bandwidth, slow_close, timeout, reset_peer, slicer, limit_data\n"
            "-> did you mean 'latency'?",
        ),
        (
            Toxic("t", "latency", "sideways", {"latency": 1}),
            "latency toxic 't': there is no stream 'sideways'\n"
            "  there is: upstream, downstream\n"
            "-> name one of them",
        ),
        (
            Toxic("t", "latency", "upstream", {"latency": 1, "jiter": 1}),
            "latency toxic 't': there is no attribute 'jiter'\n"
            "  there is: latency, jitter\n"
            "-> did you mean 'jitter'?",
        ),
        (
            Toxic("t", "latency", "upstream", {"latency": -1}),
            "latency toxic 't': latency cannot be -1\n-> a whole number from 0 to 86400000",
        ),
        (
            Toxic("t", "latency", "upstream", {"latency": 86_400_001}),
            "latency toxic 't': latency cannot be 86400001\n-> a whole number from 0 to 86400000",
        ),
        (
            Toxic("t", "latency", "upstream", {"latency": 0.5}),  # type: ignore[dict-item]
            "latency toxic 't': latency cannot be 0.5\n-> a whole number from 0 to 86400000",
        ),
        (
            Toxic("t", "limit_data", "upstream", {"bytes": True}),
            "limit_data toxic 't': bytes cannot be True\n-> a whole number from 0 to 2147483647",
        ),
        (
            Toxic("t", "bandwidth", "upstream", {}),
            "bandwidth toxic 't': rate cannot be 0\n-> a whole number from 1 to 2147483647",
        ),
        (
            Toxic("t", "slicer", "upstream", {"average_size": 5, "size_variation": 5}),
            "slicer toxic 't': size_variation cannot be 5\n"
            "-> less than the average_size, which is 5",
        ),
        (
            Toxic("a/b", "timeout", "upstream", {}),
            "timeout toxic 'a/b': 'a/b' cannot be a toxic's name\n-> a name without slashes",
        ),
    ],
    ids=lambda value: "" if isinstance(value, str) else None,
)
def test_a_toxic_should_be_refused_before_anything_is_asked_when_it_cannot_be(
    toxic: Toxic, message: str
) -> None:
    nobody = Toxiproxy("127.0.0.1", 9)
    for change in (nobody.add, nobody.update):
        with pytest.raises(ConfigError) as caught:
            change(ECHO, toxic)
        assert str(caught.value) == message


def test_an_edge_should_be_named_with_those_there_are_when_it_is_unknown(proxy: Proxy) -> None:
    toxiproxy = proxy.adapter()
    for change in (
        lambda: toxiproxy.add("test->ecco", latency()),
        lambda: toxiproxy.update("test->ecco", latency()),
        lambda: toxiproxy.remove("test->ecco", "slow"),
        lambda: toxiproxy.enable("test->ecco"),
        lambda: toxiproxy.disable("test->ecco"),
    ):
        with pytest.raises(UnknownEdgeError) as caught:
            change()
        assert str(caught.value) == (
            f"Toxiproxy at 127.0.0.1:{proxy.port()}: there is no edge 'test->ecco'\n"
            "  the edges are: test->blackhole, test->echo, test->flood\n"
            "-> did you mean 'test->echo'?"
        )


def test_a_toxic_should_be_named_when_it_is_there_already_or_is_not(proxy: Proxy) -> None:
    toxiproxy = proxy.adapter()
    with pytest.raises(ToxiproxyError) as caught:
        toxiproxy.update(ECHO, latency())
    assert str(caught.value) == (
        "edge test->echo: there is no toxic 'slow'\n"
        "  enabled, no toxics\n"
        "-> does another run change it? nomock heal"
    )
    toxiproxy.add(ECHO, latency())
    with pytest.raises(ToxiproxyError) as caught:
        toxiproxy.add(ECHO, latency(5))
    assert str(caught.value) == (
        "edge test->echo: there is a toxic 'slow' already\n"
        "  enabled, latency slow {'latency': 300, 'jitter': 0} downstream\n"
        "-> does another run change it? nomock heal"
    )
    assert toxiproxy.edges()[ECHO].toxics == (latency(),)


def test_an_edge_should_be_an_error_when_it_did_not_become_what_was_asked_for(
    proxy: Proxy,
) -> None:
    with pytest.raises(ToxiproxyError) as caught:
        proxy.adapter().add(ECHO, latency(name="half a \ud83d"))  # no text, to Toxiproxy
    assert str(caught.value) == (
        "edge test->echo: it did not become what was asked for\n"
        "  asked for: enabled, latency half a \ud83d {'latency': 300, 'jitter': 0} downstream\n"
        "  it is:     enabled, latency half a \ufffd {'latency': 300, 'jitter': 0} downstream\n"
        "-> does another run change it? nomock heal"
    )


def test_toxiproxy_should_be_asked_for_once_when_it_does_not_run(proxy: Proxy) -> None:
    toxiproxy = proxy.adapter()
    where = f"Toxiproxy at 127.0.0.1:{proxy.port()}"
    ask("POST", f"/containers/{proxy.id}/stop", t="0")
    for change in (toxiproxy.edges, lambda: toxiproxy.disable(ECHO)):
        with pytest.raises(ToxiproxyError) as caught:
            try:
                raise RuntimeError("what the test itself died of")
            except RuntimeError:
                change()
        assert str(caught.value) == (
            f"{where}: Toxiproxy does not answer\n"
            "  [Errno 111] Connection refused\n"
            "-> start it: nomock up; why it ended: nomock logs toxiproxy"
        )
    assert proxy.restarts == 0


def test_another_server_should_be_told_from_toxiproxy_when_it_has_the_port(
    tmp_path: Path,
) -> None:
    files = partial(SimpleHTTPRequestHandler, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), files) as server, ThreadPoolExecutor(1) as pool:
        pool.submit(server.serve_forever)
        with pytest.raises(ToxiproxyError) as caught:
            Toxiproxy("127.0.0.1", server.server_port).add(ECHO, latency())
        server.shutdown()
        assert str(caught.value) == (
            f"Toxiproxy at 127.0.0.1:{server.server_port}: this is another server\n"
            "  it knows no /proxies\n"
            "-> publish Toxiproxy's control port, 8474, and nothing else under it"
        )


def test_an_edge_should_be_an_error_when_its_port_is_taken(proxy: Proxy) -> None:
    toxiproxy = proxy.adapter()
    upstream = f"{proxy.upstream.address}:7001"
    twin = {"name": "twin", "listen": ":9001", "upstream": upstream, "enabled": False}
    proxy.ask("POST", "/proxies", twin)
    with pytest.raises(ToxiproxyError) as caught:
        toxiproxy.enable("twin")
    assert caught.value.what == "PATCH /proxies/twin was refused"
    assert "500" in caught.value.seen
    assert "address already in use" in caught.value.seen


# --- where Toxiproxy hangs ---


def test_an_edge_should_be_made_anew_when_a_reader_has_stalled(proxy: Proxy) -> None:
    toxiproxy = proxy.adapter(timeout_s=3.0)
    toxiproxy.add(FLOOD, latency(10))
    toxiproxy.add(FLOOD, latency(20, name="stays", stream="upstream"))
    with proxy.stall() as stalled:
        toxiproxy.remove(FLOOD, "slow")
        assert ends(stalled)
    edge = toxiproxy.edges()[FLOOD]
    assert edge.toxics == (latency(20, name="stays", stream="upstream"),)
    assert edge.enabled
    with proxy.connect(FLOOD) as connection:
        assert connection.recv(1)
    assert proxy.restarts == 0


@pytest.mark.slow
def test_a_toxic_should_be_added_and_changed_when_a_reader_has_stalled(proxy: Proxy) -> None:
    toxiproxy = proxy.adapter(timeout_s=3.0)
    with proxy.stall():
        toxiproxy.add(FLOOD, latency(10))
    with proxy.stall():
        toxiproxy.update(FLOOD, latency(20))
    assert toxiproxy.edges()[FLOOD].toxics == (latency(20),)
    assert proxy.restarts == 0


def test_toxiproxy_should_never_recover_by_itself_when_a_reader_has_stalled(proxy: Proxy) -> None:
    proxy.adapter().add(FLOOD, latency(10))
    with proxy.stall():
        with pytest.raises(TimeoutError):
            proxy.ask("DELETE", path_of(FLOOD, "toxics", "slow"), timeout_s=0.5)
        # To close the edge frees nothing any more, which it would have done before.
        with pytest.raises(TimeoutError):
            proxy.ask("PATCH", path_of(FLOOD), {"enabled": False}, timeout_s=0.5)
    with pytest.raises(TimeoutError):
        proxy.ask("GET", path_of(FLOOD), timeout_s=0.5)
    assert proxy.ask("GET", path_of(ECHO))["enabled"]


def test_a_stuck_edge_should_be_removed_from_when_nobody_can_list_it(proxy: Proxy) -> None:
    toxiproxy = proxy.adapter(timeout_s=3.0)
    toxiproxy.add(FLOOD, latency(10))
    with proxy.stall():
        with pytest.raises(TimeoutError):
            proxy.ask("DELETE", path_of(FLOOD, "toxics", "slow"), timeout_s=0.5)
        toxiproxy.remove(FLOOD, "slow")
    assert toxiproxy.edges()[FLOOD].toxics == ()
    assert proxy.restarts == 1


@pytest.mark.slow
def test_toxiproxy_should_be_restarted_as_it_was_when_somebody_connects_to_a_stuck_edge(
    proxy: Proxy,
) -> None:
    toxiproxy = proxy.adapter(timeout_s=3.0)
    toxiproxy.add(FLOOD, latency(10))
    toxiproxy.add(ECHO, latency(300))
    toxiproxy.disable(BLACKHOLE)
    with ThreadPoolExecutor() as pool, proxy.stall():
        removed = pool.submit(toxiproxy.remove, FLOOD, "slow")
        with pytest.raises(TimeoutError):
            while True:  # until the edge is stuck
                proxy.ask("GET", path_of(FLOOD), timeout_s=0.5)
        with proxy.connect(FLOOD) as late:
            removed.result()
            assert ends(late)
    edges = toxiproxy.edges()
    assert edges[FLOOD].toxics == ()
    assert edges[ECHO].toxics == (latency(300),)
    assert [name for name in EDGES if not edges[name].enabled] == [BLACKHOLE]
    assert proxy.restarts == 1
    with proxy.connect(ECHO) as connection:
        assert echo_s(connection) >= 0.3


def test_data_that_nobody_takes_should_not_hold_a_removal_when_the_edge_is_closed(
    proxy: Proxy,
) -> None:
    toxiproxy = proxy.adapter(restart=None)
    toxiproxy.add(ECHO, latency(60_000))
    with proxy.connect(ECHO) as connection:
        for _ in range(3):
            connection.sendall(b"?")
            with pytest.raises(TimeoutError):
                connection.settimeout(0.1)
                connection.recv(1)
    toxiproxy.disable(ECHO)
    toxiproxy.remove(ECHO, "slow")
    toxiproxy.enable(ECHO)
    with proxy.connect(ECHO) as connection:
        echo_s(connection)


def test_an_edge_should_be_closed_by_a_restart_when_its_upstream_is_a_blackhole(
    proxy: Proxy,
) -> None:
    toxiproxy = proxy.adapter(timeout_s=3.0)
    toxiproxy.add(ECHO, latency())
    with proxy.connect(BLACKHOLE) as hanging:
        toxiproxy.disable(BLACKHOLE)
        assert ends(hanging)
    edges = toxiproxy.edges()
    assert not edges[BLACKHOLE].enabled
    assert edges[ECHO].toxics == (latency(),)
    assert proxy.restarts == 1
    toxiproxy.enable(BLACKHOLE)
    assert toxiproxy.edges()[BLACKHOLE].enabled
    assert proxy.restarts == 1


def test_toxiproxy_should_be_restarted_once_when_its_control_port_is_stuck(proxy: Proxy) -> None:
    toxiproxy = proxy.adapter(timeout_s=3.0)
    toxiproxy.edges()
    ask("POST", f"/containers/{proxy.id}/pause")
    toxiproxy.add(ECHO, latency())
    assert toxiproxy.edges()[ECHO].toxics == (latency(),)
    assert proxy.restarts == 1


def test_what_to_do_should_be_said_when_its_control_port_is_stuck_and_nobody_restarts_it(
    proxy: Proxy,
) -> None:
    toxiproxy = proxy.adapter(timeout_s=0.5, restart=None)
    ask("POST", f"/containers/{proxy.id}/pause")
    with pytest.raises(ToxiproxyError) as caught:
        toxiproxy.disable(ECHO)
    assert str(caught.value) == (
        f"Toxiproxy at 127.0.0.1:{proxy.port()}: Toxiproxy is stuck\n"
        "  GET /proxies: no answer after 0.5 s\n"
        "-> restart it: docker compose restart toxiproxy"
    )


def test_a_restart_should_be_an_error_when_it_does_not_help(proxy: Proxy) -> None:
    def restart() -> tuple[str, int]:
        address = proxy.restart()
        proxy.wait()
        ask("POST", f"/containers/{proxy.id}/pause")
        return address

    toxiproxy = proxy.adapter(timeout_s=0.5, restart=restart)
    ask("POST", f"/containers/{proxy.id}/pause")
    with pytest.raises(ToxiproxyError) as caught:
        toxiproxy.edges()
    assert str(caught.value) == (
        f"Toxiproxy at 127.0.0.1:{proxy.port()}: Toxiproxy is stuck, also after a restart\n"
        "  GET /proxies: no answer after 0.5 s\n"
        "-> nomock logs toxiproxy; end what connects to an upstream that is not there"
    )
    assert proxy.restarts == 1


# --- in one process with others ---


def test_two_should_not_disturb_each_other_when_threads_use_both(
    start: Callable[[], Proxy],
) -> None:
    from toxiproxy.api import APIConsumer

    adapters = [start().adapter(), start().adapter()]
    default = APIConsumer.host, APIConsumer.port

    def work(number: int) -> None:
        toxiproxy, name = adapters[number % 2], f"t{number}"
        for latency_ms in range(10):
            toxiproxy.add(ECHO, latency(latency_ms, name))
            toxiproxy.update(ECHO, latency(latency_ms + 100 * number, name))
            if latency_ms < 9:
                toxiproxy.remove(ECHO, name)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    for which, numbers in ((0, (0, 2)), (1, (1, 3))):
        toxics = sorted(adapters[which].edges()[ECHO].toxics, key=lambda toxic: toxic.name)
        assert toxics == [latency(9 + 100 * number, f"t{number}") for number in numbers]
    assert (APIConsumer.host, APIConsumer.port) == default


@pytest.mark.parametrize("module", ["nomock.plugin", "nomock.cli", "nomock.adapters.toxiproxy"])
def test_the_library_should_not_be_loaded_when_a_run_has_no_faults(module: str) -> None:
    look = f"import sys, {module}; print({{'requests', 'future', 'toxiproxy'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
