"""What the chosen cores need on this machine: coverage.py, for a Python before 3.12."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from nomock.coverage.overlay.finding import Finding
from nomock.coverage.overlay.text import WHEELS_FOLDER
from nomock.coverage.overlay.wheels import provide
from nomock.errors import CoverageError


def with_wheels(findings: Iterable[Finding], root: Path) -> list[Finding]:
    """Provide coverage.py to each service that needs it; leave out those it is not to be had for.

    ``root`` is the folder of the compose file.
    """
    return [_with_wheels(finding, root) for finding in findings]


def _with_wheels(finding: Finding, root: Path) -> Finding:
    without = []
    for python in finding.with_tracer:
        try:
            provide(python.tag, python.libc, python.machine, root / WHEELS_FOLDER / python.kind)
        except CoverageError as error:
            if finding.python is not None and python.kind == finding.python.kind:
                return replace(finding, reason=": ".join(filter(None, (error.what, error.seen))))
            without.append(python)  # one that it may choose, and most likely does not
    return replace(finding, others=tuple(p for p in finding.others if p not in without))
