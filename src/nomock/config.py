"""Every setting of nomock, once, each with where its value came from.

The order is: command line option, environment (``NOMOCK_…``), the same in the ``.env`` that compose
reads, ``[tool.nomock]`` in pyproject.toml, default. A value that is set to nothing is still set:
only None is "not set". ``nomock.loading`` finds these sources.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nomock.errors import ConfigError, NomockError
from nomock.places import state_dir

STACK_MODES = ("attach", "fresh", "own")
LANES = ("shared", "stack", "database")
TRACED = ("marked", "all")
EVIDENCE = ("failing", "all", "off")
# In compose's own order: of the first one counts, and one of the second is added to it.
# https://github.com/compose-spec/compose-go/blob/main/cli/options.go
COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
OVERRIDE_NAMES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)


@dataclass(frozen=True)
class Setting:
    """A setting's value and its source: ``option``, ``$NAME``, ``.env`` or ``pyproject``."""

    value: Any
    source: str


@dataclass(frozen=True)
class Settings:
    """All settings of a run; each attribute is the value, ``sources`` says where it is from."""

    root: Path
    """The folder of the first compose file, or where one was looked for."""
    stack: str = "attach"
    """attach: use the stack that is there; fresh: from empty volumes; own: take it down after."""
    lanes: str = "shared"
    """What a worker of pytest-xdist has of the stack: shared, stack or database."""
    files: tuple[Path, ...] = ()
    """The compose files, absolute; empty when there are none."""
    found: tuple[Path, ...] | None = None
    """The compose files that compose finds by itself in ``folder``; None: they are named to it."""
    folder: Path = Path()
    """The folder in which compose is called."""
    trouble: NomockError | None = None
    """Why compose could not be asked for its choice of files: no stack can be made of these."""
    project: str | None = None
    """The compose project's name; None leaves it to compose."""
    timeout_s: float = 120.0
    """How long the whole stack may take to become ready."""
    log_lines: int = 200
    """How many log lines a failing test's report shows at the most, over all services."""
    evidence: str = "failing"
    """Which tests leave evidence: failing, all or off."""
    evidence_runs: int = 5
    """Of how many runs the evidence is kept."""
    evidence_database: bool = False
    """Whether evidence has the database's statements and waits for locks."""
    redact: tuple[str, ...] = ()
    """Regular expressions of what is secret, beside what evidence takes for that itself."""
    host: str | None = None
    """The host that published ports are reached on; None: the engine's own."""
    postgres: str | None = None
    """The PostgreSQL service; None: the one that has POSTGRES_PASSWORD or a postgres image."""
    probes: Mapping[str, str] = field(default_factory=dict)
    """Readiness probes by service: ``tcp:5432``, ``http:8000/health``, ``none``."""
    coverage_overlay: str = "docker-compose.coverage.yml"
    """The compose file that adds the spy, relative to root."""
    coverage_report: str = "coverage-report"
    """The folder of the coverage reports, relative to root."""
    coverage_sources: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Folders of source that a service's build does not tell of, by service, relative to root."""
    traces_overlay: str = "docker-compose.traces.yml"
    """The compose file that adds a backend of traces and the services' export, relative to root."""
    traced: str = "marked"
    """Of which tests a run with traces checks that the trace is unbroken: marked or all."""
    tools_image: str = "nicolaka/netshoot:v0.16"
    """The image of what faults start beside a service: it has python3, nft and tc."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Where each setting that is not its default came from."""

    @property
    def state_dir(self) -> Path:
        """The folder in which nomock keeps what it knows: ``.nomock`` beside the compose file."""
        return state_dir(self.root)

    def changed(self) -> list[tuple[str, Setting]]:
        """Return each setting that is not its default, with its source."""
        return [
            (name, Setting(getattr(self, name), source)) for name, source in self.sources.items()
        ]


@dataclass
class Sources:
    """Where settings come from, the nearest first."""

    options: Mapping[str, Any]
    environ: Mapping[str, str]
    dotenv: Mapping[str, str]
    table: Mapping[str, Any]

    def setting(self, name: str) -> Setting | None:
        """Return a setting from the first source that has it; None where none has.

        Raises ConfigError for a value that cannot be.
        """
        convert = CONVERTERS[name]
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


def _evidence(value: str) -> str:
    if value not in EVIDENCE:
        raise ValueError(f"it is one of {', '.join(EVIDENCE)}")
    return value


def _switch(value: str | bool) -> bool:
    if isinstance(value, bool):
        return value
    found = {"true": True, "1": True, "yes": True, "on": True}
    found |= {"false": False, "0": False, "no": False, "off": False, "": False}
    if value.lower() not in found:
        raise ValueError("it is true or false")
    return found[value.lower()]


def _patterns(value: str | Sequence[str]) -> tuple[str, ...]:
    found = (value,) if isinstance(value, str) else tuple(value)
    for pattern in found:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
    return tuple(filter(None, found))


def _lanes(value: str) -> str:
    if value not in LANES:
        raise ValueError(f"it is one of {', '.join(LANES)}")
    return value


def _traced(value: str) -> str:
    if value not in TRACED:
        raise ValueError(f"it is one of {', '.join(TRACED)}")
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


def _positive_count(value: str | int) -> int:
    number = _count(value)
    if number == 0:
        raise ValueError("it is 1 or more")
    return number


def _host(value: str) -> str:
    if not value or "/" in value or value.startswith("[") or value.count(":") == 1:
        raise ValueError("it is a name or an address: no URL, no port, no brackets")
    return value


def _probes(value: str | Mapping[str, str]) -> dict[str, str]:
    if isinstance(value, str):  # NOMOCK_PROBES="auth=http:8000/health;db=none"
        pairs = [part.partition("=") for part in value.split(";") if part]
        return {name.strip(): probe.strip() for name, _, probe in pairs}
    if wrong := [name for name, probe in value.items() if not isinstance(probe, str)]:
        raise TypeError(f"the probe of {wrong[0]} is no text")
    return dict(value)


def _folders(value: str | Mapping[str, str | Sequence[str]]) -> dict[str, list[str]]:
    if isinstance(value, str):  # NOMOCK_COVERAGE_SOURCES="worker=../worker:../lib;web=../web"
        pairs = [part.partition("=") for part in value.split(";") if part]
        return {name.strip(): _names(folders) for name, _, folders in pairs}
    return {name: _names(folders) for name, folders in value.items()}


CONVERTERS: Mapping[str, Any] = {
    "stack": _stack_mode,
    "lanes": _lanes,
    "files": _names,
    "project": str,
    "timeout_s": _positive,
    "log_lines": _count,
    "evidence": _evidence,
    "evidence_runs": _positive_count,
    "evidence_database": _switch,
    "redact": _patterns,
    "host": _host,
    "postgres": str,
    "probes": _probes,
    "coverage_overlay": str,
    "coverage_report": str,
    "coverage_sources": _folders,
    "traces_overlay": str,
    "traced": _traced,
    "tools_image": str,
}
