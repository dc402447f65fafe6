"""Which tests a change needs: those that ran what changed, and every one in doubt."""

from nomock.affected.choose import Affected, Choice, Reason
from nomock.affected.lines import Ran, Resilience, as_ranges, resilience, what_ran
from nomock.affected.memory import Memory, recall, remember, run_of
from nomock.affected.state import State, Suite, digest_of, state_now

__all__ = [
    "Affected",
    "Choice",
    "Memory",
    "Ran",
    "Reason",
    "Resilience",
    "State",
    "Suite",
    "as_ranges",
    "digest_of",
    "recall",
    "remember",
    "resilience",
    "run_of",
    "state_now",
    "what_ran",
]
