"""What can be said of a service."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """How a service is: ``ready``, ``waiting`` or ``lost``, and what was seen."""

    state: str
    seen: str
    loops: bool = False
    """Whether it waits because it ends again and again."""
