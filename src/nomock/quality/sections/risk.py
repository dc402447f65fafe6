"""What to test next."""

from __future__ import annotations

from nomock.config import Settings
from nomock.quality.page import Section, Table
from nomock.quality.risk import risks_of
from nomock.quality.sections.words import share

_ASKS = "What is to be tested next, and why?"
_MOST_SHOWN = 15


def risk(settings: Settings) -> Section:
    """Return the modules of high risk and shallow tests first; raise NomockError."""
    found = risks_of(settings)
    rows = [
        (one.path, share(one.risk), share(one.depth.share), one.why)
        for one in found.modules[:_MOST_SHOWN]
    ]
    return Section(
        "Risk",
        _ASKS,
        "/".join(found.modules[0].path.split("/")[-2:]) if found.modules else "none",
        "comes first: much relies on it, it is complex and changes, and its tests are shallow"
        if found.modules
        else "",
        Table(("module", "risk", "tested", "why"), rows, frozenset({0, 3})),
        found.notes,
    )
