"""Instances that are namespaces of the cluster that the stack runs in."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from helpers.eventually import eventually
from helpers.orders import Orders
from helpers.waits import CLUSTER_S, Waits
from nomock import Kubernetes, Stack

ASK = "import urllib.request as u; print(u.urlopen('{}', timeout={}).read().decode())"

# The name of the quotas that tests make.
QUOTA = "test"
CONNECT = """
import socket, sys
host, port, timeout_s = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
try:
    socket.create_connection((host, port), timeout_s).close()
    print("connected")
except OSError as error:
    print(error)
"""
# In the worker's own pod, by its own code and account.
TRY = """
import json, sys
from worker.cluster import Cluster, RefusedError
try:
    Cluster.own().create(sys.argv[1], json.loads(sys.argv[2]))
    print("it was allowed")
except RefusedError as refusal:
    print(refusal)
"""


@pytest.fixture
def cluster(stack: Stack) -> Kubernetes:
    """Return the namespace that the stack is in; without one the test is skipped."""
    return stack.kubernetes


class Dedicated:
    """Instances of the size `dedicated` of one tenant: each is a namespace of its own."""

    def __init__(self, orders: Orders, cluster: Kubernetes, waits: Waits) -> None:
        self.orders = orders
        self.cluster = cluster
        self.waits = waits
        self._placed: list[str] = []

    def placed(self, name: str) -> str:
        """Order an instance, which must be accepted; return its id."""
        self._placed.append(str(self.orders.placed(name, "dedicated")["id"]))
        return self._placed[-1]

    def running(self, name: str) -> str:
        """Order an instance and return its id when it runs."""
        return self.reach(self.placed(name), "running")

    def reach(self, instance_id: str, state: str) -> str:
        """Return the id of an instance when it is in a state."""
        self.orders.reach(instance_id, state, within_s=self.waits.provisioned_s)
        return instance_id

    def of(self, instance_id: str) -> Kubernetes:
        """Return the namespace of an instance."""
        return self.cluster.in_namespace(f"nomock-instance-{instance_id}")

    def namespace(self, instance_id: str) -> Mapping[str, Any] | None:
        """Return the namespace itself; None where there is none."""
        space = self.of(instance_id)
        return space.get("Namespace", space.namespace)

    def uid(self, instance_id: str) -> str:
        """Return what tells the namespace of an instance from a later one of the same name."""
        found = self.namespace(instance_id)
        assert found is not None, f"{instance_id} has no namespace"
        return str(found["metadata"]["uid"])

    def make_namespace(self, instance_id: str, labels: dict[str, str] | None = None) -> str:
        """Make the namespace of an instance before the worker does, as its own; return its uid."""
        space = self.of(instance_id)
        if labels is None:
            labels = {"nomock/made-in": self.cluster.namespace, "instance": instance_id}
        metadata = {"name": space.namespace, "labels": labels}
        space.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
        return self.uid(instance_id)

    def pod(self, instance_id: str, but: str = "") -> Mapping[str, Any]:
        """Return the pod of an instance when it is ready; `but`: the one that was there before."""

        def ready() -> list[Mapping[str, Any]]:
            return [
                pod
                for pod in self.of(instance_id).list("Pod")
                if pod["metadata"]["name"] != but
                and any(c["ready"] for c in pod["status"].get("containerStatuses") or ())
            ]

        return eventually(ready, within_s=CLUSTER_S, reason="there should be a ready pod")[0]

    def is_gone(self, instance_id: str) -> None:
        """See that nothing is left of an instance in the cluster."""
        eventually(
            lambda: (
                self.namespace(instance_id) is None
                and self.cluster.get("Service", f"instance-{instance_id}") is None
            ),
            within_s=CLUSTER_S,
            reason="the namespace should be gone",
        )

    def give_all_back(self) -> None:
        """Have all that was ordered removed: the tenant's rows go with the test."""
        for instance_id in self._placed:
            self.orders.give_back(instance_id)
        try:
            for instance_id in self._placed:
                self.reach(instance_id, "deprovisioned")
        finally:
            # What a worker left that did not do its work.
            for instance_id in self._placed:
                space = self.of(instance_id)
                space.delete("Namespace", space.namespace)
                self.cluster.delete("Service", f"instance-{instance_id}")


@pytest.fixture
def dedicated(
    cluster: Kubernetes, make_orders: Callable[..., Orders], waits: Waits
) -> Iterator[Dedicated]:
    """Return the instances of a tenant of the tier pro; the namespaces go with the test."""
    found = Dedicated(make_orders("pro"), cluster, waits)
    cluster.delete("ResourceQuota", QUOTA)  # as a run left it that was killed
    yield found
    found.give_all_back()


def asked(stack: Stack, service: str, url: str) -> Any:
    """Return the JSON that a service of the stack is answered at an address, seen from its pod."""
    return json.loads(stack[service].exec("python3", "-c", ASK.format(url, CLUSTER_S)))


def tried(stack: Stack, path: str, manifest: Mapping[str, Any]) -> str:
    """Have the worker make an object, as a dry run: nothing is made; return what it was told."""
    made = json.dumps(manifest)
    return stack["worker"].exec("python3", "-c", TRY, f"{path}?dryRun=All", made)
