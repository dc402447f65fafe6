"""What runs in a sandbox: whether it is what was applied, and why something is not ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

from nomock.adapters.kubernetes import SERVICE, Connection, Objects
from nomock.errors import PromotionError
from nomock.sandbox.causes import Cause, Seen, causes
from nomock.sandbox.current import is_of, newest_sets, observed
from nomock.sandbox.render.naming import SANDBOX

Object = Mapping[str, Any]
KINDS = ("Deployment", "Job")
_LOG_LINES = "20"


@dataclass(frozen=True)
class Look:
    """What one look at workloads found."""

    waiting: Sequence[str]
    """The services that are not ready."""
    causes: Sequence[Cause]
    """Why, final causes first."""
    seen: Seen


@dataclass(frozen=True)
class Workloads:
    """The Deployments and Jobs of one sandbox."""

    connection: Connection
    namespace: str
    id: str

    def look(self, names: Set[tuple[str, str]]) -> Look:
        """Look at those of some kinds and names; what is not there yet is left out."""
        seen = self._seen(names)
        waiting = [
            _service(found) for found in (*seen.deployments, *seen.jobs) if not is_done(found)
        ]
        told = replace(seen, deployments=observed(seen.deployments))
        found = [cause for cause in causes(told, SERVICE) if cause.service in waiting]
        return Look(waiting, found, seen)

    def failed(self, cause: Cause, seen: Seen) -> PromotionError:
        """Return the error of a cause, with all that will be gone when the sandbox is."""
        told = [cause.seen]
        if cause.pod:
            told.insert(0, f"pod {cause.pod}")
            about = [e for e in seen.events if e["involvedObject"].get("name") == cause.pod]
            told += [f"event {e['reason']}: {e.get('message')}" for e in about[-3:]]
            log = self._log(cause.pod)
            told += ["the last that it logged:", *log] if log else []
        return PromotionError(
            cause.what,
            where=f"service {cause.service}, sandbox {self.id}",
            seen="\n".join(dict.fromkeys(told)),
            todo=f"nomock sandbox logs {cause.service}; mend it, then promote again"
            if cause.pod
            else "mend what it says, then promote again",
        )

    def _seen(self, names: Set[tuple[str, str]]) -> Seen:
        labels, objects = f"{SANDBOX}={self.id}", Objects(self.connection, self.namespace)
        # Lists leave out what each object of them is; who reads one asks.
        deployments, jobs = (
            [
                {**found, "kind": kind}
                for found in objects.list(kind, labels)
                if (kind, found["metadata"]["name"]) in names
            ]
            for kind in KINDS
        )
        sets = newest_sets(observed(deployments), objects.list("ReplicaSet", labels))
        pods = [p for p in objects.list("Pod", labels) if is_of(p, (*sets, *jobs))]
        return Seen(deployments, sets, jobs, pods, objects.list("Event"))

    def _log(self, pod: str) -> list[str]:
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod}/log"
        for previous in ("false", "true"):
            reply = self.connection.try_text(path, {"tailLines": _LOG_LINES, "previous": previous})
            if reply.strip():
                return reply.splitlines()
        return []


def names_of(manifests: Sequence[Object]) -> set[tuple[str, str]]:
    """Return kind and name of each workload."""
    return {(m["kind"], m["metadata"]["name"]) for m in manifests if m["kind"] in KINDS}


def is_done(found: Object) -> bool:
    """Tell whether what was applied is what runs, and is ready."""
    status, spec = found.get("status") or {}, found["spec"]
    if found["kind"] == "Job":
        said = status.get("conditions") or ()
        return any(c["type"] == "Complete" and c["status"] == "True" for c in said)
    replicas = spec.get("replicas", 1)
    is_seen = status.get("observedGeneration", 0) >= found["metadata"]["generation"]
    counts = (status.get("updatedReplicas", 0), status.get("availableReplicas", 0))
    return is_seen and counts == (replicas, replicas) and status.get("replicas", 0) == replicas


def _service(found: Object) -> str:
    return str((found["metadata"].get("labels") or {}).get(SERVICE) or found["metadata"]["name"])
