"""What each metric says on the page: one file a metric, by what its measurement left."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from nomock.config import Settings
from nomock.errors import NomockError
from nomock.quality.page import Section
from nomock.quality.sections.contracts import contracts
from nomock.quality.sections.defects import defects
from nomock.quality.sections.mutants import mutants
from nomock.quality.sections.names import names
from nomock.quality.sections.properties import properties
from nomock.quality.sections.risk import risk
from nomock.quality.sections.speed import speed
from nomock.quality.sections.stability import stability

_Metric = Callable[[Settings], Section]

SECTIONS: Sequence[tuple[str, _Metric]] = (
    ("Mutants", mutants),
    ("Defects", defects),
    ("Stability", stability),
    ("Speed", speed),
    ("Names", names),
    ("Contracts", contracts),
    ("Properties", properties),
    ("Risk", risk),
)
"""In the order of the page."""


def sections_of(settings: Settings) -> list[Section]:
    """Return all sections; of what cannot be read, why, in its place."""
    return [_section(settings, name, metric) for name, metric in SECTIONS]


def _section(settings: Settings, name: str, metric: _Metric) -> Section:
    try:
        return metric(settings)
    except NomockError as error:
        return Section(name, asks="It cannot be told.", notes=str(error).splitlines())
