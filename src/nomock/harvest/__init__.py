"""Harvest: collect what the spies wrote, map the paths, combine, report.

Nothing is stopped for it: a spy has written a line before the line's effect can be seen.
"""

from nomock.harvest.canary import check_canaries
from nomock.harvest.combine import Harvest, harvest
from nomock.harvest.counting import Counted, Row, count
from nomock.harvest.folder import RUN_FILE, new_run, prepare
from nomock.harvest.gather import Gathered, gather
from nomock.harvest.inside import Inside, Unknown
from nomock.harvest.modules import MODULES_FILE, tell_modules
from nomock.harvest.newer import too_new
from nomock.harvest.notes import failures, notes
from nomock.harvest.reporting import report, table
from nomock.harvest.services import ServiceSource, source_of, sources_of

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
