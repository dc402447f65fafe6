"""What is asked of the pods of a namespace: the questions of `nomock.target`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from time import time
from typing import Any

from nomock.adapters.kubernetes.commands import Commands
from nomock.adapters.kubernetes.connection import Connection
from nomock.adapters.kubernetes.deployments import Deployments, ended_pod, stopped_from
from nomock.adapters.kubernetes.forward import Forwards
from nomock.adapters.kubernetes.happenings import happenings_of
from nomock.adapters.kubernetes.reading import (
    SERVICE,
    PodName,
    config_of,
    containers_of,
    course_of,
    end_of,
    life_of,
    seconds,
    state_of,
)
from nomock.errors import ClusterError, ClusterMissingError
from nomock.polling import wait_until
from nomock.target import (
    Container,
    ContainerConfig,
    ContainerState,
    Course,
    ExecResult,
    Executed,
    ExitState,
    Happening,
    Work,
)

# Two clocks that differ by less are one: the cluster says its own to the second.
_SAME_CLOCK_S = 2.0
_ANSWER_TIMEOUT_S = 30.0
_PAUSE_S = 0.1


class Asking:
    """Asks for the pods of one namespace of a cluster."""

    def __init__(self, connection: Connection, namespace: str) -> None:
        self._connection = connection
        self._namespace = namespace
        self._commands = Commands(connection)
        self._deployments = Deployments(connection, namespace)
        self.locator = Forwards(connection, self._ready_pod)
        self.address = connection.address

    @property
    def connection(self) -> Connection:
        """By which the cluster is asked."""
        return self._connection

    @property
    def namespace(self) -> str:
        """The one whose pods these are."""
        return self._namespace

    @property
    def answered_s(self) -> float | None:
        """When it answered the last time, by the monotonic clock."""
        return self._connection.answered_s

    def identity(self) -> str:
        """Return the id of the namespace that each cluster has from its first moment on."""
        found = self._connection.get("/api/v1/namespaces/kube-system")
        return str(found["metadata"]["uid"]) if found else ""

    def gone(self, within_s: float) -> ClusterError | None:
        """Ask for a sign of life until there is one, for so long; return what was seen instead."""
        seen: ClusterError | None = None

        def answers() -> bool:
            nonlocal seen
            try:
                self._connection.text("/readyz/ping")
            except ClusterMissingError as error:
                seen = error
                return False
            except ClusterError:
                pass  # it answers, be it a refusal
            return True

        return None if wait_until(answers, within_s=within_s, pause_s=_PAUSE_S) else seen

    def now_s(self) -> float:
        """Return the time on the cluster's clock; our own where that is the same to the second."""
        told_s, ours_s = self._connection.clock_s(), time()
        return ours_s if told_s is None or abs(told_s - ours_s) < _SAME_CLOCK_S else told_s

    # How containers are

    def containers(self, project: str, *, timeout_s: float | None = None) -> list[Container]:
        """Return the containers of the services of a namespace, in two requests.

        A Deployment that was scaled to nothing counts as a container that has ended.
        """
        found = containers_of(self._pods(), self.locator)
        there = {container.service for container in found}
        stopped = map(ended_pod, filter(stopped_from, self._deployments.list()))
        ended = containers_of(stopped, self.locator)
        return found + [container for container in ended if container.service not in there]

    def container(self, project: str, container_id: str) -> Container | None:
        """Return one container of the services of a namespace; None if it is gone."""
        found = self.containers(project)
        return next((one for one in found if one.id == container_id), None)

    def container_state(self, container_id: str) -> ContainerState | None:
        """Return how a container is; None if it is gone."""
        pod = self._pod(container_id)
        if pod is None:  # it may stand for a Deployment that was scaled to nothing
            deployment = self._deployments.get(PodName.of(container_id).pod)
            pod = ended_pod(deployment) if deployment and stopped_from(deployment) else None
        return None if pod is None else life_of(pod)

    def container_config(self, container_id: str) -> ContainerConfig | None:
        """Return what it was started with, its image's variables too; None if it is gone."""
        pod = self._pod(container_id)
        if pod is None:
            return None
        told = {}
        if state_of(pod) == "running":
            try:
                said = self._run(container_id, ["cat", "/proc/self/environ"]).stdout
            except ClusterMissingError:
                raise
            except ClusterError:  # its image has no such program, or it has just ended
                said = ""
            told = dict(pair.split("=", 1) for pair in said.split("\0") if "=" in pair)
        return config_of(pod, told)

    def exit_state(self, container_id: str) -> ExitState | None:
        """Return how a container ended, and how often it was started again; None if it is gone."""
        pod = self._pod(container_id)
        return None if pod is None else end_of(pod)

    def addresses(self, container_id: str) -> dict[str, list[str]]:
        """Return the addresses of a pod, and those of the Services that lead to it."""
        pod = self._pod(container_id)
        if pod is None:
            return {}
        found = [told["ip"] for told in pod["status"].get("podIPs") or ()]
        path = f"/api/v1/namespaces/{self._namespace}/services"
        for service in (self._connection.get(path) or {}).get("items") or ():
            selector = (service["spec"].get("selector") or {}).items()
            if selector and selector <= pod["metadata"]["labels"].items():
                found += [ip for ip in service["spec"].get("clusterIPs") or () if ip != "None"]
        return {self._namespace: found}

    def last_check(self, container_id: str) -> ExecResult | None:
        """Return what its readiness probe said last, where it failed lately; None else."""
        name = PodName.of(container_id)
        for event in reversed(self._events()):
            if event["involvedObject"].get("name") == name.pod and event["reason"] == "Unhealthy":
                return ExecResult(1, str(event.get("message") or ""))
        return None

    def is_ending(self, container_id: str) -> bool:
        """Tell whether a pod is on its way out."""
        pod = self._pod(container_id)
        return pod is not None and bool(pod["metadata"].get("deletionTimestamp"))

    def work(self, container_id: str) -> Work:
        """Return that it rests: how a container comes to rest, the cluster does not tell."""
        return Work(cpu_s=0.0, is_busy=False)

    def has_file(self, container_id: str, path: str) -> bool:
        """Tell whether a running container has something at a path."""
        return self._run(container_id, ["test", "-e", path]).exit_code == 0

    # What was

    def course(self, container_id: str) -> Course | None:
        """Return how a container is and came to it; None if it is gone."""
        pod = self._pod(container_id)
        return None if pod is None else course_of(pod)

    def happenings(self, project: str, *, since_s: float, until_s: float) -> list[Happening]:
        """Return what happened to a namespace's containers, so far as the cluster remembers it."""
        found = happenings_of(self._pods(), self._events())
        return [event for event in found if since_s <= event.at_s and event.at_s - 1 <= until_s]

    def logs(
        self,
        container_id: str,
        *,
        since_s: float | None = None,
        tail: int | None = None,
        most_bytes: int | None = None,
    ) -> str:
        """Return what a container logged, each line behind its RFC 3339 time stamp.

        Of more than ``most_bytes`` the first are read. Nothing where it has not begun.
        """
        name = PodName.of(container_id)
        query = {"container": name.container, "timestamps": "true"}
        if since_s is not None:
            query["sinceTime"] = datetime.fromtimestamp(since_s, UTC).isoformat()
        if tail is not None:
            query["tailLines"] = str(tail)
        if most_bytes is not None:
            query["limitBytes"] = str(most_bytes)
        return self._connection.try_text(f"{name.path}/log", query)  # "" before it is started

    def log_text(
        self, container_id: str, *, since_s: float | None = None, tail: int | None = None
    ) -> str:
        """Return what a container logged, without the time stamps."""
        text = self.logs(container_id, since_s=since_s, tail=tail)
        return "\n".join(line.partition(" ")[2] for line in text.splitlines())

    def follow_logs(self, container_id: str, *, since_s: float) -> Iterator[str]:
        """Yield each line behind its RFC 3339 time stamp, until the container ends."""
        name = PodName.of(container_id)
        query = {
            "container": name.container,
            "timestamps": "true",
            "follow": "true",
            "sinceTime": datetime.fromtimestamp(since_s, UTC).isoformat(),
        }
        yield from self._connection.lines(f"{name.path}/log", query)

    # What they are all made of

    def _pods(self, service: str | None = None) -> list[Mapping[str, Any]]:
        labels = SERVICE if service is None else f"{SERVICE}={service}"
        path = f"/api/v1/namespaces/{self._namespace}/pods"
        found = self._connection.get(path, {"labelSelector": labels}) or {}
        return list(found.get("items") or ())

    def _pod(self, container_id: str) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self._connection.get(PodName.of(container_id).path)
        return found

    def _ready_pod(self, service: str) -> PodName | None:
        found = containers_of(self._pods(service), self.locator)
        running = [c for c in found if c.state == "running"]
        running.sort(key=lambda container: container.health == "starting")
        return PodName.of(running[0].id) if running else None

    def _events(self) -> list[Mapping[str, Any]]:
        found = self._connection.get(f"/api/v1/namespaces/{self._namespace}/events") or {}
        events = list(found.get("items") or ())
        return sorted(events, key=lambda e: seconds(e.get("lastTimestamp")) or 0.0)

    def _run(self, container_id: str, command: Sequence[str]) -> Executed:
        name = PodName.of(container_id)
        return self._commands.run(name, command, timeout_s=_ANSWER_TIMEOUT_S)
