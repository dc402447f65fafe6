"""What the tests said of a mutant."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from nomock.mutation.mutant import Mutant


class Status(StrEnum):
    """How it went with a mutant."""

    KILLED = "killed"
    """A test failed, or the service did not start with it: noticed."""
    TIMED_OUT = "timed out"
    """The service hung: noticed, too."""
    SURVIVED = "survived"
    """All tests passed that could have noticed it."""
    NO_COVERAGE = "no coverage"
    """No test runs the changed lines."""
    SET_ASIDE = "set aside"
    """Somebody wrote down why no test can notice it."""
    NOT_COMPILED = "not compiled"
    """The service's Python does not compile it."""
    ERROR = "error"
    """It could not be found out; ``note`` says why."""


NOTICED = frozenset({Status.KILLED, Status.TIMED_OUT})
UNNOTICED = frozenset({Status.SURVIVED, Status.NO_COVERAGE})


@dataclass(frozen=True)
class Verdict:
    """A mutant, and what the tests said of it."""

    mutant: Mutant
    status: Status
    killed_by: tuple[str, ...] = ()
    """The tests that failed, by node id; more than one only where all were run."""
    covered_by: tuple[str, ...] = ()
    """The tests that run the changed lines, by node id."""
    seconds: float = 0.0
    note: str = ""
    """What else there is to say, in a sentence: the reason why it is set aside, what went wrong,
    or that the service did not start with it."""
