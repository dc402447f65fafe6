"""What is kept of a run, and of each test that ended in it."""

from __future__ import annotations

from dataclasses import dataclass

FAILED = "failed"
"""The outcome of a test that was red in any of its phases; the others are pytest's words."""
PASSED = "passed"


@dataclass(frozen=True)
class RunFacts:
    """What all tests of a run had in common."""

    tree: str
    """The git tree of the files as they were when it began, what was not committed included."""
    began_s: float
    """Seconds since the epoch."""
    command: str = ""
    seed: int | None = None
    """That of the order of its tests; None: the order of their files."""
    workers: int = 0
    lanes: str = "shared"
    target: str = "compose"
    is_covered: bool = False
    is_traced: bool = False
    busy: int = 0
    """How many processes kept the cores busy on purpose."""
    latency_ms: int = 0
    """By how much each edge was slower on purpose."""


@dataclass(frozen=True)
class RunTimes:
    """How long a run took, in seconds."""

    took_s: float
    """From its begin to its end."""
    ready_s: float
    """What of that its stack took to become ready."""
    is_warm: bool
    """Whether its stack was there as the files say, so that nothing was built or started."""


@dataclass(frozen=True)
class Ended:
    """A test that ended."""

    test: str
    """Its node id."""
    outcome: str
    took_s: float
    worker: int
    """From 1 on; 0 without workers."""
    place: int
    """How many tests ended before it in that worker."""
    load: float
    """How many processes wanted a core, over the last minute."""
    faults: str = ""
    """The faults that it put on itself, in the order of their names."""


@dataclass(frozen=True)
class Result:
    """A test that ended, in its run."""

    run: int
    facts: RunFacts
    ended: Ended
    before: str
    """The test that ended before it in its worker; "" for the first one."""
