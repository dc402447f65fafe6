"""A public host: the route and the door to a service, and that it is what is asked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_cluster import FakeCluster, fake_cluster
from rendering import NAMESPACE, rendered

from nomock.adapters.kubernetes import Pods, connect
from nomock.errors import NotPromotableError, PromotionError
from nomock.sandbox.endpoint import check_live
from nomock.sandbox.validate import validate

OPTIONS = {"gateway": "infra/sandboxes", "hosts": {"web": "sandbox-{id}.example.com"}}
WEB = {"image": "a", "ports": [{"target": 8080}], "expose": ["80"]}


def test_a_service_should_have_a_route_and_a_door_when_it_has_a_host(tmp_path: Path) -> None:
    found = rendered(tmp_path, {"web": WEB, "db": {"image": "b"}}, **{"x-nomock": OPTIONS})
    (route,) = found.of_kind("HTTPRoute")
    id_ = NAMESPACE.removeprefix("nomock-")
    assert (route["metadata"]["name"], route["metadata"]["namespace"]) == ("web", NAMESPACE)
    assert route["spec"] == {
        "parentRefs": [{"namespace": "infra", "name": "sandboxes"}],
        "hostnames": [f"sandbox-{id_}.example.com"],
        "rules": [{"backendRefs": [{"name": "web", "port": 8080}]}],
    }
    (door,) = (p for p in found.of_kind("NetworkPolicy") if p["metadata"]["name"] == "public-web")
    assert door["spec"]["ingress"] == [{"ports": [{"port": 8080, "protocol": "TCP"}]}]
    assert door["spec"]["podSelector"]["matchLabels"] == {"nomock/service": "web"}
    validate([route, door])


def test_a_host_should_be_refused_when_no_gateway_leads_there(tmp_path: Path) -> None:
    with pytest.raises(NotPromotableError, match="public hosts need a Gateway"):
        rendered(tmp_path, {"web": WEB}, **{"x-nomock": {"hosts": OPTIONS["hosts"]}})


def test_a_host_should_be_refused_when_no_port_is_known(tmp_path: Path) -> None:
    with pytest.raises(NotPromotableError, match="none is known of this service"):
        rendered(tmp_path, {"web": {"image": "a"}}, **{"x-nomock": OPTIONS})


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    with fake_cluster() as found:
        yield found


def test_the_host_should_be_asked_and_not_the_pod_when_a_service_is_public(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    pods = Pods(connect("fake", cluster.kubeconfig(tmp_path / "kubeconfig")), NAMESPACE)
    with pytest.raises(PromotionError) as refused:
        check_live(
            pods,
            NAMESPACE,
            {},
            {"web": (8080, "/health")},
            {"web": "127.0.0.1:1"},
            within_s=0,
            show=lambda line: None,
        )
    assert refused.value.seen == ("web: https://127.0.0.1:1/health: [Errno 111] Connection refused")
