"""Every setting of nomock, once, each with where its value came from.

The order is: command line option, environment (``NOMOCK_…``), the same in the ``.env`` beside the
compose file, ``[tool.nomock]`` in pyproject.toml, default. A value that is set to nothing is still
set: only None is "not set".
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nomock.errors import ConfigError

STACK_MODES = ("attach", "fresh", "own")
# The names that compose itself looks for, in its order; an override file is added to the first.
_COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_OVERRIDE_NAMES = tuple(n.replace(".y", ".override.y") for n in _COMPOSE_NAMES)


@dataclass(frozen=True)
class Setting:
    """A setting's value and its source: ``option``, ``$NAME``, ``.env`` or ``pyproject``."""

    value: Any
    source: str


@dataclass(frozen=True)
class Settings:
    """All settings of a run; each attribute is the value, ``sources`` says where it is from."""

    root: Path
    """The directory of the compose files, or where they were looked for."""
    stack: str = "attach"
    """attach: use the stack that is there; fresh: from empty volumes; own: take it down after."""
    files: tuple[Path, ...] = ()
    """The compose files, absolute; empty when there are none."""
    project: str | None = None
    """The compose project's name; None leaves it to compose."""
    timeout_s: float = 120.0
    """How long the whole stack may take to become ready."""
    log_lines: int = 200
    """How many log lines a failing test's report shows at the most, over all services."""
    postgres: str | None = None
    """The PostgreSQL service; None: the one that has POSTGRES_PASSWORD or a postgres image."""
    probes: Mapping[str, str] = field(default_factory=dict)
    """Readiness probes by service: ``tcp:5432``, ``http:8000/health``, ``none``."""
    coverage_overlay: str = "docker-compose.coverage.yml"
    """The compose file that adds the spy, relative to root."""
    coverage_report: str = "coverage-report"
    """The folder of the coverage reports, relative to root."""
    tools_image: str = "nicolaka/netshoot:v0.16"
    """The image of what faults start beside a service: it has python3, nft and tc."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Where each setting that is not its default came from."""

    @property
    def state_dir(self) -> Path:
        """The ignored folder beside the compose file in which nomock keeps what it knows."""
        return self.root / ".nomock"

    def changed(self) -> list[tuple[str, Setting]]:
        """Return each setting that is not its default, with its source."""
        return [
            (name, Setting(getattr(self, name), source)) for name, source in self.sources.items()
        ]


