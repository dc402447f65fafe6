"""Why a test failed, by its evidence: the likeliest cause first, each with its proof.

Each cause looks for one thing, and says how sure it is; none knows of the others. What they share
is the order: what befell a service explains more than what it answered, and that more than that
something was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from nomock.evidence.causes.answers import errors, slow, unreachable
from nomock.evidence.causes.cause import Cause, Known, Record
from nomock.evidence.causes.failure import assertion, leaked, trace
from nomock.evidence.causes.history import changed, flaky
from nomock.evidence.causes.locks import locked
from nomock.evidence.causes.services import died, left_faults, own_faults

__all__ = ["Cause", "Known", "causes_of"]

_LOOKS: Sequence[Callable[[Record, Known], Iterator[Cause]]] = (
    died,
    left_faults,
    own_faults,
    locked,
    unreachable,
    slow,
    errors,
    trace,
    leaked,
    flaky,
    changed,
    assertion,
)


def causes_of(record: Record, known: Known) -> list[Cause]:
    """Return the causes of a test's failure, the likeliest first; there is always one."""
    if not record["failures"]:
        return []
    found = [cause for look in _LOOKS for cause in look(record, known)]
    return sorted(found, key=lambda cause: -cause.sure)
