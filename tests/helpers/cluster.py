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

    def placed(self, name: str) -> str:
        """Order an instance, which must be accepted; return its id."""
        return str(self.orders.placed(name, "dedicated")["id"])

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

    def pod(self, instance_id: str) -> Mapping[str, Any]:
        """Return the one pod of an instance."""
        staying = [
            pod
            for pod in self.of(instance_id).list("Pod")
            if "deletionTimestamp" not in pod["metadata"]
        ]
        (pod,) = staying
        return pod

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
        for instance in self.orders.all():
            if instance["state"] not in {"failed", "deprovisioned"}:
                self.orders.give_back(instance["id"])
                self.reach(instance["id"], "deprovisioned")


@pytest.fixture
def dedicated(
    cluster: Kubernetes, make_orders: Callable[..., Orders], waits: Waits
) -> Iterator[Dedicated]:
    """Return the instances of a tenant of the tier pro; the namespaces go with the test."""
    found = Dedicated(make_orders("pro"), cluster, waits)
    yield found
    found.give_all_back()


def asked(stack: Stack, service: str, url: str) -> Any:
    """Return the JSON that a service of the stack is answered at an address, seen from its pod."""
    return json.loads(stack[service].exec("python3", "-c", ASK.format(url, CLUSTER_S)))
