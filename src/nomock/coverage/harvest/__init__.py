"""Harvest: collect what the spies wrote, map the paths, combine, report.

Nothing is stopped for it: a spy has written a line before the line's effect can be seen.
"""

from nomock.coverage.harvest.canary import check_canaries
from nomock.coverage.harvest.combine import Harvest, harvest
from nomock.coverage.harvest.counting import Counted, Row, count
from nomock.coverage.harvest.folder import RUN_FILE, new_run, prepare
from nomock.coverage.harvest.gather import Gathered, gather
from nomock.coverage.harvest.inside import Inside, Unknown
from nomock.coverage.harvest.modules import MODULES_FILE, tell_modules
from nomock.coverage.harvest.newer import too_new
from nomock.coverage.harvest.notes import failures, notes
from nomock.coverage.harvest.reporting import report, table
from nomock.coverage.harvest.services import ServiceSource, source_of, sources_of

__all__ = [
    "MODULES_FILE",
    "RUN_FILE",
    "Counted",
    "Gathered",
    "Harvest",
    "Inside",
    "Row",
    "ServiceSource",
    "Unknown",
    "check_canaries",
    "count",
    "failures",
    "gather",
    "harvest",
    "new_run",
    "notes",
    "prepare",
    "report",
    "source_of",
    "sources_of",
    "table",
    "tell_modules",
    "too_new",
]
