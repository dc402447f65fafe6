"""One thing that will make trouble in tests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Trouble:
    """What is wrong, where it stands, why that matters, and what to do."""

    where: str
    """The file and the line, as ``compose.yaml:12``; else the service, or what else it is of."""
    what: str
    why: str
    """What comes of it in a run of tests."""
    cure: str
    is_certain: bool = True
    """Whether something will not work; False: it may, or it works worse than it could."""
