"""Tiny compose projects on the real engine, each with a name of its own and gone after its test."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path
from textwrap import dedent
from typing import Any
from uuid import uuid4

# pytester forgets what is first imported inside a test of its own; httpx would go on to raise the
# forgotten module's errors, which no `except` knows, and requests no cookies but those of another.
import bytecode
import httpcore  # noqa: F401
import pytest
import pythons
import requests  # noqa: F401

from nomock.adapters.engine import Engine
from nomock.coverage.harvest import prepare
from nomock.errors import EngineError
from nomock.faults.janitor import heal_orphaned
from nomock.loading import load
from nomock.stack import Stack

pytest_plugins = ["pytester", "foreign"]

ROOT = Path(__file__).parents[2]
NOMOCK = Path(sys.executable).with_name("nomock")
Service = dict[str, Any]


def settled_image(variable: str, stand_in: str) -> str:
    """Return an image of the reference stack: its Python, or one of its stores."""
    env = ROOT / ".env"
    lines = env.read_text(encoding="utf-8").splitlines() if env.exists() else []
    settled = dict(line.split("=", 1) for line in lines if "=" in line)
    return os.environ.get(variable) or settled.get(variable) or stand_in


IMAGE = settled_image("PYTHON_IMAGE", "nomock/python:3.13")
NO_PYTHON_IMAGE = settled_image("REDIS_IMAGE", "nomock/redis:8")
TOOLS_IMAGE = settled_image("NOMOCK_TOOLS_IMAGE", "nomock/tools:1")


def _image(more: Service) -> Service:
    """What a service runs; one that is built must not be built under the name of all."""
    return {} if "build" in more else {"image": IMAGE}


def idle(command: str = "exec sleep infinity", **more: Any) -> Service:
    """A service without a port that runs a shell command; quick to start and to stop."""
    return {
        **_image(more),
        "command": ["sh", "-c", command],
        "network_mode": "none",
        "init": True,
        "stop_signal": "SIGKILL",
        **more,
    }


def server(port: int = 8000, before: str = "true", **more: Any) -> Service:
    """An HTTP server behind a published port; ``before`` is a shell command that runs first."""
    return {
        **_image(more),
        "command": ["sh", "-c", f"{before}; exec python3 -u -m http.server {port}"],
        "working_dir": "/srv",
        "init": True,
        "stop_signal": "SIGKILL",
        "ports": [f"127.0.0.1::{port}"],
        **more,
    }


def check(command: str, **more: Any) -> Service:
    """A healthcheck that is asked often while its service starts."""
    return {
        "test": ["CMD", "bash", "-c", command],
        "interval": "5s",
        "start_period": "30s",
        "start_interval": "200ms",
        **more,
    }


LISTENS = check("exec 3<>/dev/tcp/127.0.0.1/8000")


class Tiny:
    """A compose project in a directory of its own: its files, its runs, its containers."""

    def __init__(self, pytester: pytest.Pytester, name: str, path: Path | None = None) -> None:
        self.pytester = pytester
        self.path = path or pytester.path
        self.name = name
        (self.path / ".env").write_text(f"COMPOSE_PROJECT_NAME={name}\n", encoding="utf-8")

    def with_tools(self) -> None:
        """Say in .env, as `nomock images` would, which image faults start beside a service."""
        with (self.path / ".env").open("a", encoding="utf-8") as env:
            env.write(f"NOMOCK_TOOLS_IMAGE={TOOLS_IMAGE}\n")

    def compose(self, **services: Service) -> None:
        """Write the compose file."""
        self.compose_text(json.dumps({"services": services}))

    def compose_text(self, text: str) -> None:
        self.write("docker-compose.yml", text)

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def tests(self, text: str) -> None:
        """Write the test file."""
        self.write("test_tiny.py", dedent(text))

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest on the test file in a process of its own."""
        return self.pytester.runpytest_subprocess(*arguments, timeout=120)

    def nomock(self, *arguments: str) -> pytest.RunResult:
        """Run the command line in a process of its own."""
        return self.pytester.run(NOMOCK, *arguments, timeout=120)

    def stack(self, **options: Any) -> Stack:
        """Return the stack as this process would use it."""
        return Stack.of(load(self.path, options))

    def containers(self) -> dict[str, str]:
        """Return service -> id of its container."""
        return {c.service: c.id for c in Engine().containers(self.name)}

    def states(self) -> dict[str, str]:
        return {c.service: c.state for c in Engine().containers(self.name)}

    def plain(self, text: str) -> str:
        """Return a text without what differs from run to run: paths, ids, the project's name."""
        text = text.replace(str(self.path), "DIR").replace(self.name, "NAME")
        text = re.sub(r"\b[0-9a-f]{64}\b", "ID", text)
        return re.sub(r"\b[0-9a-f]{12}\b", "ID", text)


