"""Every setting of nomock, once, each with where its value came from.

The order is: command line option, environment (``NOMOCK_…``), the same in the ``.env`` that compose
reads, ``[tool.nomock]`` in pyproject.toml, default. A value that is set to nothing is still set:
only None is "not set". ``nomock.loading`` finds these sources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nomock.cleanup.rules import Rule
from nomock.converters import CONVERTERS
from nomock.errors import ConfigError, NomockError
from nomock.places import state_dir

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
    target: str = "compose"
    """Where the services run: compose, or sandbox."""
    sandbox: str | None = None
    """The id of the sandbox, where the target is one; None: after the project."""
    context: str | None = None
    """The context of the kubeconfig that the sandbox is in; None: the node of this machine."""
    contexts: tuple[str, ...] = ()
    """The contexts that may be used, beside the node of this machine."""
    stack: str = "attach"
    """attach: use the stack that is there; fresh: from empty volumes; own: take it down after."""
    lanes: str = "shared"
    """What a worker of pytest-xdist has of the stack: shared, stack or database."""
    reset: str = "never"
    """Before what the database is brought back to what the run found: never, or each test."""
    leaks_ignore: tuple[str, ...] = ()
    """Patterns of tables and keys that services write by themselves: what is left there is none."""
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
    browser: str | None = None
    """The program of a Chromium for ``browser_page``; None: the first one on the PATH."""
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
    edges_overlay: str = "docker-compose.edges.yml"
    """The compose file that puts edges behind Toxiproxy, relative to root: taken where it is."""
    traced: str = "marked"
    """Of which tests a run with traces checks that the trace is unbroken: marked or all."""
    test_names: str = "off"
    """What is done about names of tests that are no sentences: off, warn or error."""
    tools_image: str = "nicolaka/netshoot:v0.16"
    """The image of what faults start beside a service: it has python3, nft and tc."""
    promote: Mapping[str, str] = field(default_factory=dict)
    """What a promotion to a context makes: sandbox, or release; that of "" where it has none."""
    parity_reasons: Mapping[str, str] = field(default_factory=dict)
    """Why tests, or lines of source files, may differ between two runs, by pattern."""
    cleanup: tuple[Rule, ...] = ()
    """What tests leave, and how it is removed, beside rows whose name begins with "TEST "."""
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
