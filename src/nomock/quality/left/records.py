"""The shapes of what measurements leave: a file is a record, ``when`` in ISO 8601 of UTC.

Paths are relative to the project, with slashes; tests are pytest's ids; durations are in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol


class Record(Protocol):
    """What a measurement leaves in a file of its own."""

    NAME: ClassVar[str]
    """The name of the file, without its ending."""

    @property
    def when(self) -> str:
        """When it was measured, in ISO 8601 of UTC."""


@dataclass(frozen=True)
class MutatedFile:
    """What became of the mutants of a source file."""

    path: str
    killed: int
    survived: int
    no_coverage: int
    """Those that no test runs."""
    aside: int

    @property
    def score(self) -> float | None:
        """The share of the judged mutants that were killed; None where none was judged."""
        judged = self.killed + self.survived
        return self.killed / judged if judged else None


@dataclass(frozen=True)
class Mutation:
    """What became of the mutants of the services."""

    NAME: ClassVar[str] = "mutation"
    when: str
    score: float | None
    """Killed of killed and survived, 0 to 1; None where none was judged."""
    killed: int
    timed_out: int
    """How many of the killed were ended since they hung."""
    survived: int
    no_coverage: int
    aside: int
    """Those that are equivalent, with a reason that was reviewed."""
    error: int
    left: int
    """Those that the budget did not reach."""
    files: tuple[MutatedFile, ...]


@dataclass(frozen=True)
class Defect:
    """A seeded defect, and which test noticed it."""

    name: str
    kind: str
    found_by: str | None
    """The test on the real stack; None: it was missed."""
    seconds: float | None
    twin_found_by: str | None
    """The test of the mocked twin; None: it was missed."""
    twin_seconds: float | None


@dataclass(frozen=True)
class Defects:
    """Seeded defects against the suite and its mocked twin."""

    NAME: ClassVar[str] = "defects"
    when: str
    defects: tuple[Defect, ...]
    sound_seconds: float | None
    """How long the suite takes on the sound code."""
    twin_sound_seconds: float | None


@dataclass(frozen=True)
class Check:
    """A kind of contract, how much was looked at, and what does not hold."""

    name: str
    checked: int
    findings: tuple[str, ...]


@dataclass(frozen=True)
class Contracts:
    """What services promise, held against what they do."""

    NAME: ClassVar[str] = "contracts"
    when: str
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Invariant:
    """What is to hold whatever happens, and how it was tried."""

    name: str
    test: str
    examples: int
    seconds: float
    state: str
    """``holds`` or ``broken``."""


@dataclass(frozen=True)
class Properties:
    """The invariants of the suite, tried by generated examples."""

    NAME: ClassVar[str] = "properties"
    when: str
    invariants: tuple[Invariant, ...]
