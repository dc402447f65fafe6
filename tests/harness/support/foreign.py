"""Other people's projects: small folders that hold nothing of ours, run with the wheel alone.

The wheel is installed once a session into an environment of its own, as a user would have it. The
projects stand in ``foreign_projects/``, each after a public bug report; a test takes a copy.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import bytecode
import pytest
import tiny
from places import APPS, ROOT

from nomock.filelock import FileLock

PROJECTS = APPS / "foreign_projects"

_LONGEST_S = 300
# The projects name the stand-ins; where a registry answers, the images have other names.
_IMAGES = {
    "nomock/python:3.13": tiny.IMAGE,
    "nomock/postgres:17": tiny.settled_image("POSTGRES_IMAGE", "nomock/postgres:17"),
    "nomock/redis:8": tiny.NO_PYTHON_IMAGE,
}


@dataclass(frozen=True)
class Done:
    """How a command of a user ended, and all that it printed, both streams in order."""

    code: int
    text: str

    def __contains__(self, part: str) -> bool:
        return part in self.text


@dataclass
class Foreign:
    """A copy of a foreign project, and the commands that its owner types."""

    path: Path
    bin: Path
    environ: dict[str, str] = field(default_factory=dict)
    """What this project's commands have in their environment beside the usual."""

    def pytest(self, *arguments: str, cwd: str = "") -> Done:
        """Run pytest of the environment with the wheel, in the project or a folder of it."""
        return self.run(str(self.bin / "pytest"), "-p", "no:cacheprovider", *arguments, cwd=cwd)

    def nomock(self, *arguments: str, cwd: str = "") -> Done:
        return self.run(str(self.bin / "nomock"), *arguments, cwd=cwd)

    def compose(self, *arguments: str, cwd: str = "") -> Done:
        return self.run("docker", "compose", *arguments, cwd=cwd)

    def run(self, *command: str, cwd: str = "") -> Done:
        folder = self.path / cwd
        done = subprocess.run(
            command,
            cwd=folder,
            env={**_clean(os.environ), "PWD": str(folder), **self.environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_LONGEST_S,
            check=False,
        )
        return Done(done.returncode, done.stdout)

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def containers(self) -> list[dict[str, Any]]:
        """Return what the engine lists of all containers of this folder's projects, ended too."""
        found: list[dict[str, Any]] = tiny.ask("GET", "/containers/json", all="1")
        label = "com.docker.compose.project.working_dir"
        roots = (str(self.path), os.path.realpath(self.path))
        return [c for c in found if c["Labels"].get(label, "").startswith(roots)]

    def projects(self) -> set[str]:
        """Return the names of the compose projects that have containers of this folder."""
        return {c["Labels"]["com.docker.compose.project"] for c in self.containers()}

    def ids(self) -> dict[str, str]:
        """Return service -> id of its container."""
        return {c["Labels"]["com.docker.compose.service"]: c["Id"] for c in self.containers()}


def _clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without what says something of nomock's own stack or run."""
    ours = ("NOMOCK_", "COMPOSE_", "PYTEST_", "COVERAGE_", "COV_CORE_")
    return {k: v for k, v in environ.items() if not k.startswith(ours)}


@pytest.fixture(scope="session")
def wheel_bin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the commands of an environment that holds nomock's wheel."""
    return _environment(tmp_path_factory, "wheel")


@pytest.fixture(scope="session")
def beside_bin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of one that has the plugins of others, too, which nomock is tried beside."""
    return _environment(tmp_path_factory, "beside", "--requirements", "requirements-beside.lock")


def _environment(factory: pytest.TempPathFactory, name: str, *more: str) -> Path:
    """Return the folder of the commands of an environment that all workers of a session share."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    environment = shared / f"{name}-environment"
    lock = FileLock(shared / f"{name}-environment.lock")
    lock.acquire(exclusive=True)
    try:
        if not (environment / "whole").exists():
            _install_wheel(environment, shared / name, more)
            (environment / "whole").touch()
    finally:
        lock.close()
    return environment / "bin"


def _install_wheel(environment: Path, folder: Path, more: Sequence[str]) -> None:
    def run(*command: str) -> None:
        done = subprocess.run(command, cwd=ROOT, env=uv_environ(), capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"

    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    (wheel,) = folder.glob("*.whl")
    run(uv(), "venv", "--quiet", "--clear", "--python", sys.executable, str(environment))
    python = str(environment / "bin" / "python")
    locked = ("--constraint", "requirements-dev.lock")
    install = (uv(), "pip", "install", "--quiet", "--compile-bytecode", "--python", python)
    run(*install, *locked, str(wheel))
    if more:
        run(*install, *more)
    bytecode.keep_plugins(environment / "bin" / "python")


def uv() -> str:
    """Return the path of uv."""
    found = shutil.which(
        "uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    assert found is not None, "./just puts uv beside the other development dependencies"
    return found


def uv_environ() -> dict[str, str]:
    """Return the environment in which uv asks the index that pip asks, as ./just has it."""
    pip = shutil.which("pip3") or shutil.which("pip")
    index = ""
    if pip is not None:
        asked = subprocess.run(
            [pip, "config", "get", "global.index-url"], capture_output=True, text=True
        )
        index = asked.stdout.strip() if asked.returncode == 0 else ""
    index = index or os.environ.get("PIP_INDEX_URL", "")
    named = {"UV_DEFAULT_INDEX": index} if index else {}
    return {"UV_SYSTEM_CERTS": "1", **named, **os.environ}


@pytest.fixture
def foreign(wheel_bin: Path, tmp_path: Path) -> Iterator[Callable[..., Foreign]]:
    """Copies a project: ``foreign("build-dot")``; what it started is gone after the test.

    The copy's folder has a name of its own, from which compose takes the project's name where
    nothing else says one; ``folder=`` sets it. ``commands=`` are those of another environment.
    """
    made: list[Foreign] = []

    def copy(name: str, *, folder: str | None = None, commands: Path = wheel_bin) -> Foreign:
        target = tmp_path / (folder or f"{name}-{tmp_path.parent.name[-4:]}{os.getpid()}")
        shutil.copytree(PROJECTS / name, target, symlinks=True)
        for path in target.rglob("*"):
            if path.is_file() and not path.is_symlink():
                _settle(path)
        made.append(Foreign(target, commands, {"NOMOCK_TOOLS_IMAGE": tiny.TOOLS_IMAGE}))
        return made[-1]

    yield copy
    for project in made:
        for name in project.projects():
            tiny.clear(name)


def _settle(path: Path) -> None:
    old = path.read_bytes()
    new = old
    for named, settled in _IMAGES.items():
        new = new.replace(named.encode(), settled.encode())
    if new != old:
        path.write_bytes(new)
