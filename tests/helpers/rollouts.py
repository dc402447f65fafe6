"""Deployments that are replaced pod by pod, and requests that come from within meanwhile."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from helpers.eventually import eventually
from helpers.waits import CLIENT_S, CLUSTER_S
from nomock import Kubernetes, Stack

# In a pod, as other services ask: by the Service's name, each over a connection of its own, once.
ASKING = """
import http.client, json, pathlib, sys, threading
host, folder, timeout_s = sys.argv[1], pathlib.Path(sys.argv[2]), float(sys.argv[3])
pause, sent, failed = threading.Event(), 0, []
while not (folder / "over").exists():
    asked = http.client.HTTPConnection(host, timeout=timeout_s)
    try:
        asked.request("GET", "/health")
        reply = asked.getresponse()
        if reply.status != 200:
            failed.append(str(reply.status))
    except (OSError, http.client.HTTPException) as error:
        failed.append(f"request {sent}: {error!r}")
    finally:
        asked.close()
    sent += 1
    (folder / "sent").write_text(str(sent))
    pause.wait(0.02)
print(json.dumps({"sent": sent, "failed": failed}))
"""


class Requests:
    """The requests that one service sends to another one for as long as a block runs."""

    def __init__(self, run: Callable[..., str], folder: str) -> None:
        self.sent = 0
        self.failed: list[str] = []
        self._run = run
        self._folder = folder

    def go_on(self, more: int = 20) -> None:
        """Return when as many more requests have been sent."""
        before = self._count()
        eventually(
            lambda: self._count() >= before + more,
            within_s=CLUSTER_S,
            reason=f"{more} more requests should be sent",
        )

    def _count(self) -> int:
        return int(self._run("cat", f"{self._folder}/sent").strip() or 0)


@contextmanager
def requests(stack: Stack, service: str, *, of: str, port: int = 8000) -> Iterator[Requests]:
    """Have the pod of one service ask another one, over and over, and count what failed."""
    run = stack[of].exec
    folder = run("mktemp", "-d").strip()
    run("sh", "-c", f"echo 0 > {folder}/sent")
    found = Requests(run, folder)
    asked = ("python3", "-c", ASKING, f"{service}:{port}", folder, str(CLIENT_S))
    with ThreadPoolExecutor(1) as thread:
        asking = thread.submit(run, *asked)
        try:
            found.go_on()
            yield found
        finally:
            run("touch", f"{folder}/over")
    told: dict[str, Any] = json.loads(asking.result())
    found.sent, found.failed = told["sent"], told["failed"]


def rolled_out(cluster: Kubernetes, service: str) -> None:
    """Return when all pods of a service are what its Deployment says, and no other is left."""

    def is_done() -> bool:
        found = cluster.get("Deployment", service)
        assert found is not None, service
        wanted, status = found["spec"]["replicas"], found.get("status") or {}
        is_seen = status.get("observedGeneration") == found["metadata"]["generation"]
        counts = (status.get("updatedReplicas"), status.get("availableReplicas"))
        pods = cluster.list("Pod", f"nomock/service={service}")
        # What the Deployment counts is late: a pod that was evicted is ending before it knows.
        ending = any("deletionTimestamp" in pod["metadata"] for pod in pods)
        return is_seen and counts == (wanted, wanted) and len(pods) == wanted and not ending

    eventually(is_done, within_s=CLUSTER_S, reason=f"{service} should be rolled out")


def ready_pods(cluster: Kubernetes, service: str) -> set[str]:
    """Return the names of the pods to which the Service of that name leads."""
    slices = cluster.list("EndpointSlice", f"kubernetes.io/service-name={service}")
    return {
        endpoint["targetRef"]["name"]
        for found in slices
        for endpoint in found["endpoints"] or ()
        if endpoint["conditions"]["ready"]
    }
