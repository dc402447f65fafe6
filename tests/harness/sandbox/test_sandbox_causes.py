"""Why a sandbox does not become ready, read from what a real cluster (1.36.3) said of it."""

from __future__ import annotations

from typing import Any

import pytest

from nomock.sandbox.causes import Seen, causes

LABEL = "nomock/service"


def named(name: str, service: str = "web") -> dict[str, Any]:
    return {"name": name, "labels": {LABEL: service}}


def pod(status: dict[str, Any], name: str = "web-1") -> dict[str, Any]:
    return {"metadata": named(name), "status": status}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return pod(
        {"containerStatuses": [{"state": {"waiting": {"reason": reason, "message": message}}}]}
    )


def ended(reason: str, code: int, restarts: int) -> dict[str, Any]:
    last = {"terminated": {"reason": reason, "exitCode": code}}
    state = {"waiting": {"reason": "CrashLoopBackOff"}}
    return pod(
        {"containerStatuses": [{"state": state, "lastState": last, "restartCount": restarts}]}
    )


def conditioned(kind: str, status: str, message: str) -> dict[str, Any]:
    said = {"type": kind, "status": status, "message": message}
    return {"metadata": named("web"), "status": {"conditions": [said]}}


UNBOUND = "pod has unbound immediate PersistentVolumeClaims"
QUOTA = 'pods "web-5" is forbidden: exceeded quota: nomock, requested: pods=1, used: pods=4'
SEEN = {
    "quota": (
        Seen(replica_sets=[conditioned("ReplicaFailure", "True", QUOTA)]),
        ("quota exceeded", QUOTA, True),
    ),
    "no pod": (
        Seen(replica_sets=[conditioned("ReplicaFailure", "True", "is forbidden: no account")]),
        ("no pod could be made", "is forbidden: no account", True),
    ),
    "deadline": (
        Seen(deployments=[conditioned("Progressing", "False", "has timed out progressing")]),
        ("deadline exceeded", "has timed out progressing", True),
    ),
    "job": (
        Seen(jobs=[conditioned("Failed", "True", "BackoffLimitExceeded")]),
        ("it ended badly", "BackoffLimitExceeded", True),
    ),
    "pull": (
        Seen(pods=[waiting("ImagePullBackOff", "not found")]),
        ("image pull refused", "not found", True),
    ),
    "config": (
        Seen(pods=[waiting("CreateContainerConfigError", 'secret "x" not found')]),
        ("it cannot be started", 'secret "x" not found', True),
    ),
    "memory once": (
        Seen(pods=[ended("OOMKilled", 137, 1)]),
        ("out of memory", "OOMKilled with exit code 137", False),
    ),
    "memory again": (
        Seen(pods=[ended("OOMKilled", 137, 3)]),
        ("out of memory", "OOMKilled with exit code 137", True),
    ),
    "lost race": (
        Seen(pods=[ended("Error", 1, 1)]),
        ("it ends again and again", "Error with exit code 1", False),
    ),
    "room": (
        Seen(pods=[{**conditioned("PodScheduled", "False", "0/1 nodes: Insufficient cpu")}]),
        ("no room for it", "0/1 nodes: Insufficient cpu", False),
    ),
    "volume": (
        Seen(pods=[{**conditioned("PodScheduled", "False", UNBOUND)}]),
        ("volume not bound", UNBOUND, False),
    ),
    "readiness": (
        Seen(
            pods=[pod({})],
            events=[
                {
                    "involvedObject": {"name": "web-1"},
                    "reason": "Unhealthy",
                    "message": "Readiness probe failed: connection refused",
                },
                {"involvedObject": {"name": "other"}, "reason": "Unhealthy", "message": "no"},
            ],
        ),
        ("readiness never true", "Readiness probe failed: connection refused", False),
    ),
}


@pytest.mark.parametrize("case", SEEN)
def test_a_cause_should_be_named_when_the_cluster_tells_of_it(case: str) -> None:
    seen, (what, words, is_final) = SEEN[case]
    (cause,) = causes(seen, LABEL)
    assert (cause.service, cause.what, cause.seen, cause.is_final) == ("web", what, words, is_final)


def test_no_cause_should_be_named_when_all_goes_its_way() -> None:
    ready = {"name": "web", "ready": True, "state": {"running": {}}, "restartCount": 4}
    ready["lastState"] = {"terminated": {"reason": "Error", "exitCode": 1}}
    fine = conditioned("Available", "True", "Deployment has minimum availability.")
    assert causes(Seen([fine], pods=[pod({"containerStatuses": [ready]})]), LABEL) == []


def test_what_is_final_should_come_first_when_there_are_several_causes() -> None:
    seen = Seen(pods=[ended("Error", 1, 1), waiting("ErrImagePull", "denied")])
    assert [cause.what for cause in causes(seen, LABEL)] == [
        "image pull refused",
        "it ends again and again",
    ]


def test_the_pod_of_the_last_try_should_be_told_when_a_job_failed() -> None:
    tries = [
        {"metadata": {**named(name), "creationTimestamp": f"2026-11-30T12:00:0{second}Z"}}
        for name, second in (("web-b", 1), ("web-c", 2), ("web-a", 0))
    ]
    seen = Seen(jobs=[conditioned("Failed", "True", "BackoffLimitExceeded")], pods=tries)
    (cause,) = causes(seen, LABEL)
    assert (cause.what, cause.pod) == ("it ended badly", "web-c")
