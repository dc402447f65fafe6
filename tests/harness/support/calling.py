"""The services and programs of apps/forwarding: in containers, the spy beside them."""

from __future__ import annotations

import json
import os
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from places import APPS
from serving import SPY, Server, SetUp, serving
from tiny import docker, inspect

from nomock.coverage.harvest.folder import read_all
from nomock.coverage.harvest.records import numbers

SOURCES = APPS / "forwarding"

BLOCKING = ("http.client", "putrequest", "urllib", "urllib3", "requests", "httpx")
WAYS = (*BLOCKING, "async httpx", "aiohttp")

_FRONT = "uvicorn --host 0.0.0.0 front:app"
_BACK = "uvicorn --port 8001 back:app"


@contextmanager
def built(python_image: str) -> Iterator[str]:
    """The image with a Python, for as long as the block lasts."""
    image = f"nomock-test-forwarding-{os.getpid()}"
    argument = f"PYTHON_IMAGE={python_image}"
    docker("build", "--quiet", "--tag", image, "--build-arg", argument, str(SOURCES))
    try:
        yield image
    finally:
        docker("image", "rm", "--force", image)


def spied(data_dir: Path, *, spy: Path = SPY) -> list[str]:
    """Return options of ``docker run`` that put the spy into a container."""
    return [
        *("--mount", f"type=bind,source={spy},target=/nomock-spy,readonly"),
        *("--mount", f"type=bind,source={data_dir},target=/nomock-spy-data"),
        *("--env", "PYTHONPATH=/nomock-spy"),
        *("--env", "NOMOCK_SPY_OUT=/nomock-spy-data", "--env", "NOMOCK_SPY_SERVICE=app"),
    ]


@dataclass(frozen=True)
class Answer:
    """What the service that was called says of the request that it got."""

    baggage: list[str]
    """The values of its baggage headers."""
    body: str
    client: int
    """The port that it came from: another one for each connection."""


class Services:
    """Two services, of which one calls the other."""

    def __init__(self, front: Server, back_id: str) -> None:
        self._front = front
        self.back_id = back_id

    def call(
        self,
        way: str,
        test: str | None,
        *,
        path: str = "answer",
        baggage: Sequence[str] = (),
        parts: Sequence[str] = (),
    ) -> Answer:
        """Have one call the other, with baggage and a body of its own, in the name of a test."""
        query = urlencode(
            [
                ("path", f"/{path}/{quote(way)}"),
                *(("baggage", value) for value in baggage),
                *(("part", part) for part in parts),
            ]
        )
        answer = self._front.get(f"/{quote(way)}?{query}", test)
        assert answer.status == 200, self._front.logs()
        return Answer(**json.loads(answer.body))

    def steps(self, test: str) -> set[str]:
        """Return the ways for which the service that is called ran its step for a test."""
        ran = self._front.ran().get(test, set())
        return {mark for line, mark in marks("back.py", "by").items() if ("back.py", line) in ran}

    def logs(self) -> str:
        """Return what the service that calls has logged."""
        return self._front.logs()


@contextmanager
def services(image: str, data_dir: Path) -> Iterator[Services]:
    """Both services, ready; gone after the block."""
    front = SetUp("front", "front", _FRONT, "Application startup complete")
    with serving(image, front, data_dir) as server:
        network = f"container:{server.id}"
        options = ("run", "--detach", "--network", network, *spied(data_dir))
        back_id = docker(*options, image, *_BACK.split()).strip()
        try:
            while server.get("/ready", None).status != 200:
                assert inspect(back_id)["State"]["Running"], docker("logs", back_id)
            yield Services(server, back_id)
        finally:
            docker("rm", "--force", "--volumes", back_id)


def program(
    image: str,
    data_dir: Path,
    *command: str,
    options: Sequence[str] = (),
    spy: Path = SPY,
    stdin: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run a program of the folder in a container until it ends."""
    run = ["docker", "run", "--rm", "--interactive", *spied(data_dir, spy=spy), *options]
    return subprocess.run(
        [*run, image, *command],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def mounted(*tracer_options: str) -> list[str]:
    """Return options that give a container of a bare Python the programs, and its tracer."""
    app = f"type=bind,source={SOURCES / 'app'},target=/app,readonly"
    return ["--mount", app, "--workdir", "/app", *tracer_options]


def marks(file: str, word: str) -> dict[int, str]:
    """Return the lines of a file that end with a comment ``word: mark``, and the marks."""
    lines = (SOURCES / "app" / file).read_text(encoding="utf-8").splitlines()
    comment = f"# {word}: "
    return {n: line.split(comment)[1] for n, line in enumerate(lines, 1) if comment in line}


def tests_of(data_dir: Path, file: str) -> dict[int, set[str]]:
    """Return the names of the tests that ran each line of a file; "no test" for the background."""
    tests: defaultdict[int, set[str]] = defaultdict(set)
    for process in read_all(data_dir).processes:
        assert process.canary_failure() == ""
        for ran in process.ran():
            if Path(ran.file.path).name == file:
                for line in numbers(ran.lines):
                    tests[line].add(ran.context.test.rpartition("::")[2] or "no test")
    return tests


tests_of.__test__ = False  # type: ignore[attr-defined]


def heads(output: str) -> dict[str, tuple[list[str], list[str]]]:
    """Return what heads.py prints: by way, a request's lines without a test, and with one."""
    found: dict[str, Any] = json.loads(output)
    return {way: (without, with_test) for way, (without, with_test) in found.items()}
