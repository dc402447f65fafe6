"""Argo CD beside the node brings what is in the registry into the cluster."""

from __future__ import annotations

import json
from typing import Any

import pytest
from live_node import Node
from oci import push_manifests

NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "by-argo"}}


def told(text: str) -> dict[str, Any]:
    """What is to be in the cluster."""
    metadata = {"name": "told", "namespace": "by-argo"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"text": text}}


def application(revision: str) -> dict[str, Any]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "told", "namespace": "argocd"},
        "spec": {
            "project": "default",
            "source": {
                "repoURL": "oci://127.0.0.1:5000/told",
                "targetRevision": revision,
                "path": ".",
            },
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "by-argo"},
            "syncPolicy": {"automated": {"prune": True}},
        },
    }


@pytest.fixture(scope="module")
def with_argocd(node: Node) -> Node:
    node.local("--argo")
    return node


def test_an_application_should_be_synced_and_healthy_when_a_revision_was_pushed(
    with_argocd: Node,
) -> None:
    node = with_argocd
    for text in ("first", "second"):
        revision = push_manifests(node.registry, "told", [NAMESPACE, told(text)])
        node.apply(application(revision))

        def is_done(revision: str = revision) -> bool:
            found = json.loads(node.kubectl("get", "-n", "argocd", "app/told", "-o", "json"))
            status = found.get("status", {})
            return (
                status.get("sync", {}).get("revision") == revision
                and status["sync"]["status"] == "Synced"
                and status.get("health", {}).get("status") == "Healthy"
                and status.get("operationState", {}).get("phase") == "Succeeded"
            )

        assert node.comes_to(is_done), node.kubectl("get", "-n", "argocd", "app/told", "-o", "yaml")
        data = node.kubectl("get", "-n", "by-argo", "cm/told", "-o", "jsonpath={.data.text}")
        assert data == text


def test_the_node_should_keep_argocd_when_it_is_called_without(with_argocd: Node) -> None:
    with_argocd.local()
    assert "argocd" in with_argocd.containers
