"""Harvest: collect what the spies wrote, map the paths, combine, report.

Nothing is stopped for it: a spy has written a line before the line's effect can be seen.
"""

from nomock.harvest.combine import Harvest, Row, harvest
from nomock.harvest.folder import new_run, prepare
from nomock.harvest.reporting import report, rows
from nomock.harvest.sources import ServiceSource, source_of

__all__ = [
    "Harvest",
    "Row",
    "ServiceSource",
    "harvest",
    "new_run",
    "prepare",
    "report",
    "rows",
    "source_of",
]
