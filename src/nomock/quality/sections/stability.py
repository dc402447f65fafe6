"""Tests that passed and failed on the same files."""

from __future__ import annotations

from nomock.config import Settings
from nomock.quality.page import Section, Table
from nomock.quality.results import ResultsBook, path_of
from nomock.quality.sections.words import count
from nomock.quality.stability import stability_of

_ASKS = "Does a test end alike on the same files?"


def stability(settings: Settings) -> Section:
    """Return the flaky tests; raise QualityError where results cannot be read."""
    if not path_of(settings.state_dir).exists():
        return Section("Stability", _ASKS, command="nomock flaky --hunt 10m")
    with ResultsBook.read(settings.state_dir) as book:
        found = stability_of(book.results())
    if not found.repeated:
        return Section(
            "Stability",
            _ASKS,
            notes=["No test has run more than once on the same files."],
            command="nomock flaky --hunt 10m",
        )
    rows = [
        (
            one.test,
            f"{one.failed} of {one.ran}",
            f"{one.low:.0%} to {one.high:.0%}",
            "; ".join(map(str, one.differences)),
        )
        for one in found.flaky
    ]
    return Section(
        "Stability",
        _ASKS,
        f"{len(found.flaky) or 'none'} flaky",
        f"of {count(found.repeated, 'test')} that ran more than once on the same files: "
        f"{count(found.results, 'result')} of {count(found.runs, 'run')}",
        Table(("test", "failed", "95 % sure", "when"), rows, frozenset({0, 3})),
    )
