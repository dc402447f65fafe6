"""Where the objects go: the namespace of one sandbox, with what all of it may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from nomock.errors import NotPromotableError
from nomock.sandbox.render.naming import LONGEST, is_label

# For the reference stack ten times over; what no test should need is refused, not waited for.
_QUOTA = {
    "pods": "60",
    "requests.cpu": "8",
    "requests.memory": "16Gi",
    "requests.storage": "20Gi",
    "services.loadbalancers": "0",
    "services.nodeports": "0",
}
# For containers that say nothing themselves. Without a request a quota refuses them; as little as
# lets ten sandboxes stand on a node of two cores.
_REQUEST = {"cpu": "10m", "memory": "32Mi"}


_PREFIX = "nomock-"


@dataclass(frozen=True)
class Place:
    """The namespace of one sandbox."""

    id: str
    """Names the sandbox: a DNS label."""
    namespace: str
    expires: datetime | None = None
    """When the reaper may remove it."""
    tools_image: str = ""
    """What stands beside services for tests, as the cluster pulls it; "" where nothing does."""
    quota: Mapping[str, str] = field(default_factory=lambda: _QUOTA)
    """What all of it may take: the ``hard`` of a ResourceQuota."""
    default_request: Mapping[str, str] = field(default_factory=lambda: _REQUEST)
    """What a container is given that reserves nothing itself."""


def place_of(id: str, expires: datetime | None = None) -> Place:
    """Return the place of a sandbox; raise NotPromotableError where its id cannot name one."""
    namespace = f"{_PREFIX}{id}"
    if not is_label(id) or len(namespace) > LONGEST:
        raise NotPromotableError(
            "this cannot name a sandbox",
            where=f"--id {id}",
            todo=f"small letters, digits and hyphens, a letter first, at most "
            f"{LONGEST - len(_PREFIX)} of them",
        )
    return Place(id, namespace, expires)
