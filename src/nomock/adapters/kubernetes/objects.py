"""Objects of a cluster: applied by the server itself, looked for, and deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nomock.adapters.kubernetes.connection import Connection

MANAGER = "nomock"
"""Who owns the fields that are applied: https://kubernetes.io/docs/reference/using-api/server-side-apply/"""
_APPLY = {"Content-Type": "application/apply-patch+yaml"}
_ADMISSION = "apis/admissionregistration.k8s.io/v1"

Object = Mapping[str, Any]

KINDS: Mapping[str, tuple[str, str]] = {
    "Namespace": ("api/v1", "namespaces"),
    "ResourceQuota": ("api/v1", "resourcequotas"),
    "LimitRange": ("api/v1", "limitranges"),
    "ServiceAccount": ("api/v1", "serviceaccounts"),
    "Secret": ("api/v1", "secrets"),
    "ConfigMap": ("api/v1", "configmaps"),
    "PersistentVolumeClaim": ("api/v1", "persistentvolumeclaims"),
    "Service": ("api/v1", "services"),
    "Pod": ("api/v1", "pods"),
    "Event": ("api/v1", "events"),
    "EndpointSlice": ("apis/discovery.k8s.io/v1", "endpointslices"),
    "Role": ("apis/rbac.authorization.k8s.io/v1", "roles"),
    "RoleBinding": ("apis/rbac.authorization.k8s.io/v1", "rolebindings"),
    "ClusterRole": ("apis/rbac.authorization.k8s.io/v1", "clusterroles"),
    "ClusterRoleBinding": ("apis/rbac.authorization.k8s.io/v1", "clusterrolebindings"),
    "ValidatingAdmissionPolicy": (_ADMISSION, "validatingadmissionpolicies"),
    "ValidatingAdmissionPolicyBinding": (_ADMISSION, "validatingadmissionpolicybindings"),
    "NetworkPolicy": ("apis/networking.k8s.io/v1", "networkpolicies"),
    "Deployment": ("apis/apps/v1", "deployments"),
    "ReplicaSet": ("apis/apps/v1", "replicasets"),
    "Job": ("apis/batch/v1", "jobs"),
    "HTTPRoute": ("apis/gateway.networking.k8s.io/v1", "httproutes"),
    "Application": ("apis/argoproj.io/v1alpha1", "applications"),
}
"""What the renderer makes, a cluster makes of that, or is Argo CD's: where each is in the API."""
GLOBAL = (
    "ValidatingAdmissionPolicyBinding",
    "ValidatingAdmissionPolicy",
    "ClusterRoleBinding",
    "ClusterRole",
    "Namespace",
)
"""Those that are in no namespace; who binds another one comes before it."""


@dataclass(frozen=True)
class Objects:
    """The objects of one namespace, and the namespace itself."""

    connection: Connection
    namespace: str

    def apply(self, manifest: Object, *, dry_run: bool = False) -> Object:
        """Make an object what its manifest says, and return it as it is now.

        Fields that somebody else set are taken over where they differ. A Job runs once more: one
        that ran before goes first. Raises ClusterError.
        """
        if manifest["kind"] == "Job" and not dry_run:
            self.delete("Job", manifest["metadata"]["name"])
        path = self.path(manifest["kind"], manifest["metadata"]["name"])
        query = {"fieldManager": MANAGER, "force": "true"}
        if dry_run:
            query["dryRun"] = "All"
        reply = self.connection.ask("PATCH", path, query, json=manifest, headers=_APPLY)
        if reply.status_code >= 400:
            raise self.connection.refused(reply, f"PATCH {path}")
        found: Object = reply.json()
        return found

    def list(self, kind: str, labels: str = "") -> Sequence[Object]:
        """Return the objects of a kind that have some labels."""
        query = {"labelSelector": labels} if labels else {}
        found = self.connection.get(self.path(kind), query) or {}
        return [*(found.get("items") or ())]

    def get(self, kind: str, name: str) -> Object | None:
        """Return an object; None where there is none."""
        found: Object | None = self.connection.get(self.path(kind, name))
        return found

    def delete(self, kind: str, name: str) -> bool:
        """Delete an object, and what was made for it; False where there was none."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background"}
        return self.connection.delete(self.path(kind, name), options)

    def path(self, kind: str, name: str = "") -> str:
        """Return where a kind of objects is in the API, or one of them."""
        version, plural = KINDS[kind]
        space = "" if kind in GLOBAL else f"/namespaces/{self.namespace}"
        return f"/{version}{space}/{plural}" + (f"/{name}" if name else "")
