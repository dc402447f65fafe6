"""Who reaches whom, under which name and at which port."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rendering import Objects, rendered, web

from nomock.errors import NotPromotableError
from nomock.sandbox.render import Image


def port(number: int, protocol: str = "TCP", **more: str) -> dict[str, Any]:
    """A port of a Service."""
    name = f"{protocol.lower()}-{number}"
    return {"name": name, "port": number, "targetPort": number, "protocol": protocol, **more}


def ports_of(found: Objects, name: str) -> list[int]:
    return [p["port"] for p in found[f"Service {name}"]["spec"].get("ports", [])]


def test_a_service_should_have_a_port_when_it_publishes_or_exposes_it(tmp_path: Path) -> None:
    found = web(
        tmp_path,
        ports=[
            {"mode": "ingress", "host_ip": "127.0.0.1", "target": 8000, "published": "80"},
            {"target": 53, "protocol": "udp", "name": "dns", "app_protocol": "dns"},
        ],
        expose=["9000", "9100/udp", "7000-7001"],
    )
    assert found["Service web"]["spec"] == {
        "selector": {"nomock/service": "web"},
        "ports": [
            port(53, "UDP", name="dns", appProtocol="dns"),
            port(7000),
            port(7001),
            port(8000),
            port(9000),
            port(9100, "UDP"),
        ],
    }
    assert found.container()["ports"][0] == {"containerPort": 53, "protocol": "UDP"}
    assert found.lost == []


def test_ports_should_have_names_of_their_own_when_the_file_has_one_twice(tmp_path: Path) -> None:
    ports = [{"target": number, "name": name} for number, name in ((1, "a"), (2, "a"), (3, "A"))]
    found = web(tmp_path, ports=[*ports, {"target": 4, "name": "tcp-3"}])
    names = [port["name"] for port in found["Service web"]["spec"]["ports"]]
    assert names == ["a", "tcp-2", "tcp-3", "tcp-4"]
    assert found.lost == [("web", "ports.name")]


def test_a_service_should_have_the_ports_of_its_image_when_the_file_names_none(
    tmp_path: Path,
) -> None:
    image = Image("db", ports=("5432/tcp", "53/udp"))
    services = {"db": {}, "other": {"expose": ["1"]}}
    found = rendered(tmp_path, services, image_of=lambda name: image)
    assert found["Service db"]["spec"]["ports"] == [port(53, "UDP"), port(5432)]
    assert ports_of(found, "other") == [1]


def test_a_service_should_have_a_port_when_others_name_it_there(tmp_path: Path) -> None:
    (tmp_path / "edges.json").write_text('[{"upstream": "db:5433"}]', encoding="utf-8")
    mount = {
        "type": "bind",
        "source": str(tmp_path / "edges.json"),
        "target": "/edges.json",
        "read_only": True,
    }
    found = rendered(
        tmp_path,
        {
            "db": {"image": "db:17", "ports": [{"target": 5432}]},
            "cache": {},
            "web": {
                "image": "registry:5000/cache:7",
                "environment": {
                    "REDIS_URL": "redis://me:1@cache:6379/0",
                    "SEARCH_HOST": "search",
                    "SEARCH_PORT": "9200",
                    "TIME": "12:30",
                },
                "command": ["--database", "db:5434,not-db:1,db:70000"],
                "volumes": [mount],
            },
            "search": {},
        },
    )
    assert ports_of(found, "db") == [5432, 5433, 5434]
    assert ports_of(found, "cache") == [6379]
    assert ports_of(found, "search") == [9200]
    assert ports_of(found, "web") == []


def test_a_service_should_be_headless_when_no_port_of_it_is_known(tmp_path: Path) -> None:
    # Then its name is that of its pods, as in Docker, and every port of theirs is reached.
    found = rendered(
        tmp_path,
        {"web": {}, "api": {"expose": ["80"], "deploy": {"endpoint_mode": "dnsrr"}}},
    )
    assert found["Service web"]["spec"] == {
        "clusterIP": "None",
        "selector": {"nomock/service": "web"},
    }
    assert found["Service api"]["spec"]["clusterIP"] == "None"


def test_other_names_of_a_service_should_be_services_when_they_can_be(tmp_path: Path) -> None:
    found = rendered(
        tmp_path,
        {
            "db": {
                "container_name": "shop-db",
                "networks": {"back": {"aliases": ["database", "db.example.org", "same"]}},
            },
            "cache": {"networks": {"back": {"aliases": ["same", "web"]}}},
            "web": {"links": ["db:store", "cache"], "networks": {"back": None}},
        },
    )
    services = sorted(name for name in found.names if name.startswith("Service "))
    assert services == [
        "Service cache",
        "Service database",
        "Service db",
        "Service shop-db",
        "Service store",
        "Service web",
    ]
    assert found["Service store"]["spec"]["selector"] == {"nomock/service": "db"}
    assert [(line.service, line.key, line.value) for line in found.rendered.report.lines] == [
        ("cache", "networks.back.aliases", "same"),
        ("cache", "networks.back.aliases", "web"),
        ("db", "networks.back.aliases", "db.example.org"),
        ("db", "networks.back.aliases", "same"),
    ]


def test_a_name_should_be_told_when_it_is_no_dns_label(tmp_path: Path) -> None:
    found = rendered(tmp_path, {"web_app": {}, "2048": {}})
    assert {"Deployment web-app", "Service s-2048"} <= set(found.names)
    # Its labels have the name of the compose file, by which nomock asks for it.
    labels = found["Deployment web-app"]["metadata"]["labels"]
    assert labels["nomock/service"] == "web_app"
    assert labels["app.kubernetes.io/name"] == "web-app"
    assert found["Service web-app"]["spec"]["selector"] == {"nomock/service": "web_app"}
    line = found.rendered.report.lines[1]
    assert (line.service, line.key) == ("web_app", "(its name)")
    assert line.meaning == "it is web-app there; who asks for web_app does not find it"


def test_names_should_be_cut_when_they_are_longer_than_kubernetes_has_them(tmp_path: Path) -> None:
    long = "a" * 62 + "_" + "b" * 40
    found = rendered(
        tmp_path,
        {
            long: {
                "environment": {"TOKEN": "t"},
                "deploy": {"mode": "replicated-job"},
                "networks": {long: None},
                "user": "1000",
                "volumes": [{"type": "volume", "source": long, "target": "/data"}],
                "secrets": [{"source": long}],
            },
            f"x{long}": {"hostname": long},
        },
        networks={long: {}},
        volumes={long: {}},
        secrets={long: {"environment": "X"}},
        **{"x-nomock": {"claims": {long: "1Gi"}}},
    )
    (job,) = found.of_kind("Job")
    assert job["metadata"]["name"].startswith("a" * 54 + "-")
    assert "Service " + "x" + "a" * 62 in found.names


def test_names_should_be_refused_when_two_would_be_the_same(tmp_path: Path) -> None:
    with pytest.raises(NotPromotableError) as caught:
        rendered(tmp_path, {"web_app": {}, "web-app": {}})
    assert str(caught.value) == (
        "compose file: these services would have one name in a sandbox, web-app\n"
        "  web-app, web_app\n"
        "-> rename one: names differ there by small letters, digits and hyphens alone"
    )


def test_a_service_should_be_reached_only_when_a_network_is_shared_with_it(tmp_path: Path) -> None:
    services = {
        "web": {"networks": {"front": None, "back_end": None}},
        "db": {"networks": {"back_end": None}},
        "alone": {"network_mode": "none"},
    }
    found = rendered(tmp_path, services)
    policies = {p["metadata"]["name"]: p["spec"] for p in found.of_kind("NetworkPolicy")}
    inside = {"matchLabels": {"network.nomock/back-end": "in"}}
    assert policies["closed"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    assert policies["network-back-end"] == {
        "podSelector": inside,
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": inside}]}],
    }
    assert sorted(policies) == ["closed", "network-back-end", "network-front"]

    def networks(name: str) -> list[str]:
        labels = found[f"Deployment {name}"]["spec"]["template"]["metadata"]["labels"]
        return sorted(key for key in labels if key.startswith("network.nomock/"))

    assert networks("web") == ["network.nomock/back-end", "network.nomock/front"]
    assert networks("db") == ["network.nomock/back-end"]
    assert networks("alone") == []
    assert found.lost == [("alone", "network_mode")]


def test_a_service_should_reach_nothing_outside_when_all_its_networks_are_internal(
    tmp_path: Path,
) -> None:
    services = {
        "db": {"networks": {"back": None}},
        "web": {"networks": {"back": None, "front": None}},
        "alone": {"network_mode": "none"},
    }
    networks = {"back": {"internal": True}, "front": {}}
    found = rendered(tmp_path, services, networks=networks)

    def is_inside(name: str) -> bool:
        labels = found[f"Deployment {name}"]["spec"]["template"]["metadata"]["labels"]
        return "nomock/inside" in labels

    assert [name for name in services if is_inside(name)] == ["db"]
    assert found["NetworkPolicy inside"]["spec"] == {
        "podSelector": {"matchLabels": {"nomock/inside": "true"}},
        "policyTypes": ["Egress"],
        "egress": [
            {"to": [{"podSelector": {}}]},
            {
                "to": [{"namespaceSelector": {}}],
                "ports": [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}],
            },
        ],
    }
    assert found.lost == [("alone", "network_mode")]
    assert "NetworkPolicy inside" not in rendered(tmp_path, {"web": {}}).names
