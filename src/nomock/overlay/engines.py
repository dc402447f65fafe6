"""What the chosen engines need on this machine: coverage.py, for a Python before 3.12."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from nomock.errors import CoverageError
from nomock.overlay.survey import Finding
from nomock.overlay.text import WHEELS_FOLDER, wheels_tag
from nomock.overlay.wheels import provide


def with_wheels(findings: Iterable[Finding], root: Path) -> list[Finding]:
    """Provide coverage.py to each service that needs it; leave out those it is not to be had for.

    ``root`` is the folder of the compose file.
    """
    return [_with_wheel(f, root) if f.engine == "coverage.py" else f for f in findings]


def _with_wheel(finding: Finding, root: Path) -> Finding:
    python = finding.python
    assert python is not None
    try:
        provide(python.tag, python.libc, python.machine, root / WHEELS_FOLDER / wheels_tag(finding))
    except CoverageError as error:
        return replace(finding, reason=": ".join(filter(None, (error.what, error.seen))))
    return finding
