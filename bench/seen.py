"""How long after the engine calls a service healthy a run goes on.

Figure (issue 3): within 100 ms. The engine's own event has its time stamp; the run's is taken when
the stack is ready. Both clocks are this machine's, so the engine has to run on it.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from pathlib import Path
from statistics import median
from time import time_ns

from nomock.loading import load
from nomock.stack import Stack

PROJECT = "nomock-bench-seen"
IMAGE = "${PYTHON_IMAGE:-python:3.13-slim}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "docker-compose.yml").write_text(json.dumps(_stack()), encoding="utf-8")
        late_ms = [_round(Path(folder)) for _ in range(chosen.rounds)]
    print(
        f"\nhealthy until ready, {chosen.rounds} rounds: median {median(late_ms):.0f} ms"
        f"  min {min(late_ms):.0f} ms  max {max(late_ms):.0f} ms"
    )


def _round(folder: Path) -> float:
    began_s = time_ns() // 10**9
    stack = Stack.of(load(folder, {"project": PROJECT}))
    try:
        stack.prepare()
        ready_ns = time_ns()
        return (ready_ns - _healthy_ns(began_s)) / 1e6
    finally:
        stack.down(volumes=True)
        stack.close()


def _healthy_ns(since_s: int) -> int:
    """Return when the engine called the service healthy first, in nanoseconds since the epoch."""
    window = ["--since", str(since_s), "--until", str(time_ns() // 10**9 + 1)]
    ours = ["--filter", f"label=com.docker.compose.project={PROJECT}"]
    done = subprocess.run(
        ["docker", "events", *window, *ours, "--format", "{{json .}}"],
        capture_output=True,
        text=True,
        check=True,
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return min(int(e["timeNano"]) for e in events if e["Action"] == "health_status: healthy")


def _stack() -> dict[str, object]:
    listens = "import socket; socket.create_connection(('127.0.0.1', 8000))"
    web = {
        "image": IMAGE,
        "command": ["python3", "-m", "http.server", "8000"],
        "init": True,
        "stop_signal": "SIGKILL",
        "healthcheck": {
            "test": ["CMD", "python3", "-I", "-S", "-c", listens],
            "start_period": "30s",
            "start_interval": "200ms",
        },
    }
    return {"services": {"web": web}}


if __name__ == "__main__":
    main()
