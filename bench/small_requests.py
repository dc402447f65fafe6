"""The CPU that small requests cost three servers: plain, with the spy, and with another spy.

Figures (issue 11), CPU ratios to plain, a test with four requests and one with one: a tiny ASGI
application at most 1.20 and 1.35, Flask with a Jinja template 1.06 and 1.10, Django with its ORM
1.04 and 1.06. The servers are pinned to one core and take turns, and what counts is the median over
the rounds of the ratio within one.
``--against`` is the folder of another spy, such as that of another checkout.
"""

from __future__ import annotations

import argparse
import http.client
import os
import subprocess
import tempfile
from itertools import count
from pathlib import Path
from statistics import median

from ground import python_image

from nomock.adapters.engine import Engine

ROOT = Path(__file__).parents[1]
APPS = {
    "tiny ASGI, uvicorn": "uvicorn --host 0.0.0.0 --no-access-log tiny:app",
    "Flask and Jinja, gunicorn": "gunicorn --bind :8000 --threads 2 --keep-alive 60 pages:app",
    # Django is in the image of Python 3.13 alone.
    "Django and its ORM, gunicorn": "gunicorn --bind :8000 --threads 2 --keep-alive 60 orm:app",
}
REQUESTS = 4


class Server:
    """An application on a server in a container, with a spy beside it or without one."""

    def __init__(self, image: str, command: str, spy: Path | None, data: str) -> None:
        options = ["--cpuset-cpus", "0", "--publish", "127.0.0.1::8000"]
        options += ["--volume", f"{ROOT}/bench/spy/apps:/app:ro"]
        if spy is not None:
            options += ["--volume", f"{spy}:/nomock-spy:ro", "--volume", f"{data}:/data"]
            for setting in ("PYTHONPATH=/nomock-spy", "NOMOCK_SPY_OUT=/data"):
                options += ["--env", setting]
        run = ["docker", "run", "--detach", *options, image, *command.split()]
        self.id = _said(*run)
        port = _said("docker", "port", self.id, "8000/tcp").rpartition(":")[2]
        self._connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=30)
        while not self._answers():
            pass

    def get(self, test: int) -> None:
        """Ask for a page in the name of a test."""
        headers = {"baggage": f"nomock.test=bench%2Ftest_small.py%3A%3Atest_number_{test}"}
        self._connection.request("GET", "/bench", headers=headers)
        reply = self._connection.getresponse()
        assert (reply.status, bool(reply.read())) == (200, True)

    def cpu_ns(self) -> int:
        """Return the CPU that it has used so far."""
        once = {"stream": "0", "one-shot": "1"}
        stats = Engine()._call("GET", f"/containers/{self.id}/stats", once)
        used: int = stats["cpu_stats"]["cpu_usage"]["total_usage"]
        return used

    def _answers(self) -> bool:
        try:
            self.get(0)
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return False
        return True


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--tests", type=int, default=100, help=f"a round, {REQUESTS} requests each")
    parser.add_argument("--image", default=python_image(), help="with the Python of the servers")
    parser.add_argument("--against", type=Path, help="the folder of another spy")
    parser.add_argument("--app", choices=range(len(APPS)), type=int, help="only this one")
    chosen = parser.parse_args()
    os.sched_setaffinity(0, {1})
    image = f"nomock-bench-small:{chosen.image.rpartition(':')[2]}"
    _said(
        *("docker", "build", "--quiet", "--tag", image),
        *("--build-arg", f"PYTHON_IMAGE={chosen.image}"),
        str(ROOT / "tests/harness/apps/servers"),
    )
    spies = {"plain": None, "spied": ROOT / "coverage-spy"}
    if chosen.against is not None:
        spies["against"] = chosen.against.resolve()
    for number, (title, command) in enumerate(APPS.items()):
        if chosen.app in (None, number):
            _compare(title, image, command, spies, chosen.rounds, chosen.tests)


def _compare(
    title: str, image: str, command: str, spies: dict[str, Path | None], rounds: int, tests: int
) -> None:
    servers: dict[str, Server] = {}
    with tempfile.TemporaryDirectory() as data:
        Path(data).chmod(0o777)
        try:
            for name, spy in spies.items():
                servers[name] = Server(image, command, spy, data)
            for requests in (REQUESTS, 1):
                figures = _measure(servers, rounds, tests, requests)
                print(f"\n{title}, a test with {requests}")
                for name, used in figures.items():
                    over = median(a / b for a, b in zip(used, figures["plain"], strict=True))
                    print(
                        f"  {name:<8} median {median(used):6.1f} us  ratio {over:5.3f}", flush=True
                    )
        finally:
            ids = [server.id for server in servers.values()]
            subprocess.run(["docker", "rm", "--force", *ids], check=True, capture_output=True)


def _measure(
    servers: dict[str, Server], rounds: int, tests: int, requests: int
) -> dict[str, list[float]]:
    """Return the microseconds of CPU a request, by server and round."""
    number = count(requests * 10**6)
    figures: dict[str, list[float]] = {name: [] for name in servers}
    for round_number in range(rounds + 1):
        before = {name: server.cpu_ns() for name, server in servers.items()}
        # In turns, test by test: what else the machine does meets all of them alike.
        for _ in range(tests * REQUESTS // requests):
            test = next(number)
            for server in servers.values():
                for _ in range(requests):
                    server.get(test)
        for name, server in servers.items():
            used_ns = server.cpu_ns() - before[name]
            if round_number:  # the first is a warm-up
                figures[name].append(used_ns / 1e3 / (REQUESTS * tests))
    return figures


def _said(*command: str) -> str:
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
