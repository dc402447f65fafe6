"""Tiny compose projects on the real engine, each with a name of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from places import ROOT

from nomock.adapters.engine import Engine
from nomock.errors import EngineError
from nomock.loading import load
from nomock.stack import Stack

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
        "start_period": "120s",
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

    def nomock_on_a_read_only_disk(self, *arguments: str) -> pytest.RunResult:
        """Run the command line where nothing can be written into the project's folder."""
        self.path.chmod(0o555)
        # For root a folder is read-only only where its file system is.
        script = 'mount --bind . .; mount -o remount,ro,bind .; cd "$PWD"; exec "$@"'
        as_root = ["unshare", "--mount", "sh", "-ec", script, "sh"] if os.getuid() == 0 else []
        try:
            return self.pytester.run(*as_root, NOMOCK, *arguments, timeout=120)
        finally:
            self.path.chmod(0o755)

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
    """Remove the containers, networks, volumes and images of a compose project and its lanes."""
    named = json.dumps({"name": [project]})  # of all there are the engine would look up everything
    lanes = (f"{project}-lane", f"{project}-database")
    for path in ("/containers/json", "/networks"):
        for found in ask("GET", path, all="1", filters=named):
            name = (found["Labels"] or {}).get("com.docker.compose.project", "")
            if name.startswith(lanes):
                clear(name)
    filters = json.dumps({"label": [f"com.docker.compose.project={project}"]})
    forced = {"force": "1", "v": "1"}
    for container in ask("GET", "/containers/json", all="1", filters=filters):
        ask("DELETE", f"/containers/{container['Id']}", **forced)
    for network in ask("GET", "/networks", filters=filters):
        ask("DELETE", f"/networks/{network['Id']}")
    for network in ask("GET", "/networks", filters=named):
        if network["Name"].startswith(lanes):  # it joins a lane to its database, and is of neither
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


def environment(**variables: str) -> Mapping[str, str]:
    """Return the environment of a process, with some variables changed."""
    return {**os.environ, **variables}
