"""``nomock overlay``: write the compose file that adds the spy, for any compose project."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from nomock.adapters.engine import Engine
from nomock.cli.show import print_table
from nomock.config import Settings
from nomock.coverage.overlay import (
    Finding,
    overlay_text,
    provide_data_folder,
    provide_spy,
    spy_folder,
    survey,
    with_wheels,
    write_overlay,
)
from nomock.errors import NotCoverableError
from nomock.paths import absolute
from nomock.project import resolve

_STDOUT = "-"


def overlay(settings: Settings, chosen: argparse.Namespace) -> int:
    """Ask each service for its Python, say what was chosen, and write the overlay."""
    settings, path = _apart(settings, chosen.output)
    to_stdout = chosen.output == _STDOUT
    project = resolve(settings)
    names = chosen.services or sorted(project.services)
    found = survey(project, Engine(), names)
    if chosen.services:  # who names one knows that it does start its Python
        found = [replace(f, reason="") if f.is_doubtful else f for f in found]
    findings = with_wheels(found, settings.root)
    print_table(
        ("service", "Python", "core", ""),
        [_row(finding) for finding in findings],
        file=sys.stderr if to_stdout else sys.stdout,
    )
    left_out = {f.service: f.reason for f in findings if f.reason}
    if left_out and (chosen.services or len(left_out) == len(findings)):
        raise NotCoverableError(left_out)
    files = [Path(os.path.relpath(file, settings.root)) for file in (*settings.files, path)]
    text = overlay_text(
        findings,
        [file.as_posix() for file in files],
        asked=sorted(project.services),
        spy=spy_folder(settings.root),
    )
    if to_stdout:
        print(text, end="")
        return 0
    provide_data_folder(settings.state_dir)
    written = write_overlay(path, text, force=chosen.force)
    print(f"wrote {files[-1]}" if written else f"{files[-1]} is as it should be")
    if done := provide_spy(settings.root):
        print(done)
    return 0


def _apart(settings: Settings, output: str | None) -> tuple[Settings, Path]:
    """Return the settings without the overlay, which COMPOSE_FILE may name too, and its path."""
    path = settings.root / settings.coverage_overlay
    if output not in {None, _STDOUT}:
        path = Path.cwd() / str(output)
    path = absolute(path)
    return replace(settings, files=tuple(f for f in settings.files if f != path)), path


def _row(finding: Finding) -> tuple[str, str, str, str]:
    pythons = (finding.python, *finding.others) if finding.core else (finding.python,)
    names = ", ".join(dict.fromkeys(str(python) for python in pythons if python)) or "-"
    return finding.service, names, finding.core or "none", finding.reason
