"""What an instance consists of in a cluster."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from worker.cluster import Object

# The label by which the sandbox's end is the end of what was made in it: nomock, docs/sandbox.md.
MADE_IN = "nomock/made-in"
INSTANCE = "instance"
PORT = 8000
_RBAC = "rbac.authorization.k8s.io"
_NUMBER = 10001


@dataclass(frozen=True)
class Names:
    """The names of one instance's objects, and where they are in the API."""

    own: str
    """The namespace of the worker."""
    instance_id: UUID

    @property
    def namespace(self) -> str:
        """The instance's own namespace: a DNS label, as a UUID has small letters and digits."""
        return f"nomock-instance-{self.instance_id}"

    @property
    def labels(self) -> dict[str, str]:
        """The labels of all that is the instance's."""
        return {MADE_IN: self.own, INSTANCE: str(self.instance_id)}

    @property
    def path(self) -> str:
        """Where the namespace is."""
        return f"/api/v1/namespaces/{self.namespace}"

    @property
    def bindings(self) -> str:
        """Where the bindings of its roles are."""
        return f"/apis/{_RBAC}/v1/namespaces/{self.namespace}/rolebindings"

    @property
    def deployment(self) -> str:
        """Where its Deployment is."""
        return f"/apis/apps/v1/namespaces/{self.namespace}/deployments/instance"

    @property
    def host(self) -> str:
        """The name by which the stack reaches the instance: of a Service beside its own."""
        return f"instance-{self.instance_id}"

    @property
    def alias(self) -> str:
        """Where that Service is."""
        return f"/api/v1/namespaces/{self.own}/services/{self.host}"


def is_own(found: Object, names: Names) -> bool:
    """Tell whether a namespace was made for the instance, by this stack's worker."""
    labels = found["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in names.labels.items())


def alias(names: Names) -> Object:
    """Return the instance's name in the worker's own namespace."""
    host = f"instance.{names.namespace}.svc.cluster.local"
    spec = {"type": "ExternalName", "externalName": host}
    labels = {INSTANCE: str(names.instance_id)}
    return _object("v1", "Service", names.host, spec, labels=labels)


def namespace(names: Names) -> Object:
    """Return the namespace."""
    metadata = {"name": names.namespace, "labels": names.labels}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def binding(names: Names) -> Object:
    """Return what gives the worker its rights in the namespace."""
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "worker"},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": f"{names.own}.worker.made"},
        "subjects": [{"kind": "ServiceAccount", "name": "worker", "namespace": names.own}],
    }


def inside(names: Names, size: str, image: str) -> Iterator[tuple[str, Object]]:
    """Yield what is in the namespace, and where it is in the API."""
    quota = {"pods": "4", "requests.memory": "256Mi", "limits.memory": "256Mi"}
    yield (
        f"{names.path}/resourcequotas/instance",
        _object("v1", "ResourceQuota", "instance", {"hard": quota}),
    )
    stack = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": names.own}}}
    closed = {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [stack]}]}
    group = "networking.k8s.io/v1"
    yield (
        f"/apis/{group}/namespaces/{names.namespace}/networkpolicies/instance",
        _object(group, "NetworkPolicy", "instance", closed),
    )
    selector = {INSTANCE: str(names.instance_id)}
    service = {"selector": selector, "ports": [{"port": PORT, "protocol": "TCP"}]}
    yield f"{names.path}/services/instance", _object("v1", "Service", "instance", service)
    template = {"metadata": {"labels": selector}, "spec": _pod(names, size, image)}
    spec = {"replicas": 1, "selector": {"matchLabels": selector}, "template": template}
    yield names.deployment, _object("apps/v1", "Deployment", "instance", spec)


def _pod(names: Names, size: str, image: str) -> Object:
    container = {
        "name": "instance",
        "image": image,
        "command": ["python3", "-m", "worker.instance"],
        "env": [
            {"name": "INSTANCE_ID", "value": str(names.instance_id)},
            {"name": "INSTANCE_SIZE", "value": size},
        ],
        "ports": [{"containerPort": PORT, "protocol": "TCP"}],
        "readinessProbe": {"httpGet": {"port": PORT, "path": "/"}, "periodSeconds": 1},
        "resources": {
            "requests": {"cpu": "10m", "memory": "32Mi"},
            "limits": {"memory": "64Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        # What it keeps, it keeps as long as its pod.
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    return {
        "containers": [container],
        "volumes": [{"name": "data", "emptyDir": {"sizeLimit": "16Mi"}}],
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _NUMBER,
            "fsGroup": _NUMBER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": 1,
    }


def _object(
    version: str, kind: str, name: str, spec: Any, labels: dict[str, str] | None = None
) -> Object:
    metadata = {"name": name, "labels": labels or {}}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec}
