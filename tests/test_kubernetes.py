"""What only Kubernetes shows: on compose these tests are skipped.

What is changed for a test is put back when its block ends, and what was made goes with the test.
Who changes a service or a quota that others use is serial.
"""

from collections.abc import Callable
from contextlib import ExitStack

import pytest
from helpers.cluster import CONNECT, QUOTA, Dedicated, asked, tried
from helpers.eventually import eventually
from helpers.orders import Orders, held, resources, waiting_behind
from helpers.rollouts import ready_pods, requests, rolled_out
from helpers.waits import BUSY_S, CLUSTER_S, SOON_S, Waits

from nomock import Kubernetes, NotPossibleError, Postgres, Stack

Name = Callable[[], str]
pytestmark = pytest.mark.usefixtures("cluster")

LOCK_SIZE = "SELECT FROM instances.sizes WHERE size = %s FOR NO KEY UPDATE"
LOCK_ROW = "SELECT FROM instances.instances WHERE instance_id = %s FOR NO KEY UPDATE"
LOCK_RESOURCE = "SELECT FROM instances.resources WHERE instance_id = %s FOR UPDATE"


def until_it_waits(postgres: Postgres, holder: object) -> None:
    eventually(
        lambda: waiting_behind(postgres, holder),
        within_s=CLUSTER_S,
        reason="the worker should wait in the middle",
    )


# An instance is a namespace


