"""Argo CD brings a sandbox up: one Application, whose source is an artifact in the registry.

The artifact has all objects but the Secrets, which stay between this machine and the cluster.
https://argo-cd.readthedocs.io/en/stable/user-guide/oci/
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from time import monotonic
from typing import Any
from uuid import uuid4

from nomock.adapters.artifacts import push_artifact
from nomock.adapters.kubernetes import Objects
from nomock.errors import PromotionError
from nomock.polling import wait_until
from nomock.sandbox.causes import Cause
from nomock.sandbox.render.naming import EXPIRES, SANDBOX
from nomock.sandbox.ways.way import PAUSE_S, Object, Way
from nomock.sandbox.workloads import Look, names_of

KIND = "application/vnd.nomock.manifests"
"""The media type of the artifact."""
_API = "argoproj.io/v1alpha1"
_HERE = "https://kubernetes.default.svc"
_FILE = "manifests.json"
_SECRET = "Secret"
# With it the Application takes along what it made, without waiting for each in turn.
_FINALIZER = "resources-finalizer.argocd.argoproj.io/background"
_ENDS_WITHIN_S = 30.0
_OURS = "nomock"


@dataclass
class ByArgo(Way):
    """By one Application a sandbox, waited for at exactly the revision that was pushed."""

    repository: str = ""
    """Where the artifact is pushed: ``localhost:32770/shop/sandbox``."""
    seen_as: str = ""
    """The same as Argo CD reaches it."""
    argocd: str = "argocd"
    """Its namespace."""
    revision: str = field(init=False, default="")

    @property
    def by(self) -> str:
        """Say which Application brings it up."""
        return f"{self.argocd}/{self.namespace}"

    @property
    def where(self) -> str:
        """The Application, for messages."""
        return f"Application {self.by}"

    @property
    def _applications(self) -> Objects:
        return Objects(self.connection, self.argocd)

    def require(self, namespace: Object) -> None:
        """See that there is Argo CD, too."""
        if self.connection.get(f"/apis/{_API}") is None:
            raise PromotionError(
                "there is no Argo CD in this cluster",
                where=f"cluster {self.connection.context}",
                seen=f"it has no kind Application ({_API})",
                todo="promote without it: --direct; beside the local node it is started by "
                "nomock sandbox local --argo",
            )
        super().require(namespace)

    def sync(self, manifests: Sequence[Object]) -> None:
        """Make namespace and Secrets, have all the rest checked by the server, and push it."""
        self.take_namespace()
        self.make([m for m in manifests if m["kind"] in {"Namespace", _SECRET}])
        rest = [self.marked(manifest) for manifest in manifests if manifest["kind"] != _SECRET]
        self.check([manifest for manifest in rest if manifest["kind"] != "Namespace"])
        self.show("pushing the objects")
        given = {"apiVersion": "v1", "kind": "List", "items": rest}
        text = json.dumps(given, sort_keys=True, indent=1).encode()
        self.revision = push_artifact(self.repository, self.id, {_FILE: text}, KIND)

    def apply(self, manifests: Sequence[Object], *, within_s: float) -> None:
        """Have Argo CD sync the artifact that was pushed, and wait until all of it is ready."""
        deadline = monotonic() + within_s
        self._end_what_runs()
        # What tells this sync from an earlier one of the same revision.
        call = uuid4().hex
        self._applications.apply(self._application(manifests, call))
        names, pause = names_of(manifests), Event()
        while True:
            is_late = monotonic() > deadline
            found = self._found() or {}
            look = self.workloads.look(names)
            operation = _operation(found, call)
            if _is_live(found, operation, self.revision) and not look.waiting:
                return
            if look.causes and (look.causes[0].is_final or is_late):
                raise self.workloads.failed(look.causes[0], look.seen)
            if operation.get("phase") in {"Failed", "Error"}:
                raise self._failed(operation, look)
            if is_late:
                raise self._late(found, look)
            self.show(_standing(found, look))
            pause.wait(PAUSE_S)

    def prune(self, manifests: Sequence[Object]) -> list[str]:
        """Delete Secrets that are not used any more; all else Argo CD has pruned."""
        wanted = {(m["kind"], m["metadata"]["name"]) for m in manifests}
        return self.prune_kinds([_SECRET], wanted)

    def _found(self) -> Object | None:
        return self._applications.get("Application", self.namespace)

    def _end_what_runs(self) -> None:
        """End the sync that an earlier promotion began, and did not live to see the end of."""

        def is_over() -> bool:
            found = self._found() or {}
            if not found.get("operation"):
                return True
            state = (found.get("status") or {}).get("operationState") or {}
            if state.get("phase") == "Running":
                ending = {"status": {"operationState": {"phase": "Terminating"}}}
                path = self._applications.path("Application", self.namespace)
                self.connection.patch(path, ending)
            self.show("waiting for an earlier sync to end")
            return False

        if not wait_until(is_over, within_s=_ENDS_WITHIN_S, pause_s=PAUSE_S):
            raise PromotionError(
                "an earlier sync does not end",
                where=self.where,
                todo=f"does Argo CD run? kubectl get pods --namespace {self.argocd}",
            )

    def _application(self, manifests: Sequence[Object], call: str) -> Object:
        """Return the Application, with the one sync that is asked of it.

        It does not sync by itself: what a test stops, or breaks, is to stay so.
        """
        space = next(m for m in manifests if m["kind"] == "Namespace")["metadata"]
        expires = (space.get("annotations") or {}).get(EXPIRES)
        options = ["ServerSideApply=true", "PruneLast=true"]
        return {
            "apiVersion": _API,
            "kind": "Application",
            "metadata": {
                "name": self.namespace,
                "namespace": self.argocd,
                "labels": {SANDBOX: self.id, "app.kubernetes.io/managed-by": _OURS},
                "annotations": {
                    "argocd.argoproj.io/compare-options": "ServerSideDiff=true",
                    **({EXPIRES: expires} if expires else {}),
                },
                "finalizers": [_FINALIZER],
            },
            "spec": {
                "project": "default",
                "source": {
                    "repoURL": f"oci://{self.seen_as}",
                    "targetRevision": self.revision,
                    "path": ".",
                },
                "destination": {"server": _HERE, "namespace": self.namespace},
                "syncPolicy": {"syncOptions": options},
            },
            "operation": {
                "initiatedBy": {"username": _OURS},
                "info": [{"name": _OURS, "value": call}],
                "sync": {"revision": self.revision, "prune": True, "syncOptions": options},
            },
        }

    def _failed(self, operation: Mapping[str, Any], look: Look) -> PromotionError:
        """Return the error of a sync that failed: a service's cause, or Argo CD's words."""
        if look.causes:
            return self.workloads.failed(look.causes[0], look.seen)
        results = (operation.get("syncResult") or {}).get("resources") or ()
        bad = [
            f"{result['kind']} {result['name']}: {result.get('message')}"
            for result in results
            if result.get("status") == "SyncFailed" or result.get("hookPhase") == "Failed"
        ]
        return PromotionError(
            "Argo CD could not sync it",
            where=self.where,
            seen="\n".join([str(operation.get("message")), *bad]),
            todo="mend what it says, then promote again",
        )

    def _late(self, found: Object, look: Look) -> PromotionError:
        if look.waiting:
            seen = f"not ready: {', '.join(look.waiting)}"
            return self.workloads.failed(
                Cause(look.waiting[0], "deadline exceeded", seen), look.seen
            )
        if not found.get("status"):
            return PromotionError(
                "Argo CD does not take it up",
                where=self.where,
                seen="it has no status",
                todo="does its controller run, and does it look into this namespace? kubectl get "
                f"pods --namespace {self.argocd}",
            )
        said = [f"{c['type']}: {c.get('message')}" for c in found["status"].get("conditions") or ()]
        return PromotionError(
            "deadline exceeded",
            where=self.where,
            seen="\n".join([_standing(found, look), *said]),
            todo=f"kubectl describe application {self.namespace} --namespace {self.argocd}",
        )


def _operation(found: Object, call: str) -> Mapping[str, Any]:
    """Return the state of the sync that a call asked for; empty until it has begun."""
    state: Mapping[str, Any] = (found.get("status") or {}).get("operationState") or {}
    told = (state.get("operation") or {}).get("info") or ()
    return state if any(info.get("value") == call for info in told) else {}


def _is_live(found: Object, operation: Mapping[str, Any], revision: str) -> bool:
    """Tell whether this revision, and no other one, is synced and healthy, and the sync is over."""
    status = found.get("status") or {}
    sync = status.get("sync") or {}
    return (
        operation.get("phase") == "Succeeded"
        and (operation.get("syncResult") or {}).get("revision") == revision
        and (sync.get("revision"), sync.get("status")) == (revision, "Synced")
        and (status.get("health") or {}).get("status") == "Healthy"
    )


def _standing(found: Object, look: Look) -> str:
    """Return where a sync stands, in a line."""
    status = found.get("status") or {}
    words = [
        str((status.get("operationState") or {}).get("phase") or "not begun"),
        str((status.get("sync") or {}).get("status") or ""),
        str((status.get("health") or {}).get("status") or ""),
    ]
    why = f" ({look.causes[0].what})" if look.causes else ""
    waiting = f"; waiting for {', '.join(look.waiting)}{why}" if look.waiting else ""
    return f"Argo CD: {', '.join(filter(None, words))}{waiting}"
