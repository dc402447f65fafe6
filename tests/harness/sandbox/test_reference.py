"""The reference stack as a sandbox: every key accounted for, every object valid."""

from __future__ import annotations

from functools import cache

import pytest
from places import ROOT
from rendering import Objects

from nomock.errors import NotPromotableError
from nomock.loading import load
from nomock.project import Project, resolve
from nomock.sandbox.equipment import refuse_equipment
from nomock.sandbox.render import Image, place_of, render

OVERLAYS = ("docker-compose.coverage.yml", "docker-compose.traces.yml")
IMAGES = {
    "postgres": Image("r/postgres@sha256:1", users={"postgres": "999:999"}, stop_signal="SIGINT"),
    "redis": Image("r/redis@sha256:2", users={"redis": "998:998"}),
}
STOP_SIGNAL = (
    "postgres",
    "stop_signal",
    "SIGINT",
    "not all clusters can choose a signal",
    "the image's own STOPSIGNAL, or SIGTERM",
)


@cache
def project(*overlays: str) -> Project:
    files = [str(ROOT / name) for name in ("docker-compose.yml", *overlays)] if overlays else None
    return resolve(load(ROOT, {"files": files}))


def rendered(*overlays: str, told: bool = False) -> Objects:
    """The reference stack; ``told``: with what the promotion knows of its images."""
    found = project(*overlays)

    def image_of(name: str) -> Image:
        return IMAGES.get(name) or Image(f"r/{name}@sha256:0")

    state_dir = load(ROOT).state_dir
    place = place_of("t1")
    return Objects(render(found, place, state_dir=state_dir, image_of=image_of if told else None))


def test_only_three_keys_should_be_lost_when_the_reference_stack_is_rendered() -> None:
    found = rendered()
    user = (
        "Kubernetes takes numbers alone",
        "the image's own user, unless the promotion finds its number in the image",
    )
    assert [tuple(line) for line in map(_parts, found.rendered.report.lines)] == [
        STOP_SIGNAL,
        ("postgres", "user", "postgres", *user),
        ("redis", "user", "redis", *user),
    ]


def test_the_reference_stack_should_lose_nothing_when_the_promotion_asked_the_images() -> None:
    found = rendered(told=True)
    assert found.lost == []
    assert found.pod("postgres")["securityContext"]["runAsUser"] == 999
    assert found.container("auth")["image"] == "r/auth@sha256:0"
    (owner,) = found.pod("postgres")["initContainers"]
    assert owner["command"] == ["chown", "999:999", "/nomock-volumes/volume-postgres-data"]
    others = [d for d in found.of_kind("Deployment") if d["metadata"]["name"] != "postgres"]
    assert "initContainers" not in str(others)


def test_services_should_come_in_the_order_of_compose_when_the_reference_stack_is_rendered() -> (
    None
):
    assert rendered().rendered.waves == [
        ["httpfaults", "postgres", "redis", "toxiproxy"],
        ["mcp", "migrate"],
        ["auth", "billing", "instances", "worker"],
    ]


def test_every_edge_should_have_its_port_when_the_reference_stack_is_rendered() -> None:
    found = rendered()

    def ports(name: str) -> list[int]:
        return [port["port"] for port in found[f"Service {name}"]["spec"].get("ports", [])]

    http = [18001, 18002, 18003, 18004, 18005]
    edges = [15432, 15433, 15434, 15435, 15436, 16379, *http]
    assert ports("toxiproxy") == [8474, *edges]
    assert ports("httpfaults") == [8475, *http]
    assert ports("postgres") == [5432]
    assert ports("redis") == [6379]
    assert ports("auth") == [8000]
    assert found["Service worker"]["spec"]["clusterIP"] == "None"


def test_no_secret_should_stand_outside_a_secret_when_the_reference_stack_is_rendered() -> None:
    found = rendered()
    others = str([o for o in found.all if o["kind"] != "Secret"])
    assert "auth_service" not in others
    assert "-database-password" not in others
    assert "-client-secret" not in others
    assert "whsec_" not in others
    assert len(found.of_kind("Secret")) == 7


@pytest.mark.parametrize("overlays", [OVERLAYS[:1], OVERLAYS[1:], OVERLAYS])
def test_equipment_should_come_along_when_its_overlay_is_there(overlays: tuple[str, ...]) -> None:
    found = rendered(*overlays, told=True)
    assert found.lost == []
    names = {c["metadata"]["name"].rpartition("-")[0] for c in found.of_kind("ConfigMap")}
    assert ("coverage-spy" in names) == (OVERLAYS[0] in overlays)
    assert ("Deployment jaeger" in found.names) == (OVERLAYS[1] in overlays)
    if OVERLAYS[0] in overlays:
        mounts = {m["mountPath"]: m for m in found.container("auth")["volumeMounts"]}
        volumes = {v["name"]: v for v in found.pod("auth")["volumes"]}
        assert mounts["/nomock-spy"]["readOnly"] is True
        # What it writes is fetched from the pod; what earlier runs wrote is not its business.
        assert volumes[mounts["/nomock-spy-data"]["name"]]["emptyDir"] == {}
        paths = [i["path"] for i in volumes[mounts["/nomock-spy"]["name"]]["configMap"]["items"]]
        assert "sitecustomize.py" in paths
        assert "nomock_spy/cores/monitoring.py" in paths


def test_equipment_should_be_refused_when_a_target_is_a_release() -> None:
    with pytest.raises(NotPromotableError) as caught:
        refuse_equipment(project(OVERLAYS[0]).config)
    assert str(caught.value) == (
        "compose files: equipment of tests is not promoted to a release\n"
        "  auth: the coverage spy\n"
        "  billing: the coverage spy\n"
        "  httpfaults: the proxy of HTTP faults, by its port 8475\n"
        "  instances: the coverage spy\n"
        "  mcp: the coverage spy\n"
        "  migrate: the coverage spy\n"
        "  toxiproxy: Toxiproxy, by its port 8474\n"
        "  worker: the coverage spy\n"
        "-> promote the compose files without the overlays of tests and without the services that "
        "break the network"
    )


def test_equipment_should_be_known_by_its_image_when_its_port_is_not_named() -> None:
    config = {"services": {"proxy": {"image": "ghcr.io/shopify/toxiproxy:2.12.0"}}}
    with pytest.raises(NotPromotableError) as caught:
        refuse_equipment(config)
    assert caught.value.seen == "proxy: Toxiproxy, by its image"
    refuse_equipment({"services": {"web": {"image": "shop:1", "environment": {"A": "b"}}}})


def _parts(line: object) -> tuple[str, ...]:
    return tuple(vars(line).values())
