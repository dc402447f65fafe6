"""Which tests a change needs: those that ran what changed, and every one in doubt."""

from nomock.coverage.affected.baseline import CoveredRun, load_baseline, run_of, save_baseline
from nomock.coverage.affected.changes import Change
from nomock.coverage.affected.choose import Affected, Choice, Reason
from nomock.coverage.affected.lines import (
    Resilience,
    StatementRuns,
    as_ranges,
    resilience,
    what_ran,
)
from nomock.coverage.affected.order import Past, in_order
from nomock.coverage.affected.since_green import SinceGreen, since_green
from nomock.coverage.affected.state import State, Suite, digest_of, state_now
from nomock.coverage.affected.watching import Watching, syntax_error

__all__ = [
    "Affected",
    "Change",
    "Choice",
    "CoveredRun",
    "Past",
    "Reason",
    "Resilience",
    "SinceGreen",
    "State",
    "StatementRuns",
    "Suite",
    "Watching",
    "as_ranges",
    "digest_of",
    "in_order",
    "load_baseline",
    "resilience",
    "run_of",
    "save_baseline",
    "since_green",
    "state_now",
    "syntax_error",
    "what_ran",
]
