"""A warm session of one trivial test: bare pytest, nomock, and what its peers need for the same.

Figure (issue 3): nomock at most 0.2 s over bare pytest. The peers start and stop the stack each
session; they are installed in an environment of their own.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from ground import use_images
from pairs import in_turns, show

HERE = Path(__file__).parent
ENVIRONMENT = HERE.parent / ".nomock" / "bench-env"
PEERS = ("testcontainers", "pytest-docker", "pytest")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--peer-rounds", type=int, default=3)
    chosen = parser.parse_args()
    use_images()
    pytest = [sys.executable, "-m", "pytest"]
    nomock = ["-p", "no:nomock"]
    warm = in_turns(
        {
            "bare pytest": [*pytest, *nomock, "test_bare.py"],
            "nomock, attached": [*pytest, "test_nomock.py"],
        },
        rounds=chosen.rounds,
        cwd=HERE / "stack",
    )
    show("one trivial test, warm stack", warm, "bare pytest")
    subprocess.run(
        [sys.executable, "-m", "nomock.cli", "down", "--volumes"], cwd=HERE / "stack", check=True
    )
    if not chosen.peer_rounds:
        return
    peer = _peer_python()
    peers = in_turns(
        {
            "bare pytest": [peer, "-m", "pytest", "test_bare.py"],
            "testcontainers DockerCompose": [peer, "-m", "pytest", "test_testcontainers.py"],
            "pytest-docker": [peer, "-m", "pytest", "test_pytest_docker.py"],
        },
        rounds=chosen.peer_rounds,
        cwd=HERE / "stack",
    )
    show("the same, by peers", peers, "bare pytest")


def _peer_python() -> str:
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        subprocess.run(["uv", "venv", "--quiet", ENVIRONMENT], check=True)
    install = ["uv", "pip", "install", "--quiet", "--python", python, *PEERS]
    subprocess.run(install, check=True)
    return str(python)


if __name__ == "__main__":
    main()
