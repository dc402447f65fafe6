"""Where the instances of a size are, beside their row: in a rack, or in a namespace each."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import CONFLICT, FORBIDDEN, NOT_FOUND, UNPROCESSABLE_ENTITY
from typing import Protocol
from uuid import UUID

from shared import settings

from worker import manifests
from worker.cluster import REQUEST_S, Cluster, Object, RefusedError, UnavailableError
from worker.manifests import Names

_PAUSE_S = 0.2
_GOING = {"metadata": {"deletionTimestamp": ""}}


class Place(Protocol):
    """Where instances are made. Both methods may be called again, after a crash in the middle."""

    def make(self, instance_id: UUID, size: str, within_s: float) -> None:
        """Make what an instance consists of, and return when it runs.

        Raises UnavailableError where it does not in that time, RefusedError where it never will.
        """

    def remove(self, instance_id: UUID) -> None:
        """Take away what was made, or half of it; nothing where there is nothing."""


class Rack:
    """A rack: that the row is there is all."""

    def make(self, instance_id: UUID, size: str, within_s: float) -> None:
        """Do nothing."""

    def remove(self, instance_id: UUID) -> None:
        """Do nothing."""


class ForeignError(RefusedError):
    """A namespace of this name is there, and was made by somebody else."""


@dataclass(frozen=True)
class Namespaces:
    """A namespace for each instance, with its quota, its pod and a Service.

    All names come from the instance's id: whoever goes on after a crash finds what is there.
    """

    cluster: Cluster
    pod: str
    """The pod of this process: instances run its image."""

    def make(self, instance_id: UUID, size: str, within_s: float) -> None:
        """Make the namespace with all that is in it, and wait until the pod is ready."""
        deadline = time.monotonic() + within_s
        names = Names(self.cluster.namespace, instance_id)
        # First, since the quota of the sandbox may refuse it: then nothing else is made.
        self.cluster.apply(names.alias, manifests.alias(names))
        self._claim(names, deadline)
        for path, manifest in manifests.inside(names, size, self._image()):
            self.cluster.apply(path, manifest)
        while not self._is_ready(names):
            _pause(deadline, f"the pod in {names.namespace} is not ready")

    def remove(self, instance_id: UUID) -> None:
        """Have the namespace removed: the cluster ends what has begun to go, whatever happens."""
        names = Names(self.cluster.namespace, instance_id)
        self.cluster.delete(names.alias)
        try:
            found = self._look(names, time.monotonic() + REQUEST_S)
        except ForeignError:
            return
        if found is not None and not _is_going(found):
            self.cluster.delete(names.path)

    def _claim(self, names: Names, deadline: float) -> None:
        """Make the namespace, or find it made before; raise ForeignError where it is another's."""
        while True:
            self.cluster.create("/api/v1/namespaces", manifests.namespace(names))
            found = self._look(names, deadline)
            if found is not None and not _is_going(found):
                return
            _pause(deadline, f"{names.namespace} is still being removed")

    def _look(self, names: Names, deadline: float) -> Object | None:
        """Return the namespace, where this account has rights from now on; None: there is none.

        Raises ForeignError where it is somebody else's: there it gets none.
        """
        try:
            self.cluster.create(names.bindings, manifests.binding(names))
        except RefusedError as refusal:
            if refusal.status == NOT_FOUND:
                return None
            if refusal.status == UNPROCESSABLE_ENTITY:  # by the admission policy
                raise ForeignError(CONFLICT, f"{names.namespace} is somebody else's") from refusal
            if "being terminated" in str(refusal):  # by now without the rights to look at it
                return _GOING
            raise
        while True:
            try:
                found = self.cluster.get(names.path)
            except RefusedError:
                # The rights count a moment after they are given.
                _pause(deadline, f"there are no rights in {names.namespace} yet")
                continue
            if found is not None and not manifests.is_own(found, names):
                raise ForeignError(CONFLICT, f"{names.namespace} is somebody else's")
            return found

    def _is_ready(self, names: Names) -> bool:
        found = self.cluster.get(names.deployment) or {}
        status = found.get("status") or {}
        for condition in status.get("conditions") or ():
            said = str(condition.get("message"))
            # What else may be in the way of a pod in a new namespace is mended by the cluster.
            if condition["type"] == "ReplicaFailure" and "exceeded quota" in said:
                raise RefusedError(FORBIDDEN, said)
        return bool(status.get("availableReplicas"))

    def _image(self) -> str:
        found = self.cluster.get(f"/api/v1/namespaces/{self.cluster.namespace}/pods/{self.pod}")
        if found is None:
            raise UnavailableError(f"there is no pod {self.pod} in {self.cluster.namespace}")
        return str(found["spec"]["containers"][0]["image"])


def places() -> Mapping[str, Place]:
    """Return the place of each size that NAMESPACE_SIZES names; all others are in a rack."""
    sizes = settings.text("NAMESPACE_SIZES", "").split()
    if not sizes:
        return {}
    return dict.fromkeys(sizes, Namespaces(Cluster.own(), settings.text("HOSTNAME")))


def _is_going(found: Object) -> bool:
    return "deletionTimestamp" in found["metadata"]


def _pause(deadline: float, reason: str) -> None:
    if time.monotonic() + _PAUSE_S > deadline:
        raise UnavailableError(reason)
    time.sleep(_PAUSE_S)
