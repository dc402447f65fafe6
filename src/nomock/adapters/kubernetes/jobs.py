"""The Jobs of a namespace: services that run to their end, and are started to run once more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nomock.adapters.kubernetes.connection import Connection
from nomock.adapters.kubernetes.reading import SERVICE
from nomock.errors import ClusterError
from nomock.polling import wait_until

_GOES_WITHIN_S = 30.0
_PAUSE_S = 0.1
# What the cluster adds to a Job, and takes from nobody.
_OWN = {"controller-uid", "batch.kubernetes.io/controller-uid", "job-name"}
_OWN |= {"batch.kubernetes.io/job-name"}
_GONE = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Foreground"}

Found = Mapping[str, Any]


@dataclass(frozen=True)
class Jobs:
    """Runs the Jobs of one namespace once more."""

    connection: Connection
    namespace: str

    def of(self, service: str) -> Found | None:
        """Return the Job of a service; None where it has none."""
        found = self.connection.get(self._path, {"labelSelector": f"{SERVICE}={service}"}) or {}
        return next(iter(found.get("items") or ()), None)

    def run_again(self, job: Found) -> None:
        """Take a Job away with its pods, and make it anew."""
        path = f"{self._path}/{job['metadata']['name']}"
        self.connection.delete(path, _GONE)
        gone = wait_until(
            lambda: self.connection.get(path) is None, within_s=_GOES_WITHIN_S, pause_s=_PAUSE_S
        )
        if not gone:
            raise ClusterError(
                "it does not go away, so that it cannot run once more",
                where=f"Job {job['metadata']['name']} of {self.namespace}",
            )
        self.connection.ask("POST", self._path, json=_anew(job))

    @property
    def _path(self) -> str:
        return f"/apis/batch/v1/namespaces/{self.namespace}/jobs"


def _anew(job: Found) -> dict[str, Any]:
    """Return a Job as it was before the cluster added to it."""
    own, template = job["metadata"], job["spec"]["template"]
    of_pod = {**template["metadata"], "labels": _without(template["metadata"].get("labels"))}
    spec = {**job["spec"], "template": {**template, "metadata": of_pod}}
    spec.pop("selector", None)
    named = {key: _without(own.get(key)) for key in ("labels", "annotations")}
    metadata = {**named, "name": own["name"]}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec}


def _without(found: Mapping[str, str] | None) -> dict[str, str]:
    return {key: value for key, value in (found or {}).items() if key not in _OWN}
