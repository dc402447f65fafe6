"""Kill pytest at random moments under faults: does the next run start clean? And do tests meet?

Figures (issue 5): after 30 kills the next run starts clean each time; 20 fault tests on two
workers of one stack, ten runs: no cross-talk.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from threading import Event

from ground import use_images

from nomock.adapters.engine import Engine
from nomock.loading import load
from nomock.stack import Stack

HERE = Path(__file__).parent
BREAKING = """
import pytest

KINDS = {"latency": {"latency_ms": 20}, "reset": {}, "refused": {}, "blackhole": {}, "slice": {}}

@pytest.mark.parametrize("n", range(100))
@pytest.mark.parametrize("kind", KINDS)
def test_break(stack, faults, kind, n):
    with getattr(faults, kind)("bench->echo", expect_traffic=False, **KINDS[kind]):
        with (faults.pause, faults.stop, faults.none)[n % 3](*["echo"][: n % 3 < 2]):
            pass
"""
ALIVE = """
import socket

def alive(stack, service="toxiproxy", port=17000):
    with socket.create_connection(("127.0.0.1", stack[service].port(port)), 5) as sock:
        sock.settimeout(5)
        sock.sendall(b"x")
        return sock.recv(1) == b"x"
"""
CLEAN = f"""{ALIVE}
def test_clean(stack):
    assert alive(stack)
    assert alive(stack, "echo", 7000)
"""
# Whether the edge is whole is what the fault of another test would change.
APART = f"""{ALIVE}
import pytest

@pytest.mark.parametrize("n", range(20))
def test_apart(stack, faults, n):
    assert alive(stack)
    cut = faults.cut_after("bench->echo", after_bytes=0)
    with cut if n % 2 else faults.refused("bench->echo"):
        try:
            broken = not alive(stack)
        except OSError:
            broken = True
        assert broken
    assert alive(stack)
"""


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=5)
    chosen = parser.parse_args()
    use_images()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "edges"
        shutil.copytree(HERE / "edges", folder, ignore=shutil.ignore_patterns(".nomock"))
        (folder / ".env").write_text("COMPOSE_PROJECT_NAME=nomock-bench-killed\n")
        (folder / "pytest.ini").write_text("[pytest]\n")
        for name, text in {"breaking": BREAKING, "clean": CLEAN, "apart": APART}.items():
            (folder / f"test_{name}.py").write_text(text)
        stack = Stack.of(load(folder))
        try:
            clean, met = kills(folder, stack, chosen.kills, chosen.seed), 0
            print(f"clean after {clean} of {chosen.kills} kills", flush=True)
            for _ in range(chosen.runs):
                met += run(folder, "test_apart.py", "-n", "2") != 0
            print(f"cross-talk in {met} of {chosen.runs} runs of 20 fault tests on two workers")
        finally:
            stack.down(volumes=True)
            stack.close()
    sys.exit(clean != chosen.kills or met > 0)


def kills(folder: Path, stack: Stack, count: int, seed: int) -> int:
    """Return after how many kills the next run was green and found nothing broken."""
    chance = random.Random(seed)
    run(folder, "test_clean.py")  # the stack is up
    clean = 0
    for number in range(count):
        broken = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-q", "test_breaking.py"],
            cwd=folder,
            stdout=subprocess.DEVNULL,
        )
        journals = folder / ".nomock" / "faults" / stack.name
        while not (any(journals.glob("*.ndjson")) or broken.poll() is not None):
            Event().wait(0.01)
        Event().wait(chance.uniform(0, 2))
        broken.kill()
        broken.wait()
        ended = run(folder, "test_clean.py")
        left = left_of(stack, journals)
        clean += ended == 0 and not left
        print(f"kill {number + 1}: exit {ended}, left {left or 'nothing'}", flush=True)
    return clean


def run(folder: Path, *arguments: str) -> int:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(done.stdout)
    return done.returncode


def left_of(stack: Stack, journals: Path) -> list[str]:
    """Return what is not as it should be."""
    address = f"http://127.0.0.1:{stack['toxiproxy'].port(8474)}/proxies"
    with urllib.request.urlopen(address) as reply:
        edges = json.load(reply)
    left = [name for name, edge in edges.items() if edge["toxics"] or not edge["enabled"]]
    left += [f"{c.service} {c.state}" for c in stack.containers() if c.state != "running"]
    left += [path.name for path in journals.glob("*.ndjson")]
    ids = {c.id for c in stack.containers()}
    labelled = {"filters": json.dumps({"label": ["nomock.watchdog"]})}
    for container in Engine()._call("GET", "/containers/json", labelled):
        if container["Labels"]["nomock.watchdog"] in ids:
            left.append("a watchdog")
    return left


if __name__ == "__main__":
    main()
