"""Objects applied wave by wave: who is waited for is ready before those who wait are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from threading import Event
from time import monotonic
from typing import Any

from nomock.adapters.kubernetes import SERVICE, Connection, Objects
from nomock.errors import PromotionError
from nomock.polling import wait_until
from nomock.sandbox.causes import Cause, Seen, causes
from nomock.sandbox.outside import delete_global
from nomock.sandbox.render.naming import SANDBOX, WAVE

Object = Mapping[str, Any]
_PAUSE_S = 0.25
_GOES_WITHIN_S = 60.0
_LOG_LINES = "20"
_WORKLOADS = ("Deployment", "Job")
_PRUNED = (
    "Deployment",
    "Job",
    "Service",
    "NetworkPolicy",
    "ConfigMap",
    "Secret",
    "RoleBinding",
    "Role",
    "ServiceAccount",
)


@dataclass
class Applying:
    """Brings one sandbox to what its objects say."""

    connection: Connection
    namespace: str
    id: str
    show: Callable[[str], None]
    objects: Objects = field(init=False)

    def __post_init__(self) -> None:
        self.objects = Objects(self.connection, self.namespace)

    def sync(self, manifests: Sequence[Object]) -> None:
        """Make the namespace and what belongs to no service, once the server takes all the rest.

        Raises PromotionError where the namespace is not this sandbox's, ClusterError for the first
        object that the server would refuse.
        """
        ours = [manifest for manifest in manifests if _wave(manifest) == 0]
        self._claim()
        for manifest in ours:
            self.show(_name(manifest))
            self.objects.apply(manifest)
        for manifest in manifests:
            if _wave(manifest) > 0:
                self.show(f"checking {_name(manifest)}")
                self.objects.apply(manifest, dry_run=True)

    def apply(self, manifests: Sequence[Object], *, within_s: float) -> None:
        """Apply the objects of services, in order of their waves; wait for each before the next.

        ``within_s``: how long all of it may take. Raises PromotionError with the cause of the first
        service that cannot become ready, or that is not in time.
        """
        deadline = monotonic() + within_s
        of_services = sorted((m for m in manifests if _wave(m) > 0), key=_wave)
        for _, wave in groupby(of_services, key=_wave):
            made = [self.objects.apply(manifest) for manifest in wave]
            self._wait([found for found in made if found["kind"] in _WORKLOADS], deadline)

    def prune(self, manifests: Sequence[Object]) -> list[str]:
        """Delete what an earlier promotion of this sandbox made and this one did not."""
        wanted = {(m["kind"], m["metadata"]["name"]) for m in manifests}
        gone = []
        for kind in _PRUNED:
            for found in self.objects.list(kind, f"{SANDBOX}={self.id}"):
                name = found["metadata"]["name"]
                if (kind, name) not in wanted and "ownerReferences" not in found["metadata"]:
                    self.objects.delete(kind, name)
                    gone.append(f"{kind} {name}")
        return gone + delete_global(self.objects, self.id, wanted)

    def _claim(self) -> None:
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
                pause_s=_PAUSE_S,
            )

    def _wait(self, workloads: Sequence[Object], deadline: float) -> None:
        began_s, pause = monotonic(), Event()
        names = {(w["kind"], w["metadata"]["name"]) for w in workloads}
        while True:
            is_late = monotonic() > deadline
            seen = self._look(names)
            waiting = [
                _service(found) for found in (*seen.deployments, *seen.jobs) if not _done(found)
            ]
            if not waiting:
                return
            found = [cause for cause in causes(seen, SERVICE) if cause.service in waiting]
            if found and (found[0].is_final or is_late):
                raise self._failed(found[0], seen)
            if is_late:
                cause = Cause(waiting[0], "deadline exceeded", f"not ready: {', '.join(waiting)}")
                raise self._failed(cause, seen)
            why = f" ({found[0].what})" if found else ""
            self.show(f"waiting for {', '.join(waiting)}{why}")
            pause.wait(min(_PAUSE_S, max(0.05, (monotonic() - began_s) / 4)))

    def _look(self, names: set[tuple[str, str]]) -> Seen:
        labels = f"{SANDBOX}={self.id}"
        deployments, jobs = (
            [o for o in self.objects.list(kind, labels) if (kind, o["metadata"]["name"]) in names]
            for kind in _WORKLOADS
        )
        # Lists leave out what each object of them is; who reads one asks.
        for kind, found in zip(_WORKLOADS, (deployments, jobs), strict=True):
            found[:] = [{**o, "kind": kind} for o in found]
        services = {_service(o) for o in (*deployments, *jobs)}
        space = f"/api/v1/namespaces/{self.namespace}"
        pods = self.connection.get(f"{space}/pods", {"labelSelector": labels}) or {}
        own = [pod for pod in pods.get("items") or () if _service(pod) in services]
        events = self.connection.get(f"{space}/events") or {}
        return Seen(deployments, jobs, own, events.get("items") or ())

    def _failed(self, cause: Cause, seen: Seen) -> PromotionError:
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
            todo=f"nomock sandbox logs {cause.service}; mend it, then promote again",
        )

    def _log(self, pod: str) -> list[str]:
        path = f"/api/v1/namespaces/{self.namespace}/pods/{pod}/log"
        for previous in ("false", "true"):
            reply = self.connection.try_text(path, {"tailLines": _LOG_LINES, "previous": previous})
            if reply.strip():
                return reply.splitlines()
        return []


def _done(found: Object) -> bool:
    """Tell whether what was applied is what runs, and is ready."""
    status, spec = found.get("status") or {}, found["spec"]
    if found["kind"] == "Job":
        said = status.get("conditions") or ()
        return any(c["type"] == "Complete" and c["status"] == "True" for c in said)
    replicas = spec.get("replicas", 1)
    is_seen = status.get("observedGeneration", 0) >= found["metadata"]["generation"]
    counts = (status.get("updatedReplicas", 0), status.get("availableReplicas", 0))
    return is_seen and counts == (replicas, replicas) and status.get("replicas", 0) == replicas


def _wave(manifest: Object) -> int:
    return int((manifest["metadata"].get("annotations") or {}).get(WAVE) or 0)


def _service(found: Object) -> str:
    return str((found["metadata"].get("labels") or {}).get(SERVICE) or found["metadata"]["name"])


def _name(manifest: Object) -> str:
    return f"{manifest['kind']} {manifest['metadata']['name']}"
