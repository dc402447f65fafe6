"""Invariants, tried by generated examples."""

from __future__ import annotations

from nomock.config import Settings
from nomock.quality.left import Properties, left
from nomock.quality.page import Section, Table
from nomock.quality.sections.words import moment, seconds

_ASKS = "Does it hold for what nobody thought of?"


def properties(settings: Settings) -> Section:
    """Return the invariants, and by how many examples each was tried."""
    found = left(settings.state_dir, Properties)
    if found is None:
        return Section("Properties", _ASKS, command="nomock docs quality")
    holding = sum(one.state == "holds" for one in found.invariants)
    examples = sum(one.examples for one in found.invariants)
    rows = [
        (one.name, one.state, str(one.examples), seconds(one.seconds), one.test)
        for one in found.invariants
    ]
    return Section(
        "Properties",
        _ASKS,
        f"{holding} of {len(found.invariants)}",
        f"invariants hold, by {examples} examples; {moment(found.when)}",
        Table(("invariant", "state", "examples", "took", "test"), rows, frozenset({0, 1, 4})),
    )
