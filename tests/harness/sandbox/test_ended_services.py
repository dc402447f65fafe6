"""Services of a sandbox that a test has ended: they stay so until they are started."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fake_pods import NAMESPACE, FakeCluster, fake_pods

from nomock.adapters.kubernetes import Pods, connect
from nomock.errors import NotPossibleError


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[FakeCluster]:
    with fake_pods(tmp_path) as made:
        yield made


@pytest.fixture
def pods(cluster: FakeCluster, tmp_path: Path) -> Pods:
    return Pods(connect("tests", tmp_path / "kubeconfig"), NAMESPACE)


def states(pods: Pods) -> dict[str, str]:
    return {container.service: container.state for container in pods.containers("t")}


@pytest.mark.parametrize("how", ["stop", "end"])
def test_a_service_should_stay_ended_until_it_is_started_when_a_test_ended_it(
    cluster: FakeCluster, pods: Pods, how: str
) -> None:
    web = cluster.add("web")
    assert states(pods) == {"web": "running"}
    getattr(pods, how)(web)
    assert states(pods) == {"web": "exited"}
    # What ends it a second time has nothing to do, and does not forget how many there were.
    getattr(pods, how)(web)
    (stopped,) = pods.containers("t")
    assert pods.container_state(web) is None
    life = pods.container_state(stopped.id)
    assert life is not None and (life.state, life.network) == ("exited", "")
    assert pods.exit_state(stopped.id) is None
    pods.start(stopped.id)
    assert cluster.deployments["web"]["spec"]["replicas"] == 1
    assert pods.container_state(stopped.id) is None


def test_a_service_should_not_be_called_ended_when_it_was_promoted_again(
    cluster: FakeCluster, pods: Pods
) -> None:
    pods.stop(cluster.add("web"))
    cluster.deployments["web"]["spec"]["replicas"] = 1  # and the annotation stays
    assert states(pods) == {}


def test_a_fault_should_be_refused_when_the_cluster_would_start_the_service_at_once(
    cluster: FakeCluster, pods: Pods
) -> None:
    with pytest.raises(NotPossibleError) as refused:
        pods.end(cluster.add("web"), "SIGTERM")
    assert str(refused.value) == (
        "pod web-1 of nomock-t: a cluster starts a container again that ends by a signal\n"
        "  it would not stay dead after SIGTERM\n"
        "-> kill it with SIGKILL, or stop it"
    )
    assert states(pods) == {"web": "running"}


@pytest.mark.parametrize("how", ["stop", "end", "kill"])
def test_a_service_should_not_be_ended_when_its_data_would_be_gone(
    cluster: FakeCluster, pods: Pods, how: str
) -> None:
    mounts = [{"name": "data", "mountPath": "/data"}]
    containers = [{"name": "web", "image": "i", "volumeMounts": mounts}]
    web = cluster.add("web", containers=containers, volumes=[{"name": "data", "emptyDir": {}}])
    with pytest.raises(NotPossibleError, match="its data would be gone"):
        getattr(pods, how)(web)
    assert states(pods) == {"web": "running"}


def test_addresses_should_be_of_the_pod_and_its_own_service_when_there_are_others(
    cluster: FakeCluster, pods: Pods
) -> None:
    web = cluster.add("web")
    cluster.pods["web-1"]["status"]["podIPs"] = [{"ip": "10.1.0.7"}]
    cluster.services = {
        name: {"spec": {"selector": {"nomock/service": of}, "clusterIPs": [ip]}}
        for name, of, ip in (("web", "web", "10.2.0.1"), ("db", "db", "10.2.0.2"))
    }
    assert pods.addresses(web) == {NAMESPACE: ["10.1.0.7", "10.2.0.1"]}


@pytest.mark.parametrize("how", ["stop", "end", "kill"])
def test_a_log_should_go_on_when_the_pod_before_is_gone(
    cluster: FakeCluster, pods: Pods, how: str
) -> None:
    web = cluster.add("web")
    lines = [f"2026-11-30T07:00:0{n}.5Z line {n}\n" for n in range(4)]
    cluster.logs["web-1"] = "".join(lines[:2])
    getattr(pods, how)(web)
    cluster.logs["web-1"] = "".join(lines[2:])  # of the next pod, which has the same name here
    if how != "kill":
        (stopped,) = pods.containers("t")
        assert pods.logs(stopped.id) == "".join(lines[:2])
    cluster.add("web")
    assert pods.logs(web) == "".join(lines)
    assert pods.logs(web, tail=3) == "".join(lines[1:])
    since_s = datetime(2026, 11, 30, 7, 0, 1, tzinfo=UTC).timestamp()
    assert pods.log_text(web, since_s=since_s).startswith("line 1\nline 2")


def test_a_job_should_run_once_more_when_it_is_started(cluster: FakeCluster, pods: Pods) -> None:
    job = cluster.add("job")
    del cluster.deployments["job"]
    added = {"batch.kubernetes.io/controller-uid": "1", "controller-uid": "1"}
    labels = {"nomock/service": "job"}
    cluster.jobs["job"] = {
        "metadata": {"name": "job", "labels": labels | added, "uid": "1", "resourceVersion": "7"},
        "spec": {
            "selector": {"matchLabels": added},
            "backoffLimit": 2,
            "template": {
                "metadata": {"labels": labels | added},
                "spec": cluster.pods["job-1"]["spec"],
            },
        },
        "status": {"succeeded": 1},
    }
    pods.start(job)
    assert cluster.jobs["job"] == {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "job", "labels": labels, "annotations": {}},
        "spec": {
            "backoffLimit": 2,
            "template": {"metadata": {"labels": labels}, "spec": cluster.pods["job-1"]["spec"]},
        },
    }
