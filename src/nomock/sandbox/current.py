"""Of all that runs in a sandbox, what is of its last promotion: the rest says nothing of that one.

After a change a Deployment says for a moment what was true before, and its old pods, with all that
was wrong with them, are there until the new ones are ready.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]

_REVISION = "deployment.kubernetes.io/revision"


def observed(deployments: Iterable[Object]) -> list[Object]:
    """Return the Deployments whose status is about what they are to be now."""
    return [
        found
        for found in deployments
        if (found.get("status") or {}).get("observedGeneration", 0)
        >= found["metadata"].get("generation", 0)
    ]


def newest_sets(deployments: Iterable[Object], sets: Sequence[Object]) -> list[Object]:
    """Return the ReplicaSet of each Deployment that makes its new pods; none where it has none."""
    return [
        found
        for deployment in deployments
        for found in sets
        if is_of(found, [deployment]) and _revision(found) == _revision(deployment)
    ]


def is_of(found: Object, owners: Iterable[Object]) -> bool:
    """Tell whether an object was made for one of some others."""
    made_for = {owner["uid"] for owner in found["metadata"].get("ownerReferences") or ()}
    return any(owner["metadata"]["uid"] in made_for for owner in owners)


def _revision(found: Object) -> str:
    return str((found["metadata"].get("annotations") or {}).get(_REVISION))
