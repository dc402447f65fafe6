"""Each Python that the package is for, with the wheel alone: of this machine, or in a container.

uv finds those of this machine, of pyenv too, and downloads others where it may. Where it may not,
the image of that Python runs the tests, with this machine's docker client and socket.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import tiny
from foreign import uv, uv_environ
from places import ROOT
from pythons import image_of

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
Python = Callable[..., str]
"""Runs Python with arguments, in the folder of the project; returns what it printed."""
_CONSTRAINT = ("--constraint", str(ROOT / "requirements-dev.lock"))
_PLUGINS = "/usr/libexec/docker/cli-plugins"


def interpreter(version: str, wheel: Path, folder: Path, project: Path) -> Python:
    """Return a Python of a version that has the wheel; ``folder`` is made for that."""
    made = _uv("venv", "--python", version, str(folder), check=False)
    if made.returncode == 0:
        python = str(folder / "bin" / "python")
        _uv("pip", "install", "--python", python, *_CONSTRAINT, str(wheel))
        return lambda *arguments: _run([python, *arguments], project, os.environ)
    target = ("--python-version", version, "--only-binary", ":all:", "--target", str(folder))
    _uv("pip", "install", *target, *_CONSTRAINT, str(wheel))
    command = _container(version, folder, project)
    return lambda *arguments: _run([*command, *arguments], project, os.environ)


def _container(version: str, packages: Path, project: Path) -> list[str]:
    found = json.loads(tiny.docker("info", "--format", "{{json .ClientInfo.Plugins}}"))
    client = shutil.which("docker")
    mounts = [f"{packages}:{packages}:ro", f"{project}:{project}", f"{client}:/usr/bin/docker:ro"]
    mounts += [f"{plugin['Path']}:{_PLUGINS}/{Path(plugin['Path']).name}:ro" for plugin in found]
    mounts.append("/var/run/docker.sock:/var/run/docker.sock")
    return [
        *("docker", "run", "--rm", "--network=host", f"--workdir={project}"),
        *(f"--volume={mount}" for mount in mounts),
        *(f"--env=PYTHONPATH={packages}", "--env=PYTHONDONTWRITEBYTECODE=1"),
        *(image_of(version), "python3"),
    ]


def _run(command: list[str], folder: Path, environ: Mapping[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)[:300]}\n{done.stdout}{done.stderr}"
    return done.stdout


def _uv(*words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    environ = {**uv_environ(), "PYENV_VERSION": _of_pyenv()}
    command = [uv(), *words, "--quiet"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0 or not check, f"{words}\n{done.stdout}{done.stderr}"
    return done


def _of_pyenv() -> str:
    """Return the versions that pyenv has, as it wants to be told which of them are on the path."""
    pyenv = shutil.which("pyenv")
    if pyenv is None:
        return ""
    listed = subprocess.run([pyenv, "versions", "--bare"], capture_output=True, text=True)
    return ":".join(listed.stdout.split())
