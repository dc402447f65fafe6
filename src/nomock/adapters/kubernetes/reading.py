"""Pods, read as containers of services: each pod of a sandbox has one that is a service's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from nomock.target import (
    Container,
    ContainerConfig,
    ContainerState,
    Course,
    ExitState,
    Locator,
    Mount,
    Ports,
)

SERVICE = "nomock/service"
"""The label of what belongs to a service of the compose file: the name that it has there."""
COLLECTOR = "nomock-collector"
"""The container of a pod that hands out the records of its spies."""
OURS = "nomock-"
"""How the volumes of nomock's own are called: nothing in them is missed when their pod is gone."""
RECORDS = f"{OURS}records"
"""The volume that they are in."""
_SECOND_S = 0.999
_NEVER = "0001-01-01T00:00:00Z"
_POLICIES = {"Always": "always", "OnFailure": "on-failure", "Never": "no"}
_OUT_OF_MEMORY = "OOMKilled"


class PodName(NamedTuple):
    """The id of a container: where its pod is, and which of the pod's containers it is."""

    namespace: str
    pod: str
    container: str

    @classmethod
    def of(cls, container_id: str) -> PodName:
        """Read an id."""
        return cls(*container_id.split("/"))

    def __str__(self) -> str:
        return "/".join(self)

    @property
    def path(self) -> str:
        """The pod in the API."""
        return f"/api/v1/namespaces/{self.namespace}/pods/{self.pod}"


def containers_of(pods: Iterable[Mapping[str, Any]], locator: Locator) -> list[Container]:
    """Read a list of pods; of a service the oldest pod is the first."""
    by_service = defaultdict(list)
    for pod in pods:
        if SERVICE in (pod["metadata"].get("labels") or {}):
            by_service[pod["metadata"]["labels"][SERVICE]].append(pod)
    found = []
    for service, own in by_service.items():
        own.sort(key=lambda pod: (pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]))
        # One that is on its way out is no replica any more, as long as there is another.
        staying = [pod for pod in own if not pod["metadata"].get("deletionTimestamp")]
        for number, pod in enumerate(staying or own, 1):
            found.append(_container(service, number, pod, locator))
    return found


def _container(service: str, number: int, pod: Mapping[str, Any], locator: Locator) -> Container:
    spec, status = pod["spec"]["containers"][0], own_status(pod)
    ports = [
        p["containerPort"] for p in spec.get("ports") or () if p.get("protocol", "TCP") == "TCP"
    ]
    return Container(
        id=str(name_of(pod)),
        service=service,
        number=number,
        image=spec["image"],
        image_id=status.get("imageID") or "",
        state=state_of(pod),
        health=_health(pod),
        created_s=int(seconds(pod["metadata"]["creationTimestamp"]) or 0),
        config_files="",
        ports=Ports(bindings=(), exposed=ports, networks=(), is_on_host=False),
        locator=locator,
        steady_s=None,
    )


def name_of(pod: Mapping[str, Any]) -> PodName:
    """Return the id of the container of a pod that is a service's."""
    of = pod["metadata"]
    return PodName(of["namespace"], of["name"], pod["spec"]["containers"][0]["name"])