def clear(project: str) -> None:
    """Remove the containers, networks, volumes and images of a compose project."""
    filters = json.dumps({"label": [f"com.docker.compose.project={project}"]})
    forced = {"force": "1", "v": "1"}
    for container in ask("GET", "/containers/json", all="1", filters=filters):
        ask("DELETE", f"/containers/{container['Id']}", **forced)
    for network in ask("GET", "/networks", filters=filters):
        ask("DELETE", f"/networks/{network['Id']}")
    for volume in ask("GET", "/volumes", filters=filters)["Volumes"] or []:
        ask("DELETE", f"/volumes/{volume['Name']}", **forced)
    for image in ask("GET", "/images/json", all="1", filters=filters):
        ask("DELETE", f"/images/{image['Id']}", force="1")


def ask(method: str, path: str, **query: str) -> Any:
    """Ask the engine; a process of the docker client takes a hundred times as long."""
    return Engine()._call(method, path, query)


def inspect(container_id: str) -> Any:
    """Return all that the engine knows of a container."""
    return ask("GET", f"/containers/{container_id}/json")


def until_gone(container_id: str) -> None:
    """Return when a container has been removed; its program has ended before."""
    with suppress(EngineError):  # it is gone already
        ask("POST", f"/containers/{container_id}/wait", condition="removed")


def docker(*words: str) -> str:
    """Run the docker client and return what it says."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile once what the processes of the tests import."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        bytecode.keep_source(ROOT / "src")
        bytecode.keep_plugins(Path(sys.executable))


def pytest_xdist_auto_num_workers() -> int:
    """Say what `-n auto` is: a good part of the time these tests wait for containers."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the environment that says something of another stack or run; a quick pytest."""
    for name in os.environ:
        if re.match(r"NOMOCK_|COMPOSE_|PYTEST_XDIST_", name):
            monkeypatch.delenv(name)
    # Hypothesis' plugin imports all of it at the end of each run, for a quarter of a second.
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:hypothesispytest")


@pytest.fixture
def tiny(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, no_settings: None
) -> Iterator[Tiny]:
    """A compose project of this test alone."""
    project = Tiny(pytester, f"nomock-t-{uuid4().hex[:8]}")
    with monkeypatch.context() as undone:  # a test may have sent its own runs elsewhere
        endpoint = {k: os.environ.get(k) for k in ("DOCKER_HOST", "PATH", "DOCKER_CONTEXT")}
        try:
            yield project
        finally:
            for key, value in endpoint.items():
                undone.setenv(key, value) if value is not None else undone.delenv(key, False)
            clear(project.name)


@pytest.fixture(scope="session")
def running_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The folder and the name of the project of `shop`; its stack goes with the last test."""
    path, name = tmp_path_factory.mktemp("shop"), f"nomock-t-{uuid4().hex[:8]}"
    yield path, name
    clear(name)


@pytest.fixture
def shop(
    pytester: pytest.Pytester,
    monkeypatch: pytest.MonkeyPatch,
    no_settings: None,
    running_shop: tuple[Path, str],
) -> Iterator[Tiny]:
    """A compose project that keeps running for the next test, as a developer's does.

    For tests that need edges, not a stack of their own: `proxied` writes the same one each time.
    """
    path, name = running_shop
    monkeypatch.chdir(path)
    project = Tiny(pytester, name, path)
    yield project
    # A test that broke off before it was healed must not leave the next one a closed edge.
    if any((path / ".nomock/faults" / name).glob("*.ndjson")) and project.states():
        with closing(project.stack()) as stack:
            heal_orphaned(stack, print)
    for left in path.iterdir():
        if left.name != "edges.json":  # which is mounted
            shutil.rmtree(left) if left.is_dir() else left.unlink()


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A folder for the spies' records."""
    folder = tmp_path / "coverage"
    prepare(folder)
    return folder


@pytest.fixture
def docker_calls(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a line for each process of the docker client that a run starts."""
    calls = tiny.write("calls/log", "")
    real = subprocess.run(["which", "docker"], capture_output=True, text=True).stdout.strip()
    shim = tiny.write("calls/docker", f'#!/bin/sh\necho "$@" >> {calls}\nexec {real} "$@"\n')
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(shim.parent), prepend=os.pathsep)
    return calls


@pytest.fixture(scope="session")
def server_image() -> Iterator[Callable[[str], str]]:
    """Builds, when it is asked for, the image of tests/harness/servers with a Python."""
    built: dict[str, str] = {}

    def build(version: str) -> str:
        if version not in built:
            tag = f"nomock-test-servers-{os.getpid()}:{version}"
            argument = f"PYTHON_IMAGE={pythons.image_of(version)}"
            context = str(Path(__file__).parent / "servers")
            docker("build", "--quiet", "--tag", tag, "--build-arg", argument, context)
            built[version] = tag
        return built[version]

    try:
        yield build
    finally:
        if built:
            docker("image", "rm", "--force", *built.values())


@pytest.fixture(scope="session")
def tracer_options(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    """Returns the options of docker with which the spy has its tracer in a Python that needs it."""
    folder = tmp_path_factory.mktemp("tracers")
    return lambda version: pythons.tracer_options(version, folder)


def environment(**variables: str) -> Mapping[str, str]:
    """Return the environment of a process, with some variables changed."""
    return {**os.environ, **variables}
