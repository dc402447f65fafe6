"""The limits: what a container is given that asks for nothing, since a quota refuses it else."""

from __future__ import annotations

from collections.abc import Iterator

from lightkube.models.core_v1 import LimitRangeItem, LimitRangeSpec
from lightkube.resources.core_v1 import LimitRange

from nomock.sandbox.render.kind import Kind
from nomock.sandbox.render.meta import of_sandbox
from nomock.sandbox.render.plan import Plan


class Limits(Kind):
    """One for the whole sandbox."""

    def of_sandbox(self, plan: Plan) -> Iterator[LimitRange]:
        """Return the range of limits."""
        request = dict(plan.place.default_request)
        item = LimitRangeItem(type="Container", defaultRequest=request)
        yield LimitRange(
            metadata=of_sandbox(plan.place, "sandbox"), spec=LimitRangeSpec(limits=[item])
        )
