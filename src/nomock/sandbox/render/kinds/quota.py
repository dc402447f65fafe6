"""The quota: what all of a sandbox may take."""

from __future__ import annotations

from collections.abc import Iterator

from lightkube.models.core_v1 import ResourceQuotaSpec
from lightkube.resources.core_v1 import ResourceQuota

from nomock.sandbox.render.kind import Kind
from nomock.sandbox.render.meta import of_sandbox
from nomock.sandbox.render.plan import Plan


class Quotas(Kind):
    """One for the whole sandbox."""

    def of_sandbox(self, plan: Plan) -> Iterator[ResourceQuota]:
        """Return the quota."""
        yield ResourceQuota(
            metadata=of_sandbox(plan.place, "sandbox"),
            spec=ResourceQuotaSpec(hard=dict(plan.place.quota)),
        )
