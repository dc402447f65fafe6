"""What a test did to the services, and what its failure told of them: carried by its reports.

Under xdist the tests run in workers, and the controller has to know at the end of the run.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from nomock.evidence import Span
    from nomock.target import Act

_MARK = "nomock_deeds"
_LANE = "nomock_lane"

Deeds = tuple[list[Any], list[Any], list[Any]]
"""The fields of Acts, of the Spans of faults, and of those of what was told."""


def tell(
    report: pytest.TestReport,
    *,
    acts: Iterable[Act] = (),
    spans: Iterable[Span] = (),
    told: Iterable[Span] = (),
) -> None:
    """Add to what a report carries what was asked of the engine, and when each fault was on.

    ``told``: of which container (``where``) what befell it has been told, by the engine's clock.
    """
    own = [[list(astuple(one)) for one in some] for some in (acts, spans, told)]
    if any(own):  # as xdist hands it on: lists of plain values
        setattr(report, _MARK, [b + o for b, o in zip(deeds_of(report), own, strict=True)])


def tell_lane(report: pytest.TestReport, stack: str) -> None:
    """Say on which stack a test ran, where that is a lane's."""
    setattr(report, _LANE, stack)


def lane_of(report: pytest.TestReport) -> str:
    """Return the name of the stack of the lane that a test ran on; "" where nobody said it."""
    return str(getattr(report, _LANE, ""))


def deeds_of(report: pytest.TestReport) -> Deeds:
    """Return what a report carries."""
    acts, spans, told = getattr(report, _MARK, [[], [], []])
    return acts, spans, told
