"""Harvest: collect what the spies wrote, map the paths, combine, report.

Nothing is stopped for it: a spy has written a line before the line's effect can be seen.
"""

from nomock.harvest.canary import check_canaries
from nomock.harvest.combine import Harvest, harvest
from nomock.harvest.counting import Row, count
from nomock.harvest.folder import RUN_FILE, new_run, prepare
from nomock.harvest.gather import Gathered, gather
from nomock.harvest.newer import too_new
from nomock.harvest.notes import notes
from nomock.harvest.reporting import report, table
from nomock.harvest.sources import ServiceSource, source_of, sources_of

__all__ = [
    "RUN_FILE",
    "Gathered",
    "Harvest",
    "Row",
    "ServiceSource",
    "check_canaries",
    "count",
    "gather",
    "harvest",
    "new_run",
    "notes",
    "prepare",
    "report",
    "source_of",
    "sources_of",
    "table",
    "too_new",
]
