"""Claims: the named volumes that are to outlive their pods, where the compose file asks for it."""

from __future__ import annotations

from collections.abc import Iterator

from lightkube.models.core_v1 import PersistentVolumeClaimSpec, VolumeResourceRequirements
from lightkube.resources.core_v1 import PersistentVolumeClaim

from nomock.sandbox.render.kind import Kind
from nomock.sandbox.render.meta import of_sandbox
from nomock.sandbox.render.naming import label_of
from nomock.sandbox.render.plan import Plan


class Claims(Kind):
    """One for each volume that ``x-nomock`` names."""

    def of_sandbox(self, plan: Plan) -> Iterator[PersistentVolumeClaim]:
        """Return the claims."""
        for volume, size in plan.ground.options.claims.items():
            yield PersistentVolumeClaim(
                metadata=of_sandbox(plan.place, label_of(volume)),
                spec=PersistentVolumeClaimSpec(
                    # Of one node: a volume that several nodes write to is seldom to be had.
                    accessModes=["ReadWriteOnce"],
                    resources=VolumeResourceRequirements(requests={"storage": str(size)}),
                ),
            )