def load(
    start: Path,
    options: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Read the settings for a run that starts in a directory.

    ``options`` are the command line's, None where one was not given. Raises ConfigError for a
    value that cannot be, a setting that does not exist and a compose file that is not there.
    """
    root, table = _pyproject(start)
    sources = _Sources(options or {}, environ, _dotenv(root / ".env"), table)
    named = sources.setting("files", _names)
    if named is not None:
        base = start if named.source == "option" else root
        files = tuple(_existing(base / name, named.source) for name in named.value)
    else:
        files = _found(root, environ)
    if files:
        root = files[0].parent
    sources.dotenv = _dotenv(root / ".env")
    read = {name: sources.setting(name, convert) for name, convert in _CONVERTERS.items()}
    given = {name: setting for name, setting in read.items() if setting is not None}
    values = {name: setting.value for name, setting in given.items()}
    values["files"] = files
    return Settings(root=root, sources={n: s.source for n, s in given.items()}, **values)


def _pyproject(start: Path) -> tuple[Path, Mapping[str, Any]]:
    """Find the nearest directory upwards that has settings or a compose file."""
    for folder in (start, *start.parents):
        path = folder / "pyproject.toml"
        if path.is_file():
            try:
                tool = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {})
            except tomllib.TOMLDecodeError as error:
                raise ConfigError("not valid TOML", where=str(path), seen=str(error)) from error
            if "nomock" in tool:
                return folder, _known(tool["nomock"], path)
        if any((folder / name).is_file() for name in _COMPOSE_NAMES):
            return folder, {}
    return start, {}


def _known(table: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    if unknown := sorted(set(table) - set(_CONVERTERS)):
        raise ConfigError(
            f"there is no setting {unknown[0]!r}",
            where=f"[tool.nomock] in {path}",
            todo=f"the settings are: {', '.join(sorted(_CONVERTERS))}",
        )
    return table


@dataclass
class _Sources:
    """Where settings come from, the nearest first."""

    options: Mapping[str, Any]
    environ: Mapping[str, str]
    dotenv: Mapping[str, str]
    table: Mapping[str, Any]

    def setting(self, name: str, convert: Any) -> Setting | None:
        """Return a setting from the first source that has it; None where none has."""
        variable = f"NOMOCK_{name.upper()}"
        for value, source in (
            (self.options.get(name), "option"),
            (self.environ.get(variable), f"${variable}"),
            (self.dotenv.get(variable), ".env"),
            (self.table.get(name), "pyproject"),
        ):
            if value is not None:
                try:
                    return Setting(convert(value), source)
                except (TypeError, ValueError) as error:
                    raise ConfigError(
                        f"{name} cannot be {value!r}", where=source, seen=str(error)
                    ) from error
        return None


def _stack_mode(value: str) -> str:
    if value not in STACK_MODES:
        raise ValueError(f"it is one of {', '.join(STACK_MODES)}")
    return value


def _names(value: str | Sequence[str]) -> list[str]:
    return value.split(os.pathsep) if isinstance(value, str) else list(value)


def _positive(value: str | float) -> float:
    number = float(value)
    if not number > 0:  # NaN is not
        raise ValueError("it is more than 0")
    return number


def _count(value: str | int) -> int:
    number = int(value)
    if number < 0:
        raise ValueError("it is 0 or more")
    return number


def _probes(value: str | Mapping[str, str]) -> dict[str, str]:
    if isinstance(value, str):  # NOMOCK_PROBES="auth=http:8000/health;db=none"
        pairs = [part.partition("=") for part in value.split(";") if part]
        return {name.strip(): probe.strip() for name, _, probe in pairs}
    if wrong := [name for name, probe in value.items() if not isinstance(probe, str)]:
        raise TypeError(f"the probe of {wrong[0]} is no text")
    return dict(value)


_CONVERTERS: Mapping[str, Any] = {
    "stack": _stack_mode,
    "files": _names,
    "project": str,
    "timeout_s": _positive,
    "log_lines": _count,
    "postgres": str,
    "probes": _probes,
    "coverage_overlay": str,
    "coverage_report": str,
    "tools_image": str,
}


def _existing(path: Path, source: str) -> Path:
    if not path.is_file():
        raise ConfigError(
            "this compose file is not there", where=str(path), todo=f"it was named by: {source}"
        )
    return path.resolve()


def _found(root: Path, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Find the compose files as compose would: COMPOSE_FILE, or one and its override."""
    environ = {**_dotenv(root / ".env"), **environ}
    if named := environ.get("COMPOSE_FILE"):
        separator = environ.get("COMPOSE_PATH_SEPARATOR", os.pathsep)
        return tuple(_existing(root / name, "$COMPOSE_FILE") for name in named.split(separator))
    first = [root / n for n in _COMPOSE_NAMES if (root / n).is_file()][:1]
    override = [root / n for n in _OVERRIDE_NAMES if (root / n).is_file()][:1]
    return tuple(path.resolve() for path in (first + override if first else []))


def _dotenv(path: Path) -> dict[str, str]:
    """Read the choice of files and our own settings from ``.env``; the rest of it is compose's."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        return {}
    ours = r"^(COMPOSE_FILE|COMPOSE_PATH_SEPARATOR|NOMOCK_\w+)=(.*?)\s*$"
    found = re.findall(ours, text, re.MULTILINE)
    return {name: value.strip("\"'") for name, value in found}