def test_instance_should_be_a_namespace_that_answers_when_it_runs(
    stack: Stack, dedicated: Dedicated, unique_name: Name
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


@pytest.mark.serial("stack")
def test_instance_should_be_adopted_when_the_worker_is_killed_before_it_commits(
    stack: Stack, dedicated: Dedicated, unique_name: Name, postgres: Postgres
) -> None:
    with held(postgres, LOCK_SIZE, "dedicated") as size:
        instance_id = dedicated.placed(unique_name())
        until_it_waits(postgres, size)
        # It makes the namespace, sees the pod ready, and hangs when it wants to say so.
        with held(postgres, LOCK_ROW, instance_id) as row:
            size.rollback()
            until_it_waits(postgres, row)
            before = dedicated.uid(instance_id)
            stack["worker"].kill()
            assert dedicated.orders.get(instance_id).json()["state"] == "provisioning"
            assert resources(postgres, instance_id) == 0
    dedicated.reach(instance_id, "running")
    assert dedicated.orders.get(instance_id).json()["attempts"] == 2
    assert dedicated.uid(instance_id) == before
    assert resources(postgres, instance_id) == 1


def test_instance_should_be_adopted_when_only_its_namespace_was_made_before(
    dedicated: Dedicated, unique_name: Name, postgres: Postgres
) -> None:
    with held(postgres, LOCK_SIZE, "dedicated") as size:
        instance_id = dedicated.placed(unique_name())
        # As the worker leaves it that is killed after its first step.
        before = dedicated.make_namespace(instance_id)
        size.rollback()
    dedicated.reach(instance_id, "running")
    assert dedicated.uid(instance_id) == before


@pytest.mark.serial("stack")
def test_instance_should_be_deprovisioned_when_the_worker_is_killed_while_it_removes_it(
    stack: Stack, dedicated: Dedicated, unique_name: Name, postgres: Postgres
) -> None:
    instance_id = dedicated.running(unique_name())
    with held(postgres, LOCK_RESOURCE, instance_id) as holder:
        dedicated.orders.give_back(instance_id)
        until_it_waits(postgres, holder)
        stack["worker"].kill()
        assert dedicated.orders.get(instance_id).json()["state"] == "deprovisioning"
        assert resources(postgres, instance_id) == 1
    dedicated.reach(instance_id, "deprovisioned")
    assert resources(postgres, instance_id) == 0
    dedicated.is_gone(instance_id)


def test_instance_should_fail_and_leave_nothing_when_its_pod_is_refused(
    dedicated: Dedicated, unique_name: Name, postgres: Postgres
) -> None:
    with held(postgres, LOCK_SIZE, "dedicated") as size:
        instance_id = dedicated.placed(unique_name())
        dedicated.make_namespace(instance_id)
        dedicated.of(instance_id).apply(quota_of({"pods": "0"}))
        size.rollback()
    dedicated.reach(instance_id, "failed")
    told = dedicated.orders.get(instance_id).json()["failure_reason"]
    assert "the cluster refused it: " in told and f"exceeded quota: {QUOTA}" in told
    assert resources(postgres, instance_id) == 0
    dedicated.is_gone(instance_id)


def test_instance_should_fail_and_leave_the_namespace_alone_when_it_is_somebody_elses(
    dedicated: Dedicated, unique_name: Name, postgres: Postgres, undo: ExitStack
) -> None:
    with held(postgres, LOCK_SIZE, "dedicated") as size:
        instance_id = dedicated.placed(unique_name())
        before = dedicated.make_namespace(instance_id, labels={})
        space = dedicated.of(instance_id)
        undo.callback(space.delete, "Namespace", space.namespace)
        size.rollback()
    dedicated.reach(instance_id, "failed")
    told = dedicated.orders.get(instance_id).json()["failure_reason"]
    assert f"{space.namespace} is somebody else's" in told
    assert dedicated.uid(instance_id) == before
    assert space.list("RoleBinding") == []
    assert space.list("Deployment") == []


@pytest.mark.serial("stack")
def test_fifth_instance_should_fail_by_the_quota_when_there_is_room_for_four(
    cluster: Kubernetes, dedicated: Dedicated, unique_name: Name, undo: ExitStack
) -> None:
    # Each instance has a Service beside those of the stack.
    room = len(cluster.list("Service")) + 4
    undo.callback(cluster.delete, "ResourceQuota", QUOTA)
    cluster.apply(quota_of({"services": str(room)}))
    eventually(
        lambda: (cluster.get("ResourceQuota", QUOTA) or {}).get("status", {}).get("used"),
        within_s=SOON_S,
        reason="the cluster should count",
    )
    *four, fifth = [dedicated.placed(unique_name()) for _ in range(5)]
    for instance_id in four:
        dedicated.reach(instance_id, "running")
    dedicated.reach(fifth, "failed")
    told = dedicated.orders.get(fifth).json()["failure_reason"]
    assert f"exceeded quota: {QUOTA}, requested: services=1, used: services={room}" in told
    assert dedicated.namespace(fifth) is None


def test_file_of_an_instance_should_be_gone_when_its_pod_is(
    dedicated: Dedicated, unique_name: Name
) -> None:
    instance_id = dedicated.running(unique_name())
    space, first = dedicated.of(instance_id), dedicated.pod(instance_id)["metadata"]["name"]
    assert space.execute(first, "touch", "/data/kept").exit_code == 0
    space.delete("Pod", first)
    second = dedicated.pod(instance_id, but=first)["metadata"]["name"]
    assert space.execute(second, "ls", "/data").stdout == ""


def test_database_should_not_be_killed_when_its_data_would_be_gone_with_its_pod(
    stack: Stack,
) -> None:
    with pytest.raises(NotPossibleError, match="its data would be gone with it"):
        stack["postgres"].kill()


# Who may do what, and reach whom


def test_worker_should_have_no_right_when_it_does_not_need_it(
    cluster: Kubernetes, dedicated: Dedicated, unique_name: Name
) -> None:
    account = f"{cluster.namespace}:worker"
    made = dedicated.of(dedicated.running(unique_name()))
    assert cluster.may(account, "get", "pods")
    assert made.may(account, "create", "deployments", group="apps")
    assert made.may(account, "delete", "namespaces")
    whole, system = cluster.in_namespace(""), cluster.in_namespace("kube-system")
    for space in (cluster, made, whole, system):
        for verb, resource in (
            *(("get", "secrets"), ("list", "namespaces"), ("create", "pods/exec")),
            *(("delete", "pods"), ("update", "namespaces"), ("patch", "namespaces")),
        ):
            assert not space.may(account, verb, resource), (space.namespace, verb, resource)
    for space in (cluster, whole, system):
        assert not space.may(account, "delete", "namespaces"), space.namespace
        assert not space.may(account, "create", "deployments", group="apps"), space.namespace


def test_worker_should_make_no_namespace_when_it_does_not_bear_its_label(
    stack: Stack, cluster: Kubernetes
) -> None:
    manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "nomock-test"}}
    said = tried(stack, "/api/v1/namespaces", manifest)
    assert f"makes namespaces with the label nomock/made-in={cluster.namespace}" in said


def test_worker_should_bind_no_role_when_the_namespace_is_not_of_its_making(
    stack: Stack, cluster: Kubernetes
) -> None:
    group, own = "rbac.authorization.k8s.io", cluster.namespace
    manifest = {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "nomock-test"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": f"{own}.worker.made"},
        "subjects": [{"kind": "ServiceAccount", "name": "worker", "namespace": own}],
    }
    said = tried(stack, f"/apis/{group}/v1/namespaces/kube-system/rolebindings", manifest)
    assert f"makes namespaces with the label nomock/made-in={own}, and binds there" in said


def test_service_should_have_no_key_to_the_cluster_when_it_needs_none(stack: Stack) -> None:
    for service in ("auth", "instances", "mcp"):
        assert stack[service].exec("sh", "-c", "ls /var/run/secrets/kubernetes.io || true") == ""


def test_instance_should_reach_neither_the_database_nor_another_one_when_it_tries(
    stack: Stack, cluster: Kubernetes, dedicated: Dedicated, unique_name: Name
) -> None:
    one, other = (dedicated.placed(unique_name()) for _ in range(2))
    dedicated.reach(one, "running")
    dedicated.reach(other, "running")
    database = (f"postgres.{cluster.namespace}.svc.cluster.local", 5432)
    neighbour = (f"instance.{dedicated.of(other).namespace}.svc.cluster.local", 8000)
    for host, port in (database, neighbour):
        # The stack does: it is not that nobody answers there.
        connect = ("python3", "-c", CONNECT, host, str(port), str(BUSY_S))
        assert stack["worker"].exec(*connect) == "connected\n"
        until_cut_off(dedicated, one, *connect)


