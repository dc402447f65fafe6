"""The Deployments of a namespace: a service that is stopped is one that is scaled to nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nomock.adapters.kubernetes.connection import Connection
from nomock.adapters.kubernetes.reading import SERVICE, PodName
from nomock.errors import ClusterError

_STOPPED = "nomock/stopped"
"""The annotation of a Deployment that a test has stopped: how many replicas it had."""

Found = Mapping[str, Any]


@dataclass(frozen=True)
class Deployments:
    """Stops and starts the services of one namespace."""

    connection: Connection
    namespace: str

    @property
    def _path(self) -> str:
        return f"/apis/apps/v1/namespaces/{self.namespace}/deployments"

    def list(self) -> list[Found]:
        """Return those of the services."""
        found = self.connection.get(self._path, {"labelSelector": SERVICE}) or {}
        return [*(found.get("items") or ())]

    def get(self, name: str) -> Found | None:
        """Return one by its name; None where there is none."""
        found: Found | None = self.connection.get(f"{self._path}/{name}")
        return found

    def of(self, name: PodName) -> Found:
        """Return the Deployment of a container; raise ClusterError where it has none."""
        for found in self.list():
            # Its pods have its name and a suffix; a container that stands for it has its name.
            own, container = found["metadata"]["name"], _template(found)["spec"]["containers"][0]
            is_own = name.pod == own or name.pod.startswith(f"{own}-")
            if is_own and container["name"] == name.container:
                return found
        raise ClusterError(
            "it is no Deployment's, so that it cannot be stopped and started",
            where=f"pod {name.pod} of {name.namespace}",
        )

    def stop(self, deployment: Found) -> bool:
        """Scale it to nothing; False where it was stopped before."""
        if stopped_from(deployment):
            return False
        self._scale(deployment, 0, stopped=str(deployment["spec"].get("replicas", 1)))
        return True

    def start(self, deployment: Found) -> bool:
        """Give it its replicas again; False where it was not stopped."""
        replicas = stopped_from(deployment)
        if replicas:
            self._scale(deployment, replicas, stopped=None)
        return bool(replicas)

    def _scale(self, deployment: Found, replicas: int, *, stopped: str | None) -> None:
        path = f"{self._path}/{deployment['metadata']['name']}"
        marked = {"annotations": {_STOPPED: stopped}}
        self.connection.patch(path, {"metadata": marked, "spec": {"replicas": replicas}})


def stopped_from(deployment: Found) -> int:
    """Return how many replicas a stopped Deployment had; 0 where it is not stopped.

    One that was promoted again since has replicas, and the annotation still.
    """
    if deployment["spec"].get("replicas"):
        return 0
    return int((deployment["metadata"].get("annotations") or {}).get(_STOPPED) or 0)


def ended_pod(deployment: Found) -> Found:
    """Return the pod that stands for a stopped Deployment: its container has ended."""
    spec = _template(deployment)["spec"]
    ended = {"name": spec["containers"][0]["name"], "state": {"terminated": {"exitCode": 0}}}
    return {
        "metadata": deployment["metadata"],
        "spec": spec,
        "status": {"containerStatuses": [ended]},
    }


def _template(deployment: Found) -> Found:
    template: Found = deployment["spec"]["template"]
    return template
