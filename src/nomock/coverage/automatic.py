"""The overlay of a project that has none: made when a covered run needs it, in our own folder."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from nomock.config import Settings
from nomock.coverage.overlay import (
    SPY_OVERLAY,
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
from nomock.places import own_coverage_overlay
from nomock.progress import Progress
from nomock.project import Project
from nomock.stack import Stack
from nomock.statefolder import make_state_dir, writing


def with_own_overlay(settings: Settings, progress: Progress) -> Settings:
    """Return the settings with an overlay: the user's, or one that is made of what services run.

    It is made again when the configuration of a service has changed; ``nomock overlay`` writes one
    that is the user's. Images that are not here are built or pulled first, and the stack is started
    for that. Raises NotCoverableError where no service can be covered.
    """
    path = own_coverage_overlay(settings.root)
    is_own = settings.root / settings.coverage_overlay == path
    if settings.target != Settings.target or not (is_own or _is_missing(settings)):
        return settings
    stack = Stack.of(settings)
    known, of = path.with_suffix(".json"), _made_of(stack.project)
    with suppress(OSError, ValueError):
        if path.is_file() and json.loads(known.read_text(encoding="utf-8")) == of:
            return settings if is_own else replace(settings, coverage_overlay=str(path))
    engine = stack.engine
    if any(engine.image_id(stack.project.services[n].image) is None for n in stack.project.wanted):
        stack.prepare(progress.show, waiting=progress.show_waiting, warn=progress.show_lasting)
        stack.close()
    findings = with_wheels(survey(stack.project, engine, stack.project.wanted), settings.root)
    covered = [finding for finding in findings if finding.core]
    if not covered:
        reasons = {finding.service: finding.reason for finding in findings}
        has_python = any(finding.python and not finding.is_doubtful for finding in findings)
        raise NotCoverableError(reasons, is_named=has_python)
    make_state_dir(settings.state_dir)
    provide_data_folder(settings.state_dir)
    with writing(settings.state_dir):
        path.unlink(missing_ok=True)  # it is nobody's but ours
        write_overlay(path, _text(settings, stack.project, findings, path), SPY_OVERLAY, force=True)
        known.write_text(json.dumps(of), encoding="utf-8")
    provide_spy(settings.root)
    # A run shows each setting with its source.
    sources = {**settings.sources, "coverage_overlay": _told(findings, covered)}
    return replace(settings, coverage_overlay=str(path), sources=sources)


def _is_missing(settings: Settings) -> bool:
    """Tell whether there is no overlay where nobody said that there is to be one."""
    is_default = "coverage_overlay" not in settings.sources
    return is_default and not (settings.root / settings.coverage_overlay).exists()


def _made_of(project: Project) -> dict[str, str]:
    return {name: project.services[name].config_digest for name in project.wanted}


def _text(settings: Settings, project: Project, findings: Sequence[Finding], path: Path) -> str:
    files = [Path(os.path.relpath(file, settings.root)) for file in (*settings.files, path)]
    return overlay_text(
        findings,
        [file.as_posix() for file in files],
        asked=sorted(project.services),
        spy=spy_folder(settings.root),
    )


def _told(findings: Sequence[Finding], covered: Sequence[Finding]) -> str:
    """Say what is covered, and what is not although there is a Python in it."""
    names = [f"{finding.service} ({finding.python})" for finding in covered]
    left_out = [f"not {f.service}: {f.reason}" for f in findings if f.python and f not in covered]
    return f"just made: covers {', '.join([*names, *left_out])}; nomock overlay writes one to keep"
