"""The CPU that a request costs the real `instances` service: plain, with the spy, by coverage.py.

Figures (issue 4), contexts on: the spy at most 1.10x of plain, at most 0.7x of coverage.py's C
tracer with a context a request. Server and client are pinned to a core each, the three take turns,
and what counts is the median over the rounds of the ratio within one round.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import uuid
from itertools import count
from pathlib import Path
from statistics import median

import httpx

ROOT = Path(__file__).parents[1]
WORK = ROOT / ".nomock" / "bench-spy"
PROJECT = "nomock-bench-spy"
COMPOSE = ["docker", "compose", "-p", PROJECT, "-f", "docker-compose.yml"]
COMPOSE += ["-f", "bench/spy/docker-compose.yml"]
SUBJECTS = ("plain", "spied", "ctrace")

sys.path.insert(0, str(ROOT / "tests"))
from helpers.oauth import PASSWORD, AuthClient, User  # noqa: E402

from nomock.adapters.engine import Engine  # noqa: E402


class Service:
    """What the helpers of the tests expect of a service: its HTTP client."""

    def __init__(self, name: str) -> None:
        done = subprocess.run(
            [*COMPOSE, "port", name, "8000"], cwd=ROOT, check=True, capture_output=True, text=True
        )
        self.http = httpx.Client(base_url=f"http://{done.stdout.strip()}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--tests", type=int, default=40, help="tests a round, 4 requests each")
    chosen = parser.parse_args()
    os.sched_setaffinity(0, {1})
    try:
        _make_ready()
        for title, per_request in (("a test has four requests", False), ("one request", True)):
            figures = _measure(chosen.rounds, chosen.tests, per_request=per_request)
            print(f"\nCPU a request, {title}")
            for name in SUBJECTS:
                over = median(a / b for a, b in zip(figures[name], figures["plain"], strict=True))
                print(f"  {name:<8} median {median(figures[name]):6.3f} ms  ratio {over:5.3f}")
            pairs = zip(figures["spied"], figures["ctrace"], strict=True)
            print(f"  spied / ctrace {median(a / b for a, b in pairs):5.3f}")
    finally:
        subprocess.run([*COMPOSE, "down", "--volumes", "--timeout", "1"], cwd=ROOT, check=True)


def _make_ready() -> None:
    (WORK / "data").mkdir(parents=True, exist_ok=True)
    (WORK / "data").chmod(0o777)
    if not (WORK / "coverage").exists():
        python = ["--python-version", "3.13", "--python-platform", "linux"]
        target = ["--target", str(WORK / "coverage"), "--only-binary", ":all:"]
        subprocess.run(["uv", "pip", "install", *python, *target, "coverage>=7.17"], check=True)
    wanted = ["auth", "httpfaults", "worker", *SUBJECTS]
    # The image of `instances` is built once and has three names.
    subprocess.run([*COMPOSE, "up", "--detach", "--wait", *wanted], cwd=ROOT, check=True)


def _measure(rounds: int, tests: int, *, per_request: bool) -> dict[str, list[float]]:
    """Return the milliseconds of CPU a request, by subject and round."""
    auth = Service("auth")
    client = AuthClient.register(auth, f"TEST bench {uuid.uuid4()}")
    name = f"TEST bench {uuid.uuid4()}"
    asked = {"username": name, "password": PASSWORD, "tenant": name, "tier": "enterprise"}
    user = User(username=name, **auth.http.post("/users", json=asked).json())
    token = client.tokens(user)["access_token"]
    number = count()
    services = {name: Service(name) for name in SUBJECTS}
    containers = {c.service: c.id for c in Engine().containers(PROJECT)}
    figures: dict[str, list[float]] = {name: [] for name in SUBJECTS}
    for round_number in range(rounds + 1):
        before = {name: _cpu_ns(containers[name]) for name in services}
        # In turns, test by test: what else the machine does meets all of them alike.
        for _ in range(tests):
            for service in services.values():
                _one_test(service.http, token, number, per_request=per_request)
        for name, before_ns in before.items():
            used_ns = _cpu_ns(containers[name]) - before_ns
            if round_number:  # the first is a warm-up
                figures[name].append(used_ns / 1e6 / (4 * tests))
    return figures


def _one_test(http: httpx.Client, token: str, number: count[int], *, per_request: bool) -> None:
    test = next(number)

    def headers() -> dict[str, str]:
        context = next(number) if per_request else test
        return {
            "Authorization": f"Bearer {token}",
            "baggage": f"nomock.test=bench%2Ftest_a.py%3A%3Atest_{context}",
        }

    order = {"name": f"TEST bench {uuid.uuid4()}", "size": "small"}
    reply = http.post("/instances", json=order, headers=headers())
    assert reply.status_code == 202, reply.text
    one = reply.headers["location"]
    assert http.get(one, headers=headers()).status_code == 200
    assert http.get("/instances", headers=headers()).status_code == 200
    assert http.delete(one, headers=headers()).status_code == 202


def _cpu_ns(container: str) -> int:
    once = {"stream": "0", "one-shot": "1"}
    stats = Engine()._call("GET", f"/containers/{container}/stats", once)
    used: int = stats["cpu_stats"]["cpu_usage"]["total_usage"]
    return used


if __name__ == "__main__":
    main()
