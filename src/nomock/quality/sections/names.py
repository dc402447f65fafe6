"""Whether tests have names that say what is to happen, and when."""

from __future__ import annotations

from nomock.config import Settings
from nomock.quality.names import FORM, suggestion
from nomock.quality.page import Section, Table
from nomock.quality.results import ResultsBook, path_of
from nomock.quality.sections.words import count, share

_ASKS = "Does a name say what is to happen, and when?"
_MOST_SHOWN = 20


def names(settings: Settings) -> Section:
    """Return the names that are no sentences; raise QualityError where results cannot be read."""
    if not path_of(settings.state_dir).exists():
        return Section("Names", _ASKS, command="pytest, in a git repository")
    with ResultsBook.read(settings.state_dir) as book:
        tests = {result.ended.test.partition("[")[0] for result in book.results()}
    found = {test: _suggestion(test) for test in sorted(tests)}
    wrong = {test: better for test, better in found.items() if better}
    rows = [*wrong.items()][:_MOST_SHOWN]
    more = len(wrong) - len(rows)
    return Section(
        "Names",
        _ASKS,
        share(1 - len(wrong) / len(tests)) if tests else "none",
        f"of {count(len(tests), 'test')} are named {FORM}",
        Table(("test", "rather"), rows, frozenset({0, 1})),
        [f"and {more} more"] if more else [],
    )


def _suggestion(test: str) -> str:
    """Return a better name for a test, by its id; "" for one that is well named, or by others."""
    _, *classes, name = test.split("::")
    return suggestion(name, classes[-1] if classes else "") if name.startswith("test_") else ""
