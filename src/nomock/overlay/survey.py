"""Asking each service which Python it runs, and choosing how it is covered."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from nomock.adapters.engine import Container, Ended, Engine, ImageConfig
from nomock.command import obstacle, words_of
from nomock.errors import EngineError, EngineForbiddenError, EngineMissingError
from nomock.project import Project, ServiceConfig

OLDEST = (3, 9)
_MONITORING = (3, 12)
_AT_ONCE = 8
_MARK = "nomock-probe "
_PROBE = Path(__file__).with_name("inside.py").read_text(encoding="utf-8")
# What a shell, and the engine, says of a command that is not there or not a program.
_NO_PROGRAM = {126, 127}


@dataclass(frozen=True)
class Python:
    """A Python as it describes itself in a container."""

    version: tuple[int, int, int]
    implementation: str
    libc: str
    """glibc or musl."""
    machine: str

    def __str__(self) -> str:
        name = {"cpython": "CPython", "pypy": "PyPy"}.get(self.implementation, self.implementation)
        return f"{name} {'.'.join(map(str, self.version))}"

    @property
    def tag(self) -> str:
        """The name that wheels of compiled modules have for it: cp311."""
        return f"cp{self.version[0]}{self.version[1]}"


@dataclass(frozen=True)
class Finding:
    """What was found of one service: how it is covered, or why it cannot be."""

    service: str
    python: Python | None = None
    reason: str = ""
    """Why it is left out; empty where it can be covered."""
    own_path: str = ""
    """The PYTHONPATH that the compose file or the image gives it."""

    @property
    def engine(self) -> str | None:
        """What records in it: sys.monitoring or coverage.py."""
        if self.reason or self.python is None:
            return None
        return "sys.monitoring" if self.python.version >= _MONITORING else "coverage.py"


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
        python = None if "failed" in answer else _python(answer)
        reason = reason_of(words, answer, python)
        return Finding(name, python, reason, _own_path(self._service, image))

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

    def _run(self, command: Sequence[str]) -> Ended:
        if self._running is not None:
            return self._engine.run_inside(self._running.id, command)
        return self._engine.run_alone(self._service.image, command, self._options())

    def _options(self) -> dict[str, Any]:
        """What of the service decides which program a word of its command is."""
        config = self._service.config
        # The label names what a leftover was, should even the engine be killed.
        options: dict[str, Any] = {"Labels": {"nomock.probe": self._service.project}}
        if path := self._service.environment.get("PATH"):
            options["Env"] = [f"PATH={path}"]
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


def _no_answer(python: str, ended: Ended) -> str:
    last = (ended.output.strip().splitlines() or ["it said nothing"])[-1]
    if "Unknown option: -I" in ended.output:
        return f"{python} is Python 2, and 3.9 is the oldest that can be covered"
    return f"{python} does not run ({ended.exit_code}): {last}"


def _python(answer: Mapping[str, Any]) -> Python:
    version = answer["version"]
    return Python(
        (version[0], version[1], version[2]),
        answer["implementation"],
        answer["libc"],
        answer["machine"],
    )


def reason_of(words: Sequence[str], answer: Mapping[str, Any], python: Python | None) -> str:
    """Return why a service cannot be covered, empty where it can."""
    at, program = answer["at"], answer["program"]
    if python is None:
        return f"{answer['interpreter']} does not run: {answer['failed']}"
    if at is None and not program:
        return f"its command is not Python: {words[0] if words else 'it has none'}"
    if python.implementation != "cpython":
        return f"it runs {python}, and only CPython can be covered"
    if python.version < OLDEST:
        return f"it runs {python}, and 3.9 is the oldest that can be covered"
    if at is None:
        return obstacle(words, (), "")
    if program == answer["interpreter"]:
        return obstacle(words[:at], words[at + 1 :], "its command")
    return obstacle(words[:at], answer["options"], f"the #! line of {program}")


def _own_path(service: ServiceConfig, image: ImageConfig) -> str:
    own = service.environment.get("PYTHONPATH")
    return image.environment.get("PYTHONPATH", "") if own is None else own
