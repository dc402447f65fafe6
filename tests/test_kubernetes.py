"""What only Kubernetes shows: on compose these tests are skipped."""

from collections.abc import Callable

from helpers.cluster import Dedicated, asked

from nomock import Kubernetes, Stack

Name = Callable[[], str]


def test_instance_should_be_a_namespace_that_answers_when_it_runs(
    stack: Stack, cluster: Kubernetes, dedicated: Dedicated, unique_name: Name
) -> None:
    instance_id = dedicated.running(unique_name())
    (quota,) = dedicated.of(instance_id).list("ResourceQuota")
    assert quota["status"]["used"]["pods"] == "1"
    told = asked(stack, "mcp", f"http://instance-{instance_id}:8000")
    assert told["INSTANCE_ID"] == instance_id
    assert told["HOSTNAME"] == dedicated.pod(instance_id)["metadata"]["name"]


def test_instance_should_leave_nothing_when_it_is_given_back(
    dedicated: Dedicated, unique_name: Name
) -> None:
    instance_id = dedicated.running(unique_name())
    dedicated.orders.give_back(instance_id)
    dedicated.reach(instance_id, "deprovisioned")
    dedicated.is_gone(instance_id)
