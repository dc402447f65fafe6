"""Why what was applied does not become ready, as the cluster itself tells it.

A Deployment that is Available may still run its old pods, and a pod that waits says why only in its
container's state, or in an event: each cause is looked for where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Object = Mapping[str, Any]

_PULLS = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
_CONFIGS = {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
# A service may lose a race with its database once or twice; the third time it loops.
_RESTARTS_THAT_LOOP = 3


@dataclass(frozen=True)
class Cause:
    """Why a service of a sandbox is not ready."""

    service: str
    what: str
    """In a few words: ``image pull refused``."""
    seen: str
    """The cluster's own words."""
    pod: str = ""
    """The pod that it is about; "" where there is none."""
    is_final: bool = True
    """Whether waiting longer has no use."""


@dataclass(frozen=True)
class Seen:
    """What one look at a namespace found."""

    deployments: Sequence[Object] = ()
    replica_sets: Sequence[Object] = ()
    """Those that make the Deployments' new pods."""
    jobs: Sequence[Object] = ()
    pods: Sequence[Object] = ()
    events: Sequence[Object] = field(default_factory=tuple)


def causes(seen: Seen, label: str) -> list[Cause]:
    """Return why services are not ready, final causes first; ``label`` names whose an object is."""
    found = [
        *_of_deployments(seen.deployments, label),
        *_of_sets(seen.replica_sets, label),
        *_of_jobs(seen.jobs, seen.pods, label),
        *(cause for pod in seen.pods for cause in _of_pod(pod, seen.events, label)),
    ]
    return sorted(found, key=lambda cause: not cause.is_final)


def _of_deployments(deployments: Iterable[Object], label: str) -> Iterator[Cause]:
    for found in deployments:
        for said in _conditions(found, "Progressing", "False"):
            yield Cause(_service(found, label), "deadline exceeded", said)


def _of_sets(sets: Iterable[Object], label: str) -> Iterator[Cause]:
    # A Deployment says so, too, but also of pods that it is not to make any more.
    for found in sets:
        for said in _conditions(found, "ReplicaFailure", "True"):
            what = "quota exceeded" if "exceeded quota" in said else "no pod could be made"
            yield Cause(_service(found, label), what, said)


def _of_jobs(jobs: Iterable[Object], pods: Sequence[Object], label: str) -> Iterator[Cause]:
    for found in jobs:
        service = _service(found, label)
        tries = [pod for pod in pods if _service(pod, label) == service]
        tries.sort(key=lambda pod: str(pod["metadata"].get("creationTimestamp")))
        # The last of them has the log that says why.
        pod = str(tries[-1]["metadata"]["name"]) if tries else ""
        for said in _conditions(found, "Failed", "True"):
            yield Cause(service, "it ended badly", said, pod)


def _of_pod(pod: Object, events: Iterable[Object], label: str) -> Iterator[Cause]:
    service, name = _service(pod, label), str(pod["metadata"]["name"])
    own = [event for event in events if _is_about(event, name)]
    status = pod.get("status") or {}
    for condition in status.get("conditions") or ():
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            said = str(condition.get("message") or "")
            # A cluster that grows by itself may have room for it later.
            what = "volume not bound" if "PersistentVolumeClaim" in said else "no room for it"
            yield Cause(service, what, said, name, is_final=False)
    if status.get("reason") == "Evicted":
        yield Cause(service, "evicted", str(status.get("message") or ""), name, is_final=False)
    made = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    for container in made:
        yield from _of_container(service, name, container)
    for event in own:
        said = str(event.get("message") or "")
        if event.get("reason") in {"FailedMount", "FailedAttachVolume"}:
            yield Cause(service, "volume not mounted", said, name, is_final=False)
        if event.get("reason") == "Unhealthy":
            yield Cause(service, "readiness never true", said, name, is_final=False)


def _of_container(service: str, pod: str, status: Object) -> Iterator[Cause]:
    state = status.get("state") or {}
    waits = state.get("waiting") or {}
    reason, said = str(waits.get("reason") or ""), str(waits.get("message") or "")
    if reason in _PULLS:
        yield Cause(service, "image pull refused", said or reason, pod)
    if reason in _CONFIGS:
        yield Cause(service, "it cannot be started", said or reason, pod)
    ended = state.get("terminated") or (status.get("lastState") or {}).get("terminated") or {}
    loops = status.get("restartCount", 0) >= _RESTARTS_THAT_LOOP
    if ended.get("reason") == "OOMKilled":
        yield Cause(service, "out of memory", _how(ended), pod, is_final=loops)
    elif ended and ended.get("exitCode") and not status.get("ready"):
        yield Cause(service, "it ends again and again", _how(ended), pod, is_final=loops)


def _conditions(found: Object, kind: str, status: str) -> list[str]:
    """Return what an object says of a condition that has a status; nothing where it has not."""
    told = (found.get("status") or {}).get("conditions") or ()
    return [
        str(condition.get("message") or "")
        for condition in told
        if (condition["type"], condition["status"]) == (kind, status)
    ]


def _how(ended: Object) -> str:
    return f"{ended.get('reason') or 'it ended'} with exit code {ended.get('exitCode')}"


def _is_about(event: Object, pod: str) -> bool:
    return bool((event.get("involvedObject") or {}).get("name") == pod)


def _service(found: Object, label: str) -> str:
    return str((found["metadata"].get("labels") or {}).get(label) or found["metadata"]["name"])
