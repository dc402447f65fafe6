"""A program beside a service's container: an ephemeral container in its pod.

It has the network of the pod, and processes of its own: it outlives a container that is started
again in the same pod, as that network does. No cluster takes one out of a pod again, so each stays
in the pod's description, ended, until the pod goes.
https://kubernetes.io/docs/concepts/workloads/pods/ephemeral-containers/
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from nomock.adapters.kubernetes.connection import Connection
from nomock.adapters.kubernetes.conversation import PodConversation
from nomock.adapters.kubernetes.reading import PodName
from nomock.errors import ClusterError, ClusterMissingError, NotPossibleError
from nomock.polling import wait_until

TOOLS = "nomock/tools-image"
"""The annotation of a namespace: the image of what stands beside its services."""
_OWNER = "NOMOCK_OWNER"
_BEGINS_WITHIN_S = 60.0
_PAUSE_S = 0.05
_ADDED = {"Content-Type": "application/strategic-merge-patch+json"}
_RIGHTS = {
    "runAsUser": 0,
    "runAsNonRoot": False,
    "readOnlyRootFilesystem": True,
    "allowPrivilegeEscalation": False,
}
_COUNTS, _TRACES = "NET_ADMIN", "SYS_PTRACE"
# While one of these is the reason, it is pulled or made; others do not get better.
_ON_ITS_WAY = {"", "ContainerCreating", "PodInitializing"}

Found = Mapping[str, Any]


@dataclass(frozen=True)
class Beside:
    """Begins and finds what stands beside the services of one namespace."""

    connection: Connection
    namespace: str

    def begin(
        self,
        beside: PodName,
        command: Sequence[str],
        owner: str,
        *,
        among_its_processes: bool = False,
    ) -> PodConversation:
        """Begin a program in the pod of a running container, or even among its processes.

        Raises ClusterError where it does not begin, NotPossibleError where the cluster does not let
        one stand there.
        """
        name = beside._replace(container=f"nomock-watchdog-{token_hex(4)}")
        container: dict[str, Any] = {
            "name": name.container,
            "image": self._image(),
            "command": list(command),
            "env": [{"name": _OWNER, "value": owner}],
            "stdin": True,
            # With the first who is attached, its input ends for good.
            "stdinOnce": True,
            "securityContext": {**_RIGHTS, "capabilities": {"drop": ["ALL"], "add": [_COUNTS]}},
        }
        if among_its_processes:
            container["targetContainerName"] = beside.container
            container["securityContext"]["capabilities"]["add"] = [_TRACES]
        self._add(name, container)
        self._wait(name)
        return PodConversation(self.connection, name)

    def owners(self, pod: Found | None) -> list[str]:
        """Return the owner of each program that runs in a pod."""
        if pod is None:
            return []
        running = [name for name, state in _states(pod).items() if "running" in state]
        return [
            variable["value"]
            for container in pod["spec"].get("ephemeralContainers") or ()
            for variable in container.get("env") or ()
            if container["name"] in running and variable["name"] == _OWNER
        ]

    def _image(self) -> str:
        found = self.connection.get(f"/api/v1/namespaces/{self.namespace}")
        annotations = (found or {"metadata": {}})["metadata"].get("annotations") or {}
        if TOOLS not in annotations:
            raise NotPossibleError(
                "the sandbox has no image for what stands beside a service",
                where=f"namespace {self.namespace}",
                seen=f"no annotation {TOOLS}",
                todo="nomock promote, where the image that tools_image names is here, and the "
                "stack has Toxiproxy or the proxy of HTTP faults",
            )
        return str(annotations[TOOLS])

    def _add(self, name: PodName, container: Found) -> None:
        asked = {"spec": {"ephemeralContainers": [container]}}
        path = f"{name.path}/ephemeralcontainers"
        try:
            reply = self.connection.ask("PATCH", path, json=asked, headers=_ADDED)
        except ClusterMissingError:
            raise
        except ClusterError as error:
            raise NotPossibleError(
                "the cluster does not let a watchdog stand beside a service",
                where=f"pod {name.pod} of {name.namespace}",
                seen=error.seen,
                todo="let this user patch pods/ephemeralcontainers and create pods/attach, and the "
                "namespace have containers with the capabilities NET_ADMIN and SYS_PTRACE",
            ) from error
        if reply.status_code >= 400:
            raise ClusterError("the pod is gone", where=f"pod {name.pod} of {name.namespace}")

    def _wait(self, name: PodName) -> None:
        """Return when it runs; raise ClusterError where it does not."""
        state: Found = {}

        def is_settled() -> bool:
            nonlocal state
            pod = self.connection.get(name.path)
            if pod is None:
                state = {"terminated": {"reason": "the pod is gone"}}
                return True
            state = _states(pod).get(name.container) or {}
            reason = (state.get("waiting") or {}).get("reason") or ""
            return "running" in state or "terminated" in state or reason not in _ON_ITS_WAY

        wait_until(is_settled, within_s=_BEGINS_WITHIN_S, pause_s=_PAUSE_S)
        if "running" not in state:
            why = state.get("terminated") or state.get("waiting") or {}
            told = [why.get("reason") or "", why.get("message") or ""]
            raise ClusterError(
                "the program does not start",
                where=f"container {name.container} of pod {name.pod}",
                seen=": ".join(filter(None, told)) or f"not within {_BEGINS_WITHIN_S:g} s",
            )


def _states(pod: Found) -> dict[str, Found]:
    found = pod["status"].get("ephemeralContainerStatuses") or ()
    return {status["name"]: status.get("state") or {} for status in found}
