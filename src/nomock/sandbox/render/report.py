"""The translation report: each key of the compose file that has no translation, and why."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

_LONGEST_VALUE = 40


@dataclass(frozen=True, order=True)
class Line:
    """One key that has no translation."""

    service: str
    """The service; ``-`` for what stands beside the services."""
    key: str
    """The key, from the service on: ``healthcheck.start_interval``."""
    value: str
    """Its value, cut short."""
    why: str
    """Why there is no translation."""
    meaning: str
    """What that means for the sandbox."""


@dataclass(frozen=True)
class Report:
    """All that has no translation, in the order of the compose file's services."""

    lines: tuple[Line, ...] = ()

    def as_json(self) -> list[dict[str, str]]:
        """Return the lines for programs."""
        return [asdict(line) for line in self.lines]

    def as_rows(self) -> list[Sequence[str]]:
        """Return the lines as the rows of a table, without their head."""
        return [(n.service, n.key, n.value, f"{n.why}: {n.meaning}") for n in self.lines]


def shortened(value: Any) -> str:
    """Return a value as it stands in a report.

    >>> shortened(True), shortened(["NET_ADMIN"]), shortened("x" * 100)[-4:]
    ('true', '["NET_ADMIN"]', 'xxx…')
    """
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"
