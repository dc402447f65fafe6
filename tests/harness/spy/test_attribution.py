"""Whose line it is: 200 tests on one server at once, and of each it is known what it ran."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from random import Random

import pytest
from serving import SET_UPS, Lines, Request, serving

TESTS = 200
# Each twelfth is of no test, and of 20 tests there are two.
REQUESTS = 240


def sender_of(number: int) -> str:
    """Return the test that sends a request; "" is none."""
    test = (number - number // 12) % TESTS
    return "" if number % 12 == 11 else f"tests/test_many.py::test_{test}"


def request_of(route: str, number: int, meeting: str, parties: int) -> Request:
    """Return a request for steps of its own, that meets those it is served with four times."""
    random = Random(number)
    steps = random.sample(range(32), 8)
    parts = "!".join(f"{steps[n]}.{steps[n + 1]}" for n in range(0, 8, 2))
    # Some do the same again and again, until its lines are no news and no longer looked at.
    rounds = random.choice([1, 10, 100])
    return Request(f"/{route}/{meeting}/{parties}/{rounds}/{parts}", tuple(steps))


# An event loop, threads and greenlets; and each server at its busiest.
OTHER_PYTHONS = (
    ("uvicorn", "3.11"),
    ("uvicorn", "3.14"),
    ("gunicorn with threads", "3.9"),
    ("gunicorn with gevent", "3.11"),
)
FEW_TOO = (
    *("uvicorn", "gunicorn with threads", "gunicorn with gevent", "Tornado", "Sanic"),
    *("gRPC with threads", "gRPC with asyncio"),
)
slow = partial(pytest.param, marks=pytest.mark.slow)


@pytest.mark.parametrize(
    ("name", "version", "in_flight"),
    [
        *((set_up.name, "3.13", 32) for set_up in SET_UPS.values() if set_up.steps),
        *(slow(name, "3.13", n) for name in FEW_TOO for n in (1, 8)),
        *(slow(*place, n) for place in OTHER_PYTHONS for n in (1, 8, 32)),
    ],
)
def test_precision_and_recall_should_be_1_when_200_tests_are_served_at_once(
    server_image: Callable[[str], str],
    tracer_options: Callable[[str], list[str]],
    tmp_path: Path,
    name: str,
    version: str,
    in_flight: int,
) -> None:
    set_up = SET_UPS[name]
    expected: defaultdict[str, Lines] = defaultdict(set)
    place = (server_image(version), set_up, tmp_path / "coverage")
    with (
        serving(*place, *tracer_options(version)) as server,
        ThreadPoolExecutor(in_flight) as clients,
    ):
        expected[""] |= server.ran()[""]
        for first in range(0, REQUESTS, in_flight):
            together = range(first, min(first + in_flight, REQUESTS))
            requests = [
                request_of(set_up.steps, n, f"from-{first}", len(together)) for n in together
            ]
            tests = [sender_of(n) for n in together]
            answers = clients.map(server.get, [request.path for request in requests], tests)
            for test, request, answer in zip(tests, requests, answers, strict=True):
                assert request.is_answered_by(answer), answer
                expected[test] |= request.lines(set_up)
        ran = server.ran()

    known = {(test, at) for test, lines in expected.items() for at in lines}
    reported = {(test, at) for test, lines in ran.items() for at in lines}
    assert len(expected) == 1 + TESTS
    precision = len(known & reported) / len(reported)
    recall = len(known & reported) / len(known)
    assert (precision, recall) == (1.0, 1.0)
