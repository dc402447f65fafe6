"""The namespace of a sandbox, and the order in which its services come."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rendering import NAMESPACE, Objects, config_of, rendered

from nomock.adapters.compose_call import Call
from nomock.config import Settings
from nomock.errors import NotPromotableError
from nomock.project import project_of
from nomock.sandbox.render import place_of, render
from nomock.sandbox.render.waves import waves


def healthy(*names: str) -> dict[str, Any]:
    return {"depends_on": {name: {"condition": "service_healthy"} for name in names}}


def test_services_should_come_in_waves_when_they_wait_for_each_other(tmp_path: Path) -> None:
    services = {
        "db": {},
        "migrate": healthy("db"),
        "web": {
            "depends_on": {
                "migrate": {"condition": "service_completed_successfully"},
                "cache": {"condition": "service_started"},
                "off": {"condition": "service_healthy", "required": False},
            }
        },
        "cache": healthy("db"),
        "edge": {"depends_on": {"web": {"condition": "service_started"}}},
    }
    assert waves(services) == {"db": 1, "migrate": 2, "web": 3, "cache": 2, "edge": 3}
    found = rendered(tmp_path, services)
    assert found.rendered.waves == [["db"], ["cache", "migrate"], ["edge", "web"]]
    assert found["Deployment web"]["metadata"]["annotations"]["nomock/wave"] == "3"
    assert found["Service web"]["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] == "3"
    assert found.names[0] == f"Namespace {NAMESPACE}"


def test_services_should_be_refused_when_they_wait_in_a_circle() -> None:
    with pytest.raises(NotPromotableError) as caught:
        waves({"a": healthy("b"), "b": healthy("c"), "c": healthy("b")})
    assert str(caught.value) == (
        "compose file: services wait for each other in a circle\n"
        "  b -> c -> b\n"
        "-> take one out of depends_on"
    )


def test_the_namespace_should_say_its_owner_and_its_end_when_it_is_rendered(
    tmp_path: Path,
) -> None:
    settings = Settings(root=tmp_path)
    project = project_of(config_of({"web": {}}), settings, Call(tmp_path))
    place = place_of("pr-7", datetime(2026, 12, 1, 8, 30, tzinfo=UTC))
    place = replace(place, tools_image="localhost:1/shop/tools@sha256:1")
    made = Objects(render(project, place, state_dir=settings.state_dir))
    assert made["Namespace nomock-pr-7"]["metadata"] == {
        "name": "nomock-pr-7",
        "labels": {"app.kubernetes.io/managed-by": "nomock", "nomock/sandbox": "pr-7"},
        "annotations": {
            "argocd.argoproj.io/sync-wave": "0",
            "nomock/expires": "2026-12-01T08:30:00+00:00",
            "nomock/tools-image": "localhost:1/shop/tools@sha256:1",
            "nomock/wave": "0",
        },
    }
    assert made["ResourceQuota sandbox"]["spec"]["hard"]["services.loadbalancers"] == "0"
    (limit,) = made["LimitRange sandbox"]["spec"]["limits"]
    assert limit == {"type": "Container", "defaultRequest": {"cpu": "10m", "memory": "32Mi"}}
    assert all(found["metadata"]["labels"]["nomock/sandbox"] == "pr-7" for found in made.all)


@pytest.mark.parametrize("id", ["", "7", "PR-7", "a_b", "a-", "a" * 57])
def test_an_id_should_be_refused_when_no_namespace_can_have_it(id: str) -> None:
    with pytest.raises(NotPromotableError) as caught:
        place_of(id)
    assert caught.value.where == f"--id {id}"
    assert caught.value.todo == (
        "small letters, digits and hyphens, a letter first, at most 56 of them"
    )
