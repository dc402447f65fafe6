"""The pods of a namespace as a target: the questions and deeds of `nomock.target`.

A service is a Deployment there, or a Job, and its containers are pods. To stop a service is to
scale it to nothing; who is killed gets another pod at once, since that is what a cluster is for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from shlex import join
from time import monotonic
from typing import Any

from nomock import baggage
from nomock.adapters.kubernetes.asking import Asking
from nomock.adapters.kubernetes.beside import Beside
from nomock.adapters.kubernetes.collectors import Collectors
from nomock.adapters.kubernetes.connection import Connection
from nomock.adapters.kubernetes.conversation import PodConversation
from nomock.adapters.kubernetes.ended_logs import EndedLogs
from nomock.adapters.kubernetes.halting import Halting
from nomock.adapters.kubernetes.jobs import Jobs
from nomock.adapters.kubernetes.reading import (
    SERVICE,
    PodName,
    kept_in,
    name_of,
    state_of,
)
from nomock.errors import ClusterError, NotPossibleError
from nomock.polling import wait_until
from nomock.target import (
    Act,
    ContainerState,
    ExecResult,
    Executed,
)

_ENDS_WITHIN_S = 120.0
_PAUSE_S = 0.1
_LOGS_S = 3600.0
_NOW = {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0}


class Pods(Asking):
    """The pods of one namespace of a cluster, as a target; any thread may use it."""

    def __init__(self, connection: Connection, namespace: str) -> None:
        super().__init__(connection, namespace)
        self._beside = Beside(connection, namespace)
        self._halting = Halting(self._beside)
        self._jobs = Jobs(connection, namespace)
        self._ended_logs = EndedLogs(
            lambda id_: self.follow_logs(id_, since_s=self.now_s() - _LOGS_S)
        )
        self.acts: list[Act] = []
        """What this process did to containers, in order."""
        self.collectors = Collectors(connection, namespace)

    def run_inside(self, container_id: str, command: Sequence[str]) -> ExecResult:
        """Run a command in a running container, to its end."""
        done = self._run(container_id, command)
        return ExecResult(done.exit_code, done.stdout + done.stderr)

    def execute(self, container_id: str, command: Sequence[str]) -> Executed:
        """Run a command in a running container, to its end, and return its two streams apart."""
        return self._commands.run(PodName.of(container_id), command, timeout_s=None)

    def start(self, container_id: str) -> None:
        """Give a service that was stopped its replicas again; run a Job once more.

        Nothing where it was not stopped.
        """
        if job := self._jobs.of(self._service(container_id)):
            self._acted(container_id, "start")
            self._jobs.run_again(job)
            return
        if self._deployments.start(self._deployments.of(PodName.of(container_id))):
            self._acted(container_id, "start")

    def stop(self, container_id: str, timeout_s: int | None = None) -> None:
        """Scale a container's service to nothing, and return when all its pods have ended.

        They have their own time to end in, whatever ``timeout_s`` is. Raises NotPossibleError where
        data would be gone with them.
        """
        deployment = self._deployments.of(PodName.of(container_id))
        self._check_data(container_id, deployment["spec"]["template"])
        service = deployment["metadata"]["labels"][SERVICE]
        with self._ended_logs.kept(service, self._ids(service)):
            if self._deployments.stop(deployment):
                self._acted(container_id, "stop")
            wait_until(lambda: not self._pods(service), within_s=_ENDS_WITHIN_S, pause_s=_PAUSE_S)

    def kill(self, container_id: str, signal: str = "SIGKILL") -> None:
        """Send a signal to a container's first process; SIGKILL ends its pod, too.

        Another pod takes its place at once. Where nothing may stand beside the service, the cluster
        ends the pod in its own way: it asks for it first, and kills two seconds later.
        """
        name = PodName.of(container_id)
        if signal == "SIGKILL":
            pod = self._pod(container_id) or {"spec": {}}
            self._check_data(container_id, pod)
            self.collectors.settle([pod] if pod["spec"] else [])
            self._acted(container_id, signal)
            with self._ended_logs.kept(self._service(container_id), [container_id]):
                with suppress(NotPossibleError):
                    self._kill([pod] if pod["spec"] else [])
                self._connection.delete(name.path, _NOW)
            return
        self._acted(container_id, signal)
        sent = ["sh", "-c", join(["kill", f"-{signal.removeprefix('SIG')}", "1"])]
        done = self.execute(container_id, sent)
        if done.exit_code != 0:
            raise ClusterError(
                f"{signal} could not be sent", where=f"pod {name.pod}", seen=done.stderr.strip()
            )

    def end(self, container_id: str, signal: str = "SIGKILL") -> None:
        """End the pods of a container's service without any grace, and let no other take its place.

        Raises NotPossibleError for another signal, and where data would be gone with them.
        """
        if signal != "SIGKILL":
            raise NotPossibleError(
                "a cluster starts a container again that ends by a signal",
                where=f"pod {PodName.of(container_id).pod} of {self._namespace}",
                seen=f"it would not stay dead after {signal}",
                todo="kill it with SIGKILL, or stop it",
            )
        deployment = self._deployments.of(PodName.of(container_id))
        self._check_data(container_id, deployment["spec"]["template"])
        service = deployment["metadata"]["labels"][SERVICE]
        self.collectors.settle(self._pods(service))
        pods = self._pods(service)
        with self._ended_logs.kept(service, self._ids(service)):
            self._kill(pods)
            self._acted(container_id, "SIGKILL")
            self._deployments.stop(deployment)
            for pod in self._pods(service):
                self._connection.delete(name_of(pod).path, _NOW)

    def _kill(self, pods: Sequence[Mapping[str, Any]]) -> None:
        """Kill those that run: taken away without grace, a pod has two seconds all the same."""
        self._halting.kill(name_of(pod) for pod in pods if state_of(pod) == "running")

    def logs(
        self,
        container_id: str,
        *,
        since_s: float | None = None,
        tail: int | None = None,
        most_bytes: int | None = None,
    ) -> str:
        """Return what a container logged, behind what those did that this process has ended."""
        said = super().logs(container_id, since_s=since_s, tail=tail, most_bytes=most_bytes)
        service = self._service_of_ended(container_id)
        before = self._ended_logs.of(service, since_s) if service else []
        if not before:
            return said
        lines = [*before, *said.splitlines()]
        return "\n".join([*lines[-tail if tail else 0 :], ""])[:most_bytes]

    def pause(self, container_id: str) -> None:
        """Halt all processes of a container until ``unpause``, or until this process ends."""
        self._halting.halt(PodName.of(container_id))
        self._acted(container_id, "pause")

    def unpause(self, container_id: str) -> None:
        """Let the processes of a halted container go on."""
        self._acted(container_id, "unpause")
        self._halting.go_on(PodName.of(container_id))

    def container_state(self, container_id: str) -> ContainerState | None:
        """Return how a container is; None if it is gone."""
        life = super().container_state(container_id)
        is_halted = life is not None and self._halting.is_halted(PodName.of(container_id))
        return replace(life, state="paused") if life is not None and is_halted else life

    def begin_beside(
        self, container_id: str, command: Sequence[str], *, image: str, owner: str
    ) -> PodConversation:
        """Begin a program in the network of a running container, with the right to change that.

        It ends with the pod at the latest. Its image is the one that the promotion has pushed for
        it, whatever ``image`` is called on the engine. Raises ClusterError where it does not begin,
        NotPossibleError where the cluster does not let one stand there.
        """
        return self._beside.begin(PodName.of(container_id), command, owner)

    def owners_beside(self, container_id: str) -> list[str]:
        """Return the owner of each program that runs beside a container."""
        return self._beside.owners(self._pod(container_id))

    def _check_data(self, container_id: str, pod: Mapping[str, Any]) -> None:
        """Refuse to end a pod with which data would go that its service keeps on compose."""
        if kept := kept_in(pod) if pod["spec"] else []:
            raise NotPossibleError(
                "this pod cannot be ended: its data would be gone with it",
                where=f"pod {PodName.of(container_id).pod} of {self._namespace}",
                seen=f"only in the pod: {', '.join(kept)}",
                todo="keep the volume: x-nomock: {claims: …} at the top of the compose file",
            )

    def _ids(self, service: str) -> list[str]:
        """Return the ids of the containers of a service that run."""
        return [str(name_of(p)) for p in self._pods(service) if state_of(p) == "running"]

    def _service_of_ended(self, container_id: str) -> str | None:
        """Return the service whose first container it is, if any of that was ended here."""
        for service in self._ended_logs.services:
            own = [c for c in self.containers("") if c.service == service]
            if own and own[0].id == container_id:
                return service
        return None

    def _service(self, container_id: str) -> str:
        """Return the service of a container that is there, or of one that has its pod no more."""
        pod = self._pod(container_id)
        if pod is not None:
            return str(pod["metadata"]["labels"][SERVICE])
        return str(self._deployments.of(PodName.of(container_id))["metadata"]["labels"][SERVICE])

    def _acted(self, container_id: str, what: str) -> None:
        self.acts.append(Act(container_id, what, monotonic(), baggage.current_test()))
