"""Whose line it is: 200 tests on one server at once, and of each it is known what it ran."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
from serving import SET_UPS, Request, serving

TESTS = 200


def requests(meeting: str, tests: range) -> dict[str, Request]:
    """Return a request for each test, which are served together: they meet four times."""
    made = {}
    for test in tests:
        random = Random(test)
        steps = random.sample(range(32), 8)
        parts = "!".join(
            f"{one}.{other}" for one, other in zip(steps[::2], steps[1::2], strict=True)
        )
        # Some do the same again and again, until its lines are no news and no longer looked at.
        rounds = random.choice([1, 10, 100])
        path = f"/steps/{meeting}/{len(tests)}/{rounds}/{parts}"
        made[f"tests/test_many.py::test_{test}"] = Request(path, tuple(steps))
    return made


@pytest.mark.parametrize("in_flight", [1, 8, 32])
@pytest.mark.parametrize(
    ("name", "python"),
    [
        ("uvicorn", "3.13"),
        ("uvicorn", "3.14"),
        ("gunicorn with threads", "3.13"),
        ("gunicorn with threads", "3.14"),
        ("gunicorn with gevent", "3.13"),
        ("gunicorn with asgi", "3.13"),
        ("hypercorn", "3.13"),
    ],
)
def test_precision_and_recall_should_be_1_when_200_tests_are_served(
    server_image: Callable[[str], str], tmp_path: Path, name: str, python: str, in_flight: int
) -> None:
    set_up = SET_UPS[name]
    known, answered = set(), 0
    with (
        serving(server_image(python), set_up, tmp_path / "coverage") as server,
        ThreadPoolExecutor(in_flight) as clients,
    ):
        for first in range(0, TESTS, in_flight):
            made = requests(f"with-{first}", range(first, min(first + in_flight, TESTS)))
            paths = [request.path for request in made.values()]
            for request, answer in zip(
                made.values(), clients.map(server.get, paths, made), strict=True
            ):
                answered += request.is_answered_by(answer)
            known |= {(test, at) for test in made for at in made[test].lines(set_up)}
        ran = server.ran()
    reported = {(test, at) for test, lines in ran.items() if test for at in lines}
    assert answered == TESTS
    precision = len(known & reported) / len(reported)
    recall = len(known & reported) / len(known)
    assert (precision, recall) == (1.0, 1.0)
