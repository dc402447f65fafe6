"""Pods read as containers of services: their states in an engine's words, order, and end."""

from __future__ import annotations

from typing import Any

import pytest

from nomock.adapters.kubernetes.deployments import ended_pod, stopped_from
from nomock.adapters.kubernetes.happenings import happenings_of
from nomock.adapters.kubernetes.reading import (
    PodName,
    containers_of,
    course_of,
    end_of,
    kept_in,
    life_of,
)
from nomock.errors import UnpublishedError
from nomock.target import Address, Ports

RUNNING = {"running": {"startedAt": "2026-11-30T07:00:00Z"}}
KILLED = {
    "terminated": {
        "reason": "OOMKilled",
        "exitCode": 137,
        "startedAt": "2026-11-30T06:59:00Z",
        "finishedAt": "2026-11-30T06:59:30Z",
    }
}
WAITING = {"waiting": {"reason": "ContainerCreating"}}


class Nowhere:
    """A locator of pods that nothing reaches."""

    elsewhere = None

    def published(self, service: str, ports: Ports, target: int, protocol: str) -> Address:
        raise UnpublishedError(service, str(target), (), "")

    reached = published

    def shown(self, service: str, ports: Ports) -> list[str]:
        return []

    def line(self, target: int | str, protocol: str = "tcp") -> str:
        return ""


def pod(
    name: str, state: dict[str, Any], *, service: str = "web", policy: str = "Always", **status: Any
) -> dict[str, Any]:
    ports = [{"containerPort": 8000}, {"containerPort": 53, "protocol": "UDP"}]
    own = {"name": "web", "image": "shop/web:1", "ports": ports}
    told = {"name": "web", "state": state, "imageID": "sha256:1", **status}
    helper = {"name": "helper", "state": KILLED, "ready": False}
    return {
        "metadata": {
            "name": name,
            "namespace": "shop-default",
            "labels": {"nomock/service": service},
            "creationTimestamp": f"2026-11-30T07:00:0{name[-1]}Z",
        },
        "spec": {"containers": [own, {"name": "helper"}], "restartPolicy": policy},
        "status": {"containerStatuses": [helper, told]},
    }


def leaving(found: dict[str, Any]) -> dict[str, Any]:
    found["metadata"]["deletionTimestamp"] = "2026-11-30T07:00:09Z"
    return found


@pytest.mark.parametrize(
    ("found", "state", "health"),
    [
        (pod("web-1", RUNNING, ready=True), "running", "healthy"),
        (pod("web-1", RUNNING, ready=False), "running", "starting"),
        (pod("web-1", WAITING), "created", "starting"),
        (pod("web-1", WAITING, restartCount=2), "restarting", "starting"),
        (pod("web-1", KILLED, policy="Never"), "exited", None),
        (leaving(pod("web-1", RUNNING, ready=True)), "removing", "healthy"),
        (leaving(pod("web-1", KILLED)), "removing", "starting"),
    ],
    ids=["ready", "not ready", "new", "loops", "ended", "leaves", "has left"],
)
def test_a_container_should_have_an_engines_words_when_it_is_read_from_a_pod(
    found: dict[str, Any], state: str, health: str | None
) -> None:
    (container,) = containers_of([found], Nowhere())
    assert (container.state, container.health) == (state, health)
    assert container.id == "shop-default/web-1/web"
    assert (container.service, container.image, list(container.ports.exposed)) == (
        "web",
        "shop/web:1",
        [8000],
    )


def test_replicas_should_be_numbered_by_age_when_one_of_them_leaves() -> None:
    pods = [pod("web-3", RUNNING), leaving(pod("web-1", RUNNING)), pod("web-2", RUNNING)]
    others = {"metadata": {"name": "dns"}, "spec": {}, "status": {}}
    found = containers_of([*pods, others], Nowhere())
    assert [(c.number, PodName.of(c.id).pod) for c in found] == [(1, "web-2"), (2, "web-3")]


def test_how_a_container_ended_should_be_told_when_it_runs_again() -> None:
    again = pod("web-1", RUNNING, ready=True, started=True, restartCount=1, lastState=KILLED)
    end, life, course = end_of(again), life_of(again), course_of(again)
    assert (end.exit_code, end.out_of_memory, end.restarts, end.ran_s) == (137, True, 1, 30.0)
    assert end.lives_again and (life.state, life.exit_code) == ("running", 137)
    assert (course.exit_code, course.out_of_memory) == (0, True)
    assert [event.what for event in happenings_of([again], [])] == ["oom", "die", "start"]


def test_a_pod_should_have_ended_when_an_event_says_so_and_it_is_gone() -> None:
    def killed(name: str, container: str) -> dict[str, Any]:
        about = {"name": name, "fieldPath": f"spec.containers{{{container}}}"}
        told = {"reason": "Killing", "lastTimestamp": "2026-11-30T07:00:02Z"}
        return {**told, "involvedObject": about, "message": "Stopping container"}

    pods = [pod("web-2", RUNNING)]
    events = [killed("web-1", "web"), killed("web-1", "nomock-collector"), killed("web-2", "web")]
    (started, gone) = happenings_of(pods, events)
    assert (started.what, started.container_id) == ("start", "shop-default/web-2/web")
    assert (gone.what, gone.service, gone.exit_code) == ("die", "web", None)
    assert gone.container_id == "shop-default/web-1/web"
    # The cluster says times to the second: it is not older than a test that began in that.
    assert 1.9 < gone.at_s - started.at_s < 2.1
    assert gone.at_s % 1 > 0.9


def test_a_pods_network_should_be_the_same_when_a_container_in_it_is_started_again() -> None:
    lives = [
        life_of({**found, "metadata": {**found["metadata"], "uid": uid}})
        for uid, found in (
            ("1", pod("web-1", RUNNING)),
            ("1", pod("web-1", WAITING, lastState=KILLED)),
            ("2", pod("web-1", RUNNING)),
        )
        for _ in [found["status"].update(podIP="10.1.0.7")]
    ]
    assert [life.network for life in lives] == ["1", "1", "2"]
    assert life_of(pod("web-1", WAITING)).network == ""


def test_an_ended_container_should_be_told_when_its_deployment_was_stopped() -> None:
    template = {"spec": pod("web-1", RUNNING)["spec"]}
    deployment = {
        "metadata": {
            "name": "web",
            "namespace": "shop-default",
            "labels": {"nomock/service": "web"},
            "creationTimestamp": "2026-11-30T07:00:00Z",
            "annotations": {"nomock/stopped": "2"},
        },
        "spec": {"replicas": 0, "template": template},
    }
    assert stopped_from(deployment) == 2
    (container,) = containers_of([ended_pod(deployment)], Nowhere())
    assert (container.id, container.state) == ("shop-default/web/web", "exited")


def test_what_is_only_in_a_pod_should_be_told_when_it_is_no_claim_and_not_in_memory() -> None:
    found = pod("web-1", RUNNING)
    found["spec"]["volumes"] = [
        {"name": "data", "emptyDir": {}},
        {"name": "run", "emptyDir": {"medium": "Memory"}},
        {"name": "kept", "persistentVolumeClaim": {"claimName": "kept"}},
        {"name": "unused", "emptyDir": {}},
    ]
    found["spec"]["containers"][0]["volumeMounts"] = [
        {"name": name, "mountPath": f"/{name}"} for name in ("data", "run", "kept")
    ]
    assert kept_in(found) == ["/data"]
