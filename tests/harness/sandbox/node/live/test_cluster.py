"""What a sandbox needs of a cluster is there: images, pods, Services, names, policies, access."""

from __future__ import annotations

import base64
import json
import ssl
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from live_node import Node, ask, server

FORWARD = ("kubectl", "port-forward", "--address", "127.0.0.1", "deploy/back", ":8000")


@pytest.fixture(scope="module")
def served(node: Node, image: str) -> None:
    """Three Deployments of an image of the registry, that answer."""
    names = ("front", "back", "other")
    node.apply(*(one for name in names for one in server(name, image)))
    for name in names:
        node.kubectl("rollout", "status", f"deployment/{name}", "--timeout", "120s")
        assert node.succeeds(*ask(name))  # kube-proxy knows of it a moment later


@pytest.mark.usefixtures("served")
def test_a_pod_should_reach_another_one_when_it_asks_the_name_of_its_service(node: Node) -> None:
    assert node.kubectl(*ask("back")) == "200\n"
    assert node.kubectl(*ask("back.default.svc.cluster.local")) == "200\n"


@pytest.mark.usefixtures("served")
def test_a_pod_should_reach_itself_when_it_asks_its_own_service(node: Node) -> None:
    assert node.kubectl(*ask("front")) == "200\n"


@pytest.mark.usefixtures("served")
def test_logs_should_be_those_of_the_pod_when_its_deployment_is_asked(node: Node) -> None:
    assert "it serves" in node.kubectl("logs", "deploy/back")


@pytest.mark.usefixtures("served")
def test_a_pod_should_answer_when_its_port_is_forwarded(node: Node) -> None:
    with node.begin_inside("timeout", "60", *FORWARD) as forwarding:
        assert forwarding.stdout is not None
        said = forwarding.stdout.readline()
        port = said.split("127.0.0.1:")[1].split()[0]
        get = "printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; head -n 1 <&3"
        asked = f"exec 3<>/dev/tcp/127.0.0.1/{port}; {get}"
        assert "200 OK" in node.inside("bash", "-c", asked)
        forwarding.kill()


@pytest.mark.usefixtures("served")
def test_a_pod_should_be_reached_again_when_the_policy_that_closed_it_is_gone(node: Node) -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "nobody"},
        "spec": {"podSelector": {"matchLabels": {"app": "back"}}, "policyTypes": ["Ingress"]},
    }
    assert node.succeeds(*ask("back"))
    node.apply(policy)
    assert node.fails(*ask("back"))
    assert node.kubectl(*ask("front")) == "200\n"
    node.kubectl("delete", "networkpolicy", "nobody")
    assert node.succeeds(*ask("back"))


@pytest.mark.usefixtures("served")
def test_a_pod_should_be_let_in_only_when_the_network_policy_names_it(node: Node) -> None:
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "front-only"},
        "spec": {
            "podSelector": {"matchLabels": {"app": "back"}},
            "ingress": [
                {
                    "from": [{"podSelector": {"matchLabels": {"app": "front"}}}],
                    "ports": [{"port": 8000}],
                }
            ],
        },
    }
    node.apply(policy)
    assert node.fails(*ask("back", who="other"))
    assert node.kubectl(*ask("back")) == "200\n"
    node.kubectl("delete", "networkpolicy", "front-only")


def test_a_user_should_be_let_in_only_when_the_kubeconfig_is_theirs(
    node: Node, tmp_path: Path
) -> None:
    assert node.kubeconfig.stat().st_mode & 0o777 == 0o600
    config = json.loads(node.kubeconfig.read_text(encoding="utf-8"))
    assert config["current-context"] == "nomock-local"
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    files = []
    for name in ("client-certificate-data", "client-key-data"):
        (tmp_path / name).write_bytes(base64.b64decode(user[name]))
        files.append(tmp_path / name)
    authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
    context = ssl.create_default_context(cadata=authority)
    context.load_cert_chain(*files)
    with urllib.request.urlopen(f"{cluster['server']}/api/v1/nodes", context=context) as reply:
        assert [n["metadata"]["name"] for n in json.load(reply)["items"]] == ["nomock-local"]
    stranger = ssl.create_default_context(cadata=authority)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"{cluster['server']}/api/v1/nodes", context=stranger)
