"""What is wrong with an earlier promotion's pods is not said of the last one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fake_cluster import Answer, FakeCluster, fake_cluster

from nomock.adapters.kubernetes import connect
from nomock.sandbox.workloads import Workloads

NAMES = {("Deployment", "web"), ("Job", "job-1")}
REFUSED = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: pods=1"}
STUCK = {"type": "Progressing", "status": "False", "message": "has timed out progressing"}
Look = Callable[..., list[str]]


def made(name: str, uid: str, owner: str = "", revision: int = 0, **more: Any) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": name, "uid": uid, "labels": {"nomock/service": name[:3]}}
    meta["generation"] = 2
    meta["annotations"] = {"deployment.kubernetes.io/revision": str(revision)}
    meta["ownerReferences"] = [{"uid": owner}] if owner else []
    return {"metadata": meta, "spec": {"replicas": 1}, **more}


def failing(name: str, owner: str, message: str) -> dict[str, Any]:
    waits = {"waiting": {"reason": "ImagePullBackOff", "message": message}}
    return made(name, name, owner, status={"containerStatuses": [{"state": waits}]})


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    with fake_cluster() as found:
        yield found


@pytest.fixture
def look(cluster: FakeCluster, tmp_path: Path) -> Look:
    """What is said to be wrong in a cluster that has some objects."""
    connection = connect("fake", cluster.kubeconfig(tmp_path / "kubeconfig"))

    def looked(**there: list[dict[str, Any]]) -> list[str]:
        def answer(method: str, path: str) -> Answer:
            return 200, {"items": there.get(path.partition("?")[0].rpartition("/")[2], [])}

        cluster.answers = answer
        found = Workloads(connection, "nomock-shop", "shop").look(NAMES)
        return [f"{cause.service}: {cause.what}: {cause.seen}" for cause in found.causes]

    return looked


def test_a_condition_should_not_count_when_the_deployment_changed_since(look: Look) -> None:
    before = {"observedGeneration": 1, "conditions": [STUCK]}
    sets = [made("web-old", "old", "web", 1, status={"conditions": [REFUSED]})]
    pods = [failing("web-old-1", "old", "denied")]
    deployment = made("web", "web", revision=1, status=before)
    assert look(deployments=[deployment], replicasets=sets, pods=pods) == []


def test_a_pod_should_count_only_when_it_is_of_the_newest_replica_set(look: Look) -> None:
    now = {"observedGeneration": 2, "conditions": [REFUSED]}
    sets = [
        made("web-old", "old", "web", 1, status={"conditions": [REFUSED]}),
        made("web-new", "new", "web", 2, status={}),
    ]
    pods = [failing("web-old-1", "old", "denied"), failing("web-new-1", "new", "not found")]
    deployment = made("web", "web", revision=2, status=now)
    found = look(deployments=[deployment], replicasets=sets, pods=pods)
    assert found == ["web: image pull refused: not found"]


def test_a_quota_should_be_named_when_it_refuses_the_new_pods(look: Look) -> None:
    sets = [made("web-new", "new", "web", 2, status={"conditions": [REFUSED]})]
    deployment = made("web", "web", revision=2, status={"observedGeneration": 2})
    assert look(deployments=[deployment], replicasets=sets) == [
        "web: quota exceeded: exceeded quota: pods=1"
    ]


def test_a_pod_should_count_only_when_it_is_of_the_job_that_is_there(look: Look) -> None:
    pods = [failing("job-1-a", "gone", "denied"), failing("job-1-b", "here", "not found")]
    assert look(jobs=[made("job-1", "here")], pods=pods) == ["job: image pull refused: not found"]
