"""Asking each service which Python it runs, and choosing how it is covered."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from nomock.adapters.engine import Engine, ImageConfig
from nomock.coverage.overlay.finding import Finding, finding_of
from nomock.coverage.python_startup import words_of
from nomock.errors import EngineError, EngineForbiddenError, EngineMissingError
from nomock.project import Project, ServiceConfig
from nomock.target import Container, ExecResult

_AT_ONCE = 8
# The variables that say where Pythons are, and which of them a runner chooses.
_CHOOSES = re.compile(r"(PATH|HOME|VIRTUAL_ENV|WORKON_HOME|(UV|POETRY|CONDA|PYENV|PIPENV|PDM)_.*)$")
_MARK = "nomock-probe "
_PROBE = Path(__file__).with_name("inside.py").read_text(encoding="utf-8")
# What a shell, and the engine, says of a command that is not there or not a program.
_NO_PROGRAM = {126, 127}


def survey(project: Project, engine: Engine, names: Iterable[str]) -> list[Finding]:
    """Ask some services of a project, several at once; in their order.

    One that runs is asked in its container, another in a container of its image that lives for
    this question. Raises UnknownServiceError, and EngineMissingError where no engine answers.
    """
    services = [project.service(name) for name in names]
    running = {c.service: c for c in engine.containers(project.name) if c.state == "running"}

    def ask(service: ServiceConfig) -> Finding:
        return _Question(engine, service, running.get(service.name)).finding()

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(ask, services))


class _Question:
    """The question that one service is asked."""

    def __init__(self, engine: Engine, service: ServiceConfig, running: Container | None) -> None:
        self._engine = engine
        self._service = service
        self._running = running

    def finding(self) -> Finding:
        name = self._service.name
        try:
            image = self._image()
            if image is None:
                return Finding(name, reason=self._how_to_get_the_image())
            words = words_of(self._service.config, image)
            answer = self._ask(words)
        except (EngineMissingError, EngineForbiddenError):
            raise
        except EngineError as error:
            return Finding(name, reason=f"{error.what}: {error.seen}")
        if isinstance(answer, str):
            return Finding(name, reason=answer)
        return replace(finding_of(name, words, answer), own_path=_own_path(self._service, image))

    def _image(self) -> ImageConfig | None:
        """Return the service's image; its container is not asked where that is of an older one."""
        image = self._engine.image_config(self._service.image)
        if self._running is not None:
            if image is None:
                return self._engine.image_config(self._running.image_id)
            if image.id != self._running.image_id:
                self._running = None
        return image

    def _how_to_get_the_image(self) -> str:
        verb = "build" if self._service.is_built else "pull"
        return f"its image is not here: docker compose {verb} {self._service.name}"

    def _ask(self, words: Sequence[str]) -> Mapping[str, Any] | str:
        """Return what the Python says of itself, or why nothing does."""
        request = json.dumps({"words": words})
        for python in _candidates(words):
            ended = self._run([python, "-I", "-c", _PROBE, _PROBE, request])
            for line in ended.output.splitlines():
                if line.startswith(_MARK):
                    found = json.loads(line.removeprefix(_MARK))
                    assert isinstance(found, dict)
                    return found
            if ended.exit_code not in _NO_PROGRAM:
                return _no_answer(python, ended)
        return "no Python in it"

    def _run(self, command: Sequence[str]) -> ExecResult:
        if self._running is not None:
            return self._engine.run_inside(self._running.id, command)
        return self._engine.run_alone(self._service.image, command, self._options())

    def _options(self) -> dict[str, Any]:
        """What of the service decides which program a word of its command is."""
        config = self._service.config
        # The label names what a leftover was, should even the engine be killed.
        options: dict[str, Any] = {"Labels": {"nomock.probe": self._service.project}}
        own = self._service.environment
        options["Env"] = [
            f"{name}={value}"
            for name, value in own.items()
            if value is not None and _CHOOSES.match(name)
        ]
        if config.get("working_dir"):
            options["WorkingDir"] = config["working_dir"]
        if config.get("user"):
            options["User"] = config["user"]
        mounts = [
            {"Type": "bind", "Source": v["source"], "Target": v["target"], "ReadOnly": True}
            for v in config.get("volumes") or []
            if v.get("type") == "bind" and Path(v["source"]).exists()
        ]
        return options | {"HostConfig": {"Mounts": mounts}}


def _candidates(words: Sequence[str]) -> list[str]:
    """Return where a Python may be that can be asked which one the command runs."""
    found = []
    for path in map(PurePosixPath, words):
        if path.is_absolute() and path.name.startswith(("python", "pypy")):
            found.append(str(path))
        elif path.is_absolute() and path.parent.name == "bin":  # of a virtual environment, perhaps
            found.append(str(path.with_name("python3")))
    # A name alone is looked up in the container's own PATH.
    return [*dict.fromkeys(found), "python3", "python"]


def _no_answer(python: str, ended: ExecResult) -> str:
    last = (ended.output.strip().splitlines() or ["it said nothing"])[-1]
    if "Unknown option: -I" in ended.output:
        return f"{python} is Python 2, and 3.9 is the oldest that can be covered"
    return f"{python} does not run ({ended.exit_code}): {last}"


def _own_path(service: ServiceConfig, image: ImageConfig) -> str:
    own = service.environment.get("PYTHONPATH")
    return image.environment.get("PYTHONPATH", "") if own is None else own
