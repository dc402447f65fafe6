"""What came of a suite on one defect, and the tests that failed in what pytest printed."""

from __future__ import annotations

import re
from dataclasses import dataclass


class NoVerdictError(Exception):
    """A suite ended in a way that says nothing of the defect."""


@dataclass(frozen=True)
class Result:
    """What one suite said of one defect."""

    found_by: str | None
    """The test that failed first; None where all were green."""
    seconds: float


def first_failed(printed: str) -> str | None:
    """Return the first test that `pytest -rfE` says has failed."""
    found = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", printed, re.MULTILINE)
    return found[1] if found else None
