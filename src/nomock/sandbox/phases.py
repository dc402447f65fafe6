"""The phases of a promotion: each a line with its time against its budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import monotonic

BUDGETS_S = {"build and push": 120.0, "sync": 30.0, "ready": 90.0, "endpoint": 30.0}
"""Of a promotion, five minutes in all with what is between them."""


@dataclass
class Phases:
    """Times the phases, and says each as it ends."""

    say: Callable[[str], None]
    """Gets a line that stays."""
    show: Callable[[str], None]
    """Gets where a phase stands."""
    took_s: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[Callable[[str], None]]:
        """Time a phase; give what shows where it stands. A budget that is missed is only said."""
        began_s = monotonic()
        self.show(name)
        how = "failed after"
        try:
            yield lambda detail: self.show(f"{name}: {detail}")
            how = ""
        finally:
            took_s = self.took_s[name] = monotonic() - began_s
            budget_s = BUDGETS_S[name]
            over = "" if took_s <= budget_s else f", {took_s - budget_s:.0f} s over it"
            self.say(f"{name:<15} {how:>12} {took_s:6.1f} s of {budget_s:.0f} s{over}")
