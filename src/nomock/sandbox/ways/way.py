"""The interface of a way of promotion, and what all ways do: take the namespace, check, prune."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any

from nomock.adapters.kubernetes import Connection, Objects
from nomock.errors import PromotionError
from nomock.polling import wait_until
from nomock.sandbox.render.naming import BY, SANDBOX, WAVE
from nomock.sandbox.workloads import Workloads

Object = Mapping[str, Any]

PAUSE_S = 0.25
_GOES_WITHIN_S = 60.0


@dataclass
class Way(ABC):
    """Brings one sandbox to what its objects say."""

    connection: Connection
    namespace: str
    id: str
    show: Callable[[str], None]
    objects: Objects = field(init=False)
    workloads: Workloads = field(init=False)

    def __post_init__(self) -> None:
        self.objects = Objects(self.connection, self.namespace)
        self.workloads = Workloads(self.connection, self.namespace, self.id)

    @property
    @abstractmethod
    def by(self) -> str:
        """What the namespace says of who brings it up."""

    def require(self, namespace: Object) -> None:
        """See that the cluster is there, and lets this user make the sandbox's namespace.

        Raises PromotionError where the namespace is not this sandbox's, ClusterError else.
        """
        self.show("asking the cluster")
        self.take_namespace()
        self.check([namespace])

    @abstractmethod
    def sync(self, manifests: Sequence[Object]) -> None:
        """Make the namespace, once nothing of the rest would be refused by the server.

        Raises PromotionError where the namespace is not this sandbox's, ClusterError for the first
        object that the server would refuse.
        """

    @abstractmethod
    def apply(self, manifests: Sequence[Object], *, within_s: float) -> None:
        """Bring up the services, in order of their waves, and wait until all are ready.

        ``within_s``: how long all of it may take. Raises PromotionError with the cause of the first
        service that cannot become ready, or that is not in time.
        """

    @abstractmethod
    def prune(self, manifests: Sequence[Object]) -> list[str]:
        """Delete what an earlier promotion of this sandbox made and this one did not."""

    def take_namespace(self) -> None:
        """See that the namespace is this sandbox's, or is not there; wait for one that goes."""
        found = self.objects.get("Namespace", self.namespace)
        if found is None:
            return
        owner = (found["metadata"].get("labels") or {}).get(SANDBOX)
        if owner != self.id:
            raise PromotionError(
                "this namespace belongs to somebody else",
                where=f"namespace {self.namespace}",
                seen=f"its label {SANDBOX} is {owner!r}, and not {self.id!r}",
                todo="choose another id: --id",
            )
        if found["status"].get("phase") == "Terminating":
            self.show("waiting for the old sandbox to go")
            wait_until(
                lambda: self.objects.get("Namespace", self.namespace) is None,
                within_s=_GOES_WITHIN_S,
                pause_s=PAUSE_S,
            )
            return
        by = (found["metadata"].get("annotations") or {}).get(BY, self.by)
        if by != self.by:
            # What one has set the other would never take away again.
            raise PromotionError(
                "this sandbox was promoted in another way",
                where=f"namespace {self.namespace}",
                seen=f"its annotation {BY} is {by!r}, and not {self.by!r}",
                todo="promote it as before (--direct, --argo), or take it down first: "
                "nomock sandbox down",
            )

    def marked(self, manifest: Object) -> Object:
        """Return a manifest; that of the namespace says by whom it is brought up."""
        if manifest["kind"] != "Namespace":
            return manifest
        meta = manifest["metadata"]
        annotations = {**(meta.get("annotations") or {}), BY: self.by}
        return {**manifest, "metadata": {**meta, "annotations": annotations}}

    def make(self, manifests: Sequence[Object]) -> None:
        """Apply objects, one after the other."""
        for manifest in manifests:
            self.show(_name(manifest))
            self.objects.apply(self.marked(manifest))

    def check(self, manifests: Sequence[Object]) -> None:
        """Have the server say of each object whether it would take it."""
        for manifest in manifests:
            self.show(f"checking {_name(manifest)}")
            self.objects.apply(manifest, dry_run=True)

    def prune_kinds(self, kinds: Sequence[str], wanted: Set[tuple[str, str]]) -> list[str]:
        """Delete this sandbox's objects of some kinds that are not wanted, by kind and name."""
        gone = []
        for kind in kinds:
            for found in self.objects.list(kind, f"{SANDBOX}={self.id}"):
                name = found["metadata"]["name"]
                if (kind, name) not in wanted and "ownerReferences" not in found["metadata"]:
                    self.objects.delete(kind, name)
                    gone.append(f"{kind} {name}")
        return gone


def wave_of(manifest: Object) -> int:
    """Return the wave of an object: 0 of what belongs to no service."""
    return int((manifest["metadata"].get("annotations") or {}).get(WAVE) or 0)


def _name(manifest: Object) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"
