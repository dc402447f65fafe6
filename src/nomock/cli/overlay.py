"""``nomock overlay``: write the compose file that adds the spy, or traces, for any project."""

from __future__ import annotations

import argparse
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from nomock.adapters.engine import Engine
from nomock.cli.show import objects, print_json, print_table
from nomock.config import Settings
from nomock.coverage import overlay as spy
from nomock.coverage.overlay import (
    Finding,
    OverlayKind,
    provide_data_folder,
    provide_spy,
    spy_folder,
    survey,
    with_wheels,
    write_overlay,
)
from nomock.errors import ConfigError, NotCoverableError, NotTraceableError
from nomock.paths import absolute
from nomock.places import own_coverage_overlay
from nomock.project import Project, resolve
from nomock.traces import overlay as traces

_STDOUT = "-"


class _Added(ABC):
    """What an overlay adds to the services of a project."""

    kind: ClassVar[OverlayKind]
    column: ClassVar[str]
    """The head of the column that says by what a service is covered or traced."""
    refusal: ClassVar[type[NotCoverableError] | type[NotTraceableError]]

    def __init__(self, settings: Settings) -> None:
        self.root = settings.root
        self.state_dir = settings.state_dir

    @abstractmethod
    def findings(self, found: Sequence[Finding], project: Project) -> list[Finding]:
        """Return what was found of services, with the reason of each that is left out."""

    @abstractmethod
    def text(self, findings: Sequence[Finding], project: Project, files: Sequence[str]) -> str:
        """Return the overlay; ``files``: those of the project, and its own."""

    @abstractmethod
    def provide(self) -> None:
        """Make what it mounts besides the spy's folder."""

    @abstractmethod
    def by(self, finding: Finding) -> str | None:
        """Return by what a service is covered or traced; None where it is not."""


class _Spy(_Added):
    kind = spy.SPY_OVERLAY
    column = "core"
    refusal = NotCoverableError

    def findings(self, found: Sequence[Finding], project: Project) -> list[Finding]:
        return with_wheels(found, self.root)

    def text(self, findings: Sequence[Finding], project: Project, files: Sequence[str]) -> str:
        asked = sorted(project.services)
        return spy.overlay_text(findings, files, asked=asked, spy=spy_folder(self.root))

    def provide(self) -> None:
        provide_data_folder(self.state_dir)

    def by(self, finding: Finding) -> str | None:
        return finding.core


class _Traces(_Added):
    kind = traces.TRACES_OVERLAY
    column = "traced by"
    refusal = NotTraceableError

    def findings(self, found: Sequence[Finding], project: Project) -> list[Finding]:
        return [traces.can_be_traced(finding, project) for finding in found]

    def text(self, findings: Sequence[Finding], project: Project, files: Sequence[str]) -> str:
        return traces.overlay_text(findings, project, files, spy_folder(self.root))

    def provide(self) -> None:
        traces.provide_packages(self.root)

    def by(self, finding: Finding) -> str | None:
        return None if finding.reason else "OpenTelemetry"


def overlay(settings: Settings, chosen: argparse.Namespace) -> int:
    """Ask each service for its Python, say what was chosen, and write the overlay."""
    own = settings.traces_overlay if chosen.traces else settings.coverage_overlay
    if settings.root / own == own_coverage_overlay(settings.root):
        own = Settings.coverage_overlay  # which is the user's, and taken from now on
    settings, path = _apart(settings, own, chosen.output)
    to_stdout = chosen.output == _STDOUT
    if to_stdout and chosen.json:
        raise ConfigError(
            "standard output is for one of them: the overlay, or JSON",
            where="nomock overlay",
            todo="leave out --json, or --output -",
        )
    project = resolve(settings)
    added = _Traces(settings) if chosen.traces else _Spy(settings)
    names = chosen.services or sorted(project.services)
    found = survey(project, Engine(), names)
    if chosen.services:  # who names one knows that it does start its Python
        found = [replace(f, reason="") if f.is_doubtful else f for f in found]
    findings = added.findings(found, project)
    body = [_row(finding, added.by(finding)) for finding in findings]
    if not chosen.json:
        file = sys.stderr if to_stdout else sys.stdout
        print_table(("service", "Python", added.column, ""), body, file=file)
    left_out = {f.service: f.reason for f in findings if f.reason}
    if left_out and (chosen.services or len(left_out) == len(findings)):
        raise added.refusal(left_out)
    files = [Path(os.path.relpath(file, settings.root)) for file in (*settings.files, path)]
    text = added.text(findings, project, [file.as_posix() for file in files])
    if to_stdout:
        print(text, end="")
        return 0
    added.provide()
    written = write_overlay(path, text, added.kind, force=chosen.force)
    done = provide_spy(settings.root)
    if chosen.json:
        services = objects(("service", "python", "by", "why"), body)
        print_json({"file": files[-1].as_posix(), "is_written": written, "services": services})
        return 0
    print(f"wrote {files[-1]}" if written else f"{files[-1]} is as it should be")
    if done:
        print(done)
    return 0


def _apart(settings: Settings, own: str, output: str | None) -> tuple[Settings, Path]:
    """Return the settings without the overlays, which COMPOSE_FILE may name too, and its path.

    ``own`` is where it is written to if nobody says so.
    """
    is_named = output not in {None, _STDOUT}
    path = absolute(Path.cwd() / str(output) if is_named else settings.root / own)
    overlays = {path}
    overlays |= {settings.root / settings.coverage_overlay, settings.root / settings.traces_overlay}
    return replace(settings, files=tuple(f for f in settings.files if f not in overlays)), path


def _row(finding: Finding, by: str | None) -> tuple[str, str, str, str]:
    pythons = (finding.python, *finding.others) if by else (finding.python,)
    names = ", ".join(dict.fromkeys(str(python) for python in pythons if python)) or "-"
    return finding.service, names, by or "none", finding.reason
