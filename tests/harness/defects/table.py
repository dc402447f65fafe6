"""The table of all verdicts: for people, and for `nomock quality`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from nomock.quality import left as quality

from .defect import ROOT, Defect
from .result import Result

STATE = ROOT / ".nomock"


@dataclass(frozen=True)
class Row:
    """A defect and what both suites said of it; None where one was not asked."""

    defect: Defect
    suite: Result | None
    twin: Result | None

    def lines(self) -> tuple[str, str]:
        """Return it as text: what each said."""
        head = f"{self.defect.name:<36} {self.defect.kind:<38}"
        return (
            f"{head} {_said(self.suite)}",
            f"{'':<36} {'  twin, with mocks':<38} {_said(self.twin)}",
        )


def text(rows: Sequence[Row]) -> str:
    """Return the table, its sums by kind last."""
    lines = [line for row in rows for line in row.lines()]
    judged = [row for row in rows if row.suite and row.twin]
    return "\n".join([*lines, "", *_sums(judged)])


def leave_rows(rows: Sequence[Row]) -> None:
    """Leave for `nomock quality` those that both suites were asked about."""
    told = tuple(
        quality.Defect(
            row.defect.name,
            row.defect.kind,
            row.suite.found_by,
            row.suite.seconds,
            row.twin.found_by,
            row.twin.seconds,
        )
        for row in rows
        if row.suite and row.twin
    )
    when = datetime.now(UTC).isoformat(timespec="seconds")
    quality.leave(STATE, quality.Defects(when, told, None, None))


def _said(result: Result | None) -> str:
    if result is None:
        return "not asked"
    return f"{result.seconds:5.1f} s  {result.found_by or 'missed'}"


def _sums(rows: Sequence[Row]) -> list[str]:
    all_, found, twins = (Counter[str]() for _ in range(3))
    for row in rows:
        assert row.suite and row.twin
        for kind in (row.defect.kind, "all"):
            all_[kind] += 1
            found[kind] += row.suite.found_by is not None
            twins[kind] += row.twin.found_by is not None
    head = f"{'kind':<40} {'defects':>7} {'found':>7} {'by the twin':>12}"
    lines = [
        f"{kind:<40} {all_[kind]:>7} {found[kind]:>7} {twins[kind]:>12}"
        for kind in (*sorted(kind for kind in all_ if kind != "all"), "all")
    ]
    return [head, *lines]