def own_status(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the cluster says of the container that is a service's; {} before it is made."""
    name = pod["spec"]["containers"][0]["name"]
    found = pod["status"].get("containerStatuses") or ()
    return next((status for status in found if status["name"] == name), {})


def state_of(pod: Mapping[str, Any]) -> str:
    """Return how a container is, in the words of an engine."""
    state = own_status(pod).get("state") or {}
    if pod["metadata"].get("deletionTimestamp"):
        return "removing"  # it may run for a moment, and is gone before the next question
    if "running" in state:
        return "running"
    if "terminated" in state:
        return "exited"
    return "restarting" if own_status(pod).get("restartCount") else "created"


def _health(pod: Mapping[str, Any]) -> str | None:
    """Return what the readiness probe says; None for what is to end, and is asked nothing."""
    if pod["spec"].get("restartPolicy") != "Always":
        return None
    status = own_status(pod)
    if status.get("ready"):
        return "healthy"
    # What was ready once and is not may be so again: Kubernetes goes on asking, and so do we.
    return "starting"


def life_of(pod: Mapping[str, Any]) -> ContainerState:
    """Read whether a container lives, and how it ended."""
    ended = _last_end(pod)
    running = (own_status(pod).get("state") or {}).get("running") or {}
    return ContainerState(
        state=state_of(pod),
        started_at=running.get("startedAt") or ended.get("startedAt") or _NEVER,
        finished_at=ended.get("finishedAt") or _NEVER,
        exit_code=ended.get("exitCode", 0),
        out_of_memory=ended.get("reason") == _OUT_OF_MEMORY,
        # It is the pod's, and stays when a container in it is started again.
        network=pod["metadata"].get("uid", "") if pod["status"].get("podIP") else "",
        joins={},
    )


def end_of(pod: Mapping[str, Any]) -> ExitState:
    """Read how a container ended, and how often it was started again."""
    ended, status = _last_end(pod), own_status(pod)
    began_s, ended_s = seconds(ended.get("startedAt")), seconds(ended.get("finishedAt"))
    return ExitState(
        exit_code=ended.get("exitCode", 0),
        out_of_memory=ended.get("reason") == _OUT_OF_MEMORY,
        perhaps_out_of_memory=False,
        restarts=status.get("restartCount", 0),
        restart_policy=_POLICIES[pod["spec"].get("restartPolicy", "Always")],
        ran_s=max(0.0, (ended_s or 0.0) - (began_s or 0.0)),
        lives_again="running" in (status.get("state") or {}),
        was_healthy=bool(status.get("started"))
        and bool(pod["spec"]["containers"][0].get("readinessProbe")),
        finished_at=ended.get("finishedAt") or _NEVER,
    )


def course_of(pod: Mapping[str, Any]) -> Course:
    """Read how a container is, and how it came to that."""
    life = life_of(pod)
    return Course(
        state=life.state,
        started_s=seconds(life.started_at),
        finished_s=latest(seconds(life.finished_at)),
        exit_code=0 if life.state == "running" else life.exit_code,
        out_of_memory=life.out_of_memory,
        health=_health(pod),
        unhealthy_since_s=None,
        probes=(),
    )


def config_of(pod: Mapping[str, Any], environment: Mapping[str, str]) -> ContainerConfig:
    """Read what a container was started with; ``environment`` is what it says itself.

    What the pod gives it is known also of one that has ended, or that cannot be asked.
    """
    spec = pod["spec"]["containers"][0]
    given = {one["name"]: one["value"] for one in spec.get("env") or () if one.get("value")}
    mounts = {
        m["mountPath"]: Mount(m["name"], not m.get("readOnly"))
        for m in spec.get("volumeMounts") or ()
    }
    command = (*(spec.get("command") or ()), *(spec.get("args") or ()))
    hostname = pod["spec"].get("hostname") or pod["metadata"]["name"]
    return ContainerConfig(hostname, command, {**given, **environment}, mounts)


def kept_in(pod: Mapping[str, Any]) -> list[str]:
    """Return the paths of what a pod keeps on its node's disk alone: it goes with the pod."""
    empty = [v for v in pod["spec"].get("volumes") or () if "emptyDir" in v]
    theirs = [v for v in empty if not v["name"].startswith(OURS)]
    on_disk = {v["name"] for v in theirs if (v["emptyDir"] or {}).get("medium") != "Memory"}
    mounts = pod["spec"]["containers"][0].get("volumeMounts") or ()
    return [mount["mountPath"] for mount in mounts if mount["name"] in on_disk]


def seconds(text: object) -> float | None:
    """Read an RFC 3339 time as seconds since the epoch; None for none, and for the year 1.

    >>> seconds("1970-01-01T00:00:02Z"), seconds(None)
    (2.0, None)
    """
    if not isinstance(text, str) or not text:
        return None
    at_s = datetime.fromisoformat(text).timestamp()
    return at_s if at_s > 0 else None


def latest(at_s: float | None) -> float | None:
    """Return the latest moment that a time may mean: the cluster says most to the second.

    So what happened in a test's first second is not taken for older than the test, nor a pod's end
    for older than what ended it.
    """
    return at_s + _SECOND_S if at_s is not None and at_s.is_integer() else at_s


def _last_end(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return how the container ended the last time; {} where it never did."""
    status = own_status(pod)
    for state in (status.get("state") or {}, status.get("lastState") or {}):
        if "terminated" in state:
            found: Mapping[str, Any] = state["terminated"]
            return found
    return {}