# Pods come and go


@pytest.mark.serial("stack")
def test_job_should_be_done_once_when_the_worker_is_evicted_in_the_middle(
    cluster: Kubernetes, orders: Orders, unique_name: Name, postgres: Postgres, waits: Waits
) -> None:
    with held(postgres, LOCK_SIZE, "large") as size:
        instance_id = orders.placed(unique_name(), "large")["id"]
        until_it_waits(postgres, size)
        (before,) = cluster.pods("worker")
        cluster.evict(before["metadata"]["name"])
        # Another one is scheduled, takes the job and is as far.
        rolled_out(cluster, "worker")
        (after,) = cluster.pods("worker")
        assert after["metadata"]["name"] != before["metadata"]["name"]
        until_it_waits(postgres, size)
    assert orders.reach(instance_id, "running")["attempts"] == 2
    assert resources(postgres, instance_id) == 1


@pytest.mark.serial("stack")
def test_no_request_should_be_lost_when_a_pod_is_not_ready(
    stack: Stack, cluster: Kubernetes
) -> None:
    probe = {"exec": {"command": ["sh", "-c", "! test -e /tmp/unready"]}, "periodSeconds": 1}
    template = {"spec": {"containers": [{"name": "instances", "readinessProbe": probe}]}}
    with cluster.changed("Deployment", "instances", {"replicas": 2, "template": template}):
        rolled_out(cluster, "instances")
        both = {pod["metadata"]["name"] for pod in cluster.pods("instances")}
        with requests(stack, "instances", of="mcp") as load:
            ill = min(both)
            cluster.execute(ill, "touch", "/tmp/unready")
            until_ready(cluster, both - {ill})
            load.go_on()
            assert len(cluster.pods("instances")) == 2  # it is out of the way, and lives
            cluster.execute(ill, "rm", "/tmp/unready")
            until_ready(cluster, both)
            load.go_on()
        assert load.failed == []
    rolled_out(cluster, "instances")


@pytest.mark.serial("stack")
def test_no_request_should_be_lost_when_a_service_is_rolled_out(
    stack: Stack, cluster: Kubernetes, unique_name: Name
) -> None:
    (before,) = cluster.pods("instances")
    new = {"template": {"metadata": {"annotations": {"test": unique_name()}}}}
    with requests(stack, "instances", of="mcp") as load:
        with cluster.changed("Deployment", "instances", new):
            rolled_out(cluster, "instances")
            (after,) = cluster.pods("instances")
            assert after["metadata"]["name"] != before["metadata"]["name"]
            load.go_on()
        rolled_out(cluster, "instances")  # and back
        load.go_on()
    assert load.failed == []


@pytest.mark.serial("stack")
@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"resources": {"limits": {"memory": "24Mi"}}}, "out of memory"),
        # Nobody listens there, on any node: that is refused at once.
        ({"image": "127.0.0.1:1/none:1"}, "image pull refused"),
        ({"readinessProbe": {"exec": {"command": ["false"]}}}, "readiness never true"),
    ],
)
def test_old_pod_should_serve_and_the_cause_be_named_when_a_new_one_cannot_become_ready(
    stack: Stack, cluster: Kubernetes, change: dict[str, object], cause: str
) -> None:
    (before,) = cluster.pods("mcp")
    template = {"spec": {"containers": [{"name": "mcp", **change}]}}
    with cluster.changed("Deployment", "mcp", {"template": template}):
        eventually(
            lambda: cause in {found.what for found in cluster.causes() if found.service == "mcp"},
            within_s=CLUSTER_S,
            reason=f"the cause should be named: {cause}",
        )
        assert ready_pods(cluster, "mcp") == {before["metadata"]["name"]}
        assert stack["mcp"].http.get("/health").status_code == 200
    rolled_out(cluster, "mcp")


def quota_of(hard: dict[str, str]) -> dict[str, object]:
    """Return a quota."""
    metadata = {"name": QUOTA}
    return {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": metadata,
        "spec": {"hard": hard},
    }


def until_cut_off(dedicated: Dedicated, instance_id: str, *connect: str) -> None:
    pod = dedicated.pod(instance_id)["metadata"]["name"]
    eventually(
        lambda: dedicated.of(instance_id).execute(pod, *connect).stdout != "connected\n",
        within_s=CLUSTER_S,
        reason=f"nobody should be reached from {pod}",
    )


def until_ready(cluster: Kubernetes, pods: set[str]) -> None:
    eventually(
        lambda: ready_pods(cluster, "instances") == pods,
        within_s=CLUSTER_S,
        reason=f"the Service should lead to {', '.join(sorted(pods))}",
    )
