"""Faults: break the network and the services on purpose, prove that it bit, and heal.

A test gets its faults from the fixture ``faults``; what it imports itself is here.
"""

from typing import Any

from nomock.faults.acknowledged import Acknowledged
from nomock.faults.steady import recovers_within, steady

__all__ = ["Acknowledged", "recovers_within", "schedules", "steady"]


def __getattr__(name: str) -> Any:
    # It imports every kind of fault, and Hypothesis, which is an extra.
    if name == "schedules":
        from nomock.faults.strategy import schedules

        return schedules
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
