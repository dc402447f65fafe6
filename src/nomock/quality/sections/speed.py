"""How long tests take, and what a stack that is there already saves."""

from __future__ import annotations

from collections import defaultdict
from statistics import median

from nomock.config import Settings
from nomock.quality.page import Section, Table
from nomock.quality.results import ResultsBook, path_of
from nomock.quality.sections.words import count, seconds

_ASKS = "How long do tests take, and which?"
_MOST_SHOWN = 10
_TELLING = {"passed", "failed"}


def speed(settings: Settings) -> Section:
    """Return how long tests take; raise QualityError where results cannot be read."""
    if not path_of(settings.state_dir).exists():
        return Section("Speed", _ASKS, command="pytest, in a git repository")
    with ResultsBook.read(settings.state_dir) as book:
        results = [r for r in book.results() if r.ended.outcome in _TELLING]
        times = [how for _, how in book.runs() if how is not None]
    took: dict[str, list[float]] = defaultdict(list)
    for result in results:
        took[result.ended.test].append(result.ended.took_s)
    usual = {test: median(own) for test, own in took.items()}
    slowest = sorted(usual, key=lambda test: -usual[test])[:_MOST_SHOWN]
    notes = []
    for word, is_warm in (("warm, nothing was built or started", True), ("cold", False)):
        ready = [how.ready_s for how in times if bool(how.is_warm) == is_warm]
        if ready:
            runs = count(len(ready), "run")
            notes.append(f"Stack {word}: {seconds(median(ready))} until the first test, {runs}.")
    return Section(
        "Speed",
        _ASKS,
        seconds(median(usual.values())) if usual else "none",
        f"is the median of {count(len(usual), 'test')}; one after the other they take "
        f"{seconds(sum(usual.values()))}",
        Table(
            ("slowest tests", "usually", "runs"),
            [(test, seconds(usual[test]), str(len(took[test]))) for test in slowest],
        ),
        notes,
    )
