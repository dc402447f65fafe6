"""A sandbox that is broken on purpose: what faults do there, and that nothing of it is left."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from live_node import Node
from live_shop import SERVE, Shop
from proxied import TOXIPROXY_IMAGE
from tiny import IMAGE, TOOLS_IMAGE

from nomock.polling import wait_until

SERVES = f"mkdir -p /tmp/www; cd /tmp/www; exec python3 -u -c '{SERVE}'"
LISTENS = ["CMD", "python3", "-c", "import socket; socket.create_connection(('127.0.0.1', 8000))"]
TESTS = """
from pathlib import Path
from time import monotonic
from threading import Event

import pytest
from nomock.errors import ComposeError

ASK = "import urllib.request as u; u.urlopen('http://{}', timeout={})"


def ask(stack, timeout_s=5):
    began = monotonic()
    stack["front"].exec("python3", "-c", ASK.format("toxiproxy:9000", timeout_s))
    return monotonic() - began


def test_an_edge(stack, faults):
    with faults.latency("front->web", latency_ms=900):
        assert ask(stack) > 0.9
    with faults.refused("front->web"), pytest.raises(ComposeError):
        ask(stack)
    ask(stack)


def test_packets(stack, faults):
    with faults.packet_block("web", port=8000), pytest.raises(ComposeError):
        ask(stack, timeout_s=1)
    with faults.isolate("web"), pytest.raises(ComposeError):
        ask(stack, timeout_s=1)
    ask(stack)


@pytest.mark.parametrize("kind", ["kill", "stop", "pause"])
def test_a_service(stack, faults, kind):
    with getattr(faults, kind)("web"), pytest.raises(ComposeError):
        ask(stack, timeout_s=1)
    ask(stack)


def test_kill_by_hand(stack):
    stack["web"].kill()
    assert "asked to end" not in stack["web"].logs()
    stack.wait_ready("web")
    stack["web"].stop()
    assert "asked to end" in stack["web"].logs()
    stack["web"].start()
    stack.wait_ready("web")


def test_squeeze(stack, faults):
    with faults.squeeze("web", cpus=0.1):
        pass


def test_that_is_killed(stack, faults):
    with faults.refused("front->web", expect_traffic=False), faults.stop("web"):
        Path("broken").touch()
        Event().wait()
"""


class Broken(Shop):
    """A project whose one edge runs through Toxiproxy, with tests that break it."""

    def begin(self, *chosen: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", "--nomock-target", "sandbox", *chosen],
            cwd=self.folder,
            env={**self.node.environ, "NOMOCK_TOOLS_IMAGE": TOOLS_IMAGE},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def edge(self) -> bool:
        """Whether the edge is open; the control port is reached by a connection of its own."""
        with closing(self.stack()) as stack:
            told = stack["toxiproxy"].http.get("/proxies/front->web").json()
            assert told["toxics"] == []
            return bool(told["enabled"])


@pytest.fixture(scope="module")
def broken(node: Node, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broken]:
    found = Broken(tmp_path_factory.mktemp("broken"), node)
    edges = [{"name": "front->web", "listen": ":9000", "upstream": "web:8000", "enabled": True}]
    (found.folder / "edges.json").write_text(json.dumps(edges))
    (found.folder / "edges.json").chmod(0o644)
    (found.folder / "test_broken.py").write_text(TESTS)
    (found.folder / ".env").write_text(f"NOMOCK_TOOLS_IMAGE={TOOLS_IMAGE}\n")
    shell = {"image": IMAGE, "user": "10001:10001", "init": True}
    health = {"test": LISTENS, "interval": "1s"}
    services = {
        "front": {**shell, "command": ["sleep", "infinity"]},
        "web": {
            **shell,
            "command": ["sh", "-c", SERVES],
            "healthcheck": health,
            "expose": ["8000"],
        },
        "toxiproxy": {
            "image": TOXIPROXY_IMAGE,
            "command": ["-host=0.0.0.0", "-config=/edges.json"],
            "volumes": ["./edges.json:/edges.json:ro"],
            "ports": ["127.0.0.1::8474"],
            "expose": ["9000"],
        },
    }
    found.write({"name": "broken", "services": services})
    promoted = found.nomock("promote")
    assert promoted.returncode == 0, promoted.stderr
    yield found
    found.nomock("sandbox", "down")


def test_faults_should_do_what_they_do_on_compose_when_a_sandbox_is_broken(broken: Broken) -> None:
    with broken.begin("-rs", "-k", "not killed") as running:
        said, _ = running.communicate()
    assert re.search(r"5 passed, 1 skipped, 1 deselected", said), said
    assert "fault squeeze web: a pod that runs keeps the limits that it is given" in said
    assert broken.edge()


def test_nothing_should_be_left_when_a_run_is_killed(broken: Broken) -> None:
    with broken.begin("-k", "killed") as running:
        try:
            assert wait_until((broken.folder / "broken").exists, within_s=120), "it was not begun"
            assert not broken.edge()
        finally:
            running.kill()
            running.communicate()
    # By the watchdog, which nobody but the end of the run has told.
    assert wait_until(broken.edge, within_s=30)
    healed = broken.nomock("sandbox", "heal")
    assert healed.stdout.endswith("healed 2 faults\n"), healed.stdout + healed.stderr
    assert broken.nomock("sandbox", "status").returncode == 0
    assert not list(Path(broken.folder / ".nomock" / "faults").glob("*/*.ndjson"))
