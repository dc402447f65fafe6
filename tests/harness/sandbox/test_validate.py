"""Objects are checked against the schema of the cluster's version, without a cluster."""

from __future__ import annotations

from typing import Any

import pytest

from nomock.errors import ManifestError
from nomock.sandbox.validate import VERSION, validate


def deployment(**container: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"spec": {"containers": [{"name": "web", **container}]}},
        },
    }


def test_every_mistake_should_be_told_with_its_path_when_objects_are_not_valid() -> None:
    probe = {"exec": {"command": "true"}, "period": 5}
    policy = {
        "apiVersion": "networking.k8s.io/v2",
        "kind": "NetworkPolicy",
        "metadata": {"name": "n"},
    }
    with pytest.raises(ManifestError) as caught:
        validate([deployment(readinessProbe=probe, tty="yes"), deployment(), policy])
    path = "Deployment web: spec.template.spec.containers.0"
    assert str(caught.value) == (
        "rendered objects: not valid for Kubernetes 1.36\n"
        f"  {path}.readinessProbe: no period here; there are: exec, failureThreshold, grpc, "
        "httpGet, initialDelaySeconds, periodSeconds, successThreshold, tcpSocket, "
        "terminationGracePeriodSeconds, timeoutSeconds\n"
        f"  {path}.readinessProbe.exec.command: 'true' is not of type 'array', 'null'\n"
        f"  {path}.tty: 'yes' is not of type 'boolean', 'null'\n"
        "  NetworkPolicy n: there is no NetworkPolicy in networking.k8s.io/v2\n"
        "-> change what the compose file says there; where it says nothing of it, the mistake is "
        "nomock's: tell its developers"
    )


@pytest.mark.parametrize(
    ("version", "is_known"), [("1.25", False), ("v1.36.3", True), (VERSION, True), ("1.99", True)]
)
def test_a_key_should_be_refused_only_when_the_clusters_version_does_not_have_it(
    version: str, is_known: bool
) -> None:
    # A pod's own resources came with Kubernetes 1.32.
    found = deployment()
    found["spec"]["template"]["spec"]["resources"] = {"limits": {"cpu": "1"}}
    if is_known:
        validate([found], version)
        return
    with pytest.raises(ManifestError, match=r"no resources here"):
        validate([found], version)
