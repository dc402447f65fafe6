"""The fixtures of nomock's own tests: tiny projects that are gone after their test, and images."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

# pytester forgets what is first imported inside a test of its own; httpx would go on to raise the
# forgotten module's errors, which no `except` knows, and requests no cookies but those of another.
import bytecode
import httpcore  # noqa: F401
import httpcore2  # noqa: F401
import pytest
import pythons
import requests  # noqa: F401
from places import APPS, ROOT
from tiny import Tiny, clear, docker
from warm import keep_warm

from nomock.coverage.harvest import prepare
from nomock.faults.janitor import heal_orphaned
from nomock.images import resolve_image
from nomock.images.manifest import read_manifest

# These tests' own modules take pytest four seconds to parse and rewrite, for each worker anew.
sys.dont_write_bytecode = False
pytest_plugins = ["pytester", "foreign", "odd_engine", "postgres_server"]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Compile once what the processes of the tests import."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        bytecode.keep_source(ROOT / "src")
        bytecode.keep_plugins(Path(sys.executable))


def pytest_xdist_auto_num_workers() -> int:
    """Say what `-n auto` is: a good part of the time these tests wait for containers."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture
def pytester(pytester: pytest.Pytester) -> pytest.Pytester:
    """pytest's own; what it runs starts quickly."""
    keep_warm(pytester)
    return pytester


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in the environment that says something of another stack or run; a quick pytest."""
    for name in os.environ:
        if re.match(r"NOMOCK_|COMPOSE_|PYTEST_XDIST_", name):
            monkeypatch.delenv(name)
    # Plugins of others, which import much: Hypothesis' all of it at the end of each run.
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:hypothesispytest -p no:anyio -p no:schemathesis")


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
        if left.name not in {"edges.json", "httpfaults.json"}:  # which are mounted
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
def jaeger_image() -> str:
    """The image of the backend, pulled or built once on this machine."""
    (spec,) = [i for i in read_manifest(ROOT / "images/images.toml") if i.builder == "jaeger.sh"]
    return resolve_image(ROOT, spec, lambda line: None).image


@pytest.fixture(scope="session")
def server_image() -> Iterator[Callable[[str], str]]:
    """Builds, when it is asked for, the image of apps/servers with a Python."""
    built: dict[str, str] = {}

    def build(version: str) -> str:
        if version not in built:
            tag = f"nomock-test-servers-{os.getpid()}:{version}"
            argument = f"PYTHON_IMAGE={pythons.image_of(version)}"
            context = str(APPS / "servers")
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
