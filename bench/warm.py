"""One trivial test on a stack of two services: nomock, its peers, and compose called by hand.

    python bench/warm.py                     # python bench/warm.py --json

Figure (issue 3): on a warm stack nomock at most 0.2 s over bare pytest. The peers start and stop
the stack each session, as they do by default; "kept up" is the same with a project name and a
clean-up of the user's own that leave it running. They are installed in an environment of their own.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from ground import use_images
from pairs import Figures, in_turns, show

HERE = Path(__file__).parent
STACK = HERE / "stack"
ENVIRONMENT = HERE.parent / ".nomock" / "bench-env"
PEERS = ("testcontainers", "pytest-docker", "pytest")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--peer-rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    use_images()
    nomock = of_nomock(chosen.rounds)
    peers = of_peers(chosen.peer_rounds) if chosen.peer_rounds else {}
    if chosen.json:
        print(json.dumps({"nomock": nomock, "peers": peers}, indent=1))
        return
    show("one trivial test, warm stack", nomock, "bare pytest")
    if peers:
        show("the same, by others", peers, "bare pytest")


def of_nomock(rounds: int) -> Figures:
    """Return the seconds of a session by nomock whose stack is up, beside pytest without any."""
    pytest = [sys.executable, "-m", "pytest"]
    try:
        return in_turns(
            {
                "bare pytest": [*pytest, "-p", "no:nomock", "test_bare.py"],
                "nomock": [*pytest, "test_nomock.py"],
            },
            rounds=rounds,
            cwd=STACK,
        )
    finally:
        down = [sys.executable, "-m", "nomock.cli", "down", "--volumes"]
        subprocess.run(down, cwd=STACK, check=True)


def of_peers(rounds: int) -> Figures:
    """Return the seconds of the same by others, each in turn on the same compose file.

    What leaves the stack up takes turns of its own, after a first round that starts it.
    """
    peer = _peer_python()
    up, down = "docker compose up --detach --wait", "docker compose down --volumes"
    by_hand = f"{up} && {peer} -m pytest test_by_hand.py"
    try:
        each_time = in_turns(
            {
                "bare pytest": [peer, "-m", "pytest", "test_bare.py"],
                "testcontainers": [peer, "-m", "pytest", "test_testcontainers.py"],
                "pytest-docker": [peer, "-m", "pytest", "test_pytest_docker.py"],
                "compose by hand": ["sh", "-c", f"{by_hand} && {down}"],
            },
            rounds=rounds,
            cwd=STACK,
        )
        kept_up = in_turns(
            {
                "pytest-docker, kept up": [peer, "-m", "pytest", "test_pytest_docker_kept.py"],
                "compose by hand, kept up": ["sh", "-c", by_hand],
            },
            rounds=rounds,
            cwd=STACK,
        )
    finally:
        subprocess.run(down.split(), cwd=STACK, check=True)
    return each_time | kept_up


def _peer_python() -> str:
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        subprocess.run(["uv", "venv", "--quiet", ENVIRONMENT], check=True)
    install = ["uv", "pip", "install", "--quiet", "--python", python, *PEERS]
    subprocess.run(install, check=True)
    return str(python)


if __name__ == "__main__":
    main()
