"""The namespace of a sandbox, for tests of what only Kubernetes has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nomock.errors import ClusterError
from nomock.sandbox.causes import Cause, Seen, causes
from nomock.target import Executed

if TYPE_CHECKING:  # of an extra, which a run on compose does without
    from nomock.adapters.kubernetes import Connection, Objects

Object = Mapping[str, Any]
_JSON_PATCH = {"Content-Type": "application/json-patch+json"}


@dataclass(frozen=True)
class Kubernetes:
    """The objects of a sandbox's namespace: ``stack.kubernetes``.

    A kind is named as in a manifest, ``Deployment``; an object is what the cluster's API answers.
    Each method raises a ClusterError, ClusterForbiddenError where the kubeconfig's user has no
    right to it.
    """

    connection: Connection
    namespace: str
    """Its name."""

    def in_namespace(self, namespace: str) -> Kubernetes:
        """Return the same for another namespace of the cluster."""
        return Kubernetes(self.connection, namespace)

    def get(self, kind: str, name: str) -> Object | None:
        """Return an object; None where there is none."""
        return self._objects.get(kind, name)

    def list(self, kind: str, labels: str = "") -> Sequence[Object]:
        """Return the objects of a kind, those with some labels if any are named: ``a=b,c=d``."""
        return self._objects.list(kind, labels)

    def pods(self, service: str) -> Sequence[Object]:
        """Return the pods of a service of the compose file, but for those that are ending."""
        from nomock.adapters.kubernetes import SERVICE

        found = self.list("Pod", f"{SERVICE}={service}")
        return [pod for pod in found if "deletionTimestamp" not in pod["metadata"]]

    def apply(self, manifest: Object) -> Object:
        """Make an object what its manifest says, by server-side apply; return what it is then.

        It stays until somebody deletes it, at the latest with its namespace.
        """
        return self._objects.apply(manifest)

    @contextmanager
    def changed(self, kind: str, name: str, spec: Object) -> Iterator[Object]:
        """Change the spec of an object for as long as the block runs, then put it back.

        It is a strategic merge patch: in lists as ``containers`` it changes the item of the same
        name, and keeps the others. The block gets the object as it is then. What a run leaves that
        is killed meanwhile the next promotion puts right. Raises ClusterError where there is no
        such object.
        """
        before = self.get(kind, name)
        if before is None:
            raise ClusterError(f"there is no {kind} {name}", where=f"namespace {self.namespace}")
        path = self._objects.path(kind, name)
        headers = {"Content-Type": "application/strategic-merge-patch+json"}
        self.connection.ask("PATCH", path, json={"spec": spec}, headers=headers)
        try:
            yield self.get(kind, name) or before
        finally:
            back = [{"op": "replace", "path": "/spec", "value": before["spec"]}]
            self.connection.ask("PATCH", path, json=back, headers=_JSON_PATCH)

    def delete(self, kind: str, name: str) -> bool:
        """Have an object deleted, which may take a while; False where there was none."""
        return self._objects.delete(kind, name)

    def evict(self, pod: str) -> None:
        """Evict a pod, as a drained node does: it has its own time to end in.

        Raises ClusterError where a PodDisruptionBudget forbids it.
        """
        metadata = {"name": pod, "namespace": self.namespace}
        asked = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
        self.connection.ask("POST", f"{self._objects.path('Pod', pod)}/eviction", json=asked)

    def execute(self, pod: str, *command: str) -> Executed:
        """Run a command in the first container of a pod to its end; return code and streams."""
        from nomock.adapters.kubernetes import PodName, Pods

        found = self.get("Pod", pod)
        if found is None:
            raise ClusterError(f"there is no pod {pod}", where=f"namespace {self.namespace}")
        container = PodName(self.namespace, pod, found["spec"]["containers"][0]["name"])
        return Pods(self.connection, self.namespace).execute(str(container), command)

    def may(self, account: str, verb: str, resource: str, *, group: str = "") -> bool:
        """Tell whether a service account may do something to a kind of objects in this namespace.

        ``account``: ``NAMESPACE:NAME``; ``resource``: ``secrets``; ``group``: its group in the API.
        """
        attributes = {"verb": verb, "resource": resource, "group": group}
        spec = {
            "user": f"system:serviceaccount:{account}",
            "resourceAttributes": {**attributes, "namespace": self.namespace},
        }
        asked = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview"}
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        reply = self.connection.ask("POST", path, json={**asked, "spec": spec})
        return bool(reply.json()["status"]["allowed"])

    def causes(self) -> Sequence[Cause]:
        """Return why services are not what was applied last, in the words of a promotion.

        A cause has ``service``, ``what`` (``image pull refused``), ``seen`` (the cluster's own
        words) and ``pod``.
        """
        from nomock.adapters.kubernetes import SERVICE

        seen = Seen(
            deployments=self.list("Deployment"),
            replica_sets=self.list("ReplicaSet"),
            jobs=self.list("Job"),
            pods=self.list("Pod"),
            events=self.list("Event"),
        )
        return causes(seen, SERVICE)

    @property
    def _objects(self) -> Objects:
        from nomock.adapters.kubernetes import Objects

        return Objects(self.connection, self.namespace)
