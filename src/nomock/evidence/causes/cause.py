"""What may have made a test fail, and what the looks for a cause share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

Record = Mapping[str, Any]
"""Evidence, as its JSON has it."""

SLOW_S = 1.0
"""An answer that took longer is a slow one."""
MOST_PROOF = 4
_WIDTH = 240


@dataclass(frozen=True)
class Cause:
    """What may have made a test fail."""

    kind: str
    """died, unhealthy, fault, locked, unreachable, slow, error, trace, leaked, flaky, changed or
    assertion."""
    text: str
    """One line: what happened."""
    proof: Sequence[str]
    """What of the evidence shows it."""
    sure: int
    """From 0 to 100; only to compare causes of one test."""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**asdict(self), "proof": list(self.proof)}


@dataclass(frozen=True)
class Known:
    """What is known of a test beside its own evidence."""

    passed_with_same_files: str = ""
    """When it passed and failed though nothing was changed, in words."""
    changed: Sequence[str] = field(default_factory=list)
    """What changed since it was green, of what it runs, or of all where that is not known."""
    ran_changed: bool = False
    """Whether the test is known to run what changed."""


def said(exchange: Mapping[str, Any]) -> str:
    """Return a request and its answer in a few words."""
    path = re.sub(r"^[a-z]+://[^/]*", "", exchange["url"]) or "/"
    asked = f"{exchange['method']} {path}"
    if exchange["error"]:
        return f"{asked} ended with {cut(exchange['error'])}"
    return f"{asked} was answered {exchange['status']}"


def lines_of(record: Record) -> list[Mapping[str, Any]]:
    """Return the log lines that are not of another test."""
    return [line for line in record["logs"] if line["whose"] != "others" and line["at_s"] >= 0]


def cut(text: str) -> str:
    """Return the first line of a text, not too long."""
    first = text.splitlines()[0] if text else ""
    return first if len(first) <= _WIDTH else f"{first[:_WIDTH]}…"
