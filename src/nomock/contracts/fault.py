"""What is wrong with the value of one variable."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """What of a value is wrong, as the end of a sentence that begins with the variable."""

    what: str
    cure: str
    is_certain: bool = True
