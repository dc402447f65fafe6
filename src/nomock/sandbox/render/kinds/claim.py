"""Claims: the named volumes that are to outlive their pods, where the compose file asks for it."""

from __future__ import annotations

from collections.abc import Iterator

from lightkube.models.core_v1 import PersistentVolumeClaimSpec, VolumeResourceRequirements
from lightkube.resources.core_v1 import PersistentVolumeClaim

from nomock.sandbox.render.kind import Kind
from nomock.sandbox.render.meta import of_sandbox
from nomock.sandbox.render.mounts import Claim
from nomock.sandbox.render.naming import label_of, waves
from nomock.sandbox.render.plan import Plan, ServicePlan

# No promotion deletes data: a claim that the file does not name any more stays with its sandbox.
_STAYS = {
    "argocd.argoproj.io/sync-options": "Prune=false",
    "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
}


class Claims(Kind):
    """One for each volume that ``x-nomock`` names."""

    def of_sandbox(self, plan: Plan) -> Iterator[PersistentVolumeClaim]:
        """Return the claims.

        Each is in the wave of the first service that has it: many clusters bind a claim only when
        a pod wants it, and Argo CD waits in each wave until its claims are bound.
        """
        for volume, size in plan.ground.options.claims.items():
            users = [s.wave for s in plan.services.values() if _has(s, volume)]
            annotations = {**waves(min(users, default=0)), **_STAYS}
            yield PersistentVolumeClaim(
                metadata=of_sandbox(plan.place, label_of(volume), annotations),
                spec=PersistentVolumeClaimSpec(
                    # Of one node: a volume that several nodes write to is seldom to be had.
                    accessModes=["ReadWriteOnce"],
                    resources=VolumeResourceRequirements(requests={"storage": str(size)}),
                ),
            )


def _has(service: ServicePlan, volume: str) -> bool:
    return any(mount.source == Claim(volume) for mount in service.mounts)
