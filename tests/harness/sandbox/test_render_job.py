"""Services that run to their end, and how often they are tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rendering import rendered, web

from nomock.sandbox.render import Image


@pytest.mark.parametrize(
    ("said", "policy", "tries"),
    [
        ({}, "Never", 1),
        ({"restart": "no"}, "Never", 1),
        ({"restart": "on-failure"}, "OnFailure", 6),
        ({"restart": "on-failure:2"}, "OnFailure", 2),
        ({"deploy": {"restart_policy": {"condition": "none"}}}, "Never", 1),
        (
            {"deploy": {"restart_policy": {"condition": "on-failure", "max_attempts": 4}}},
            "OnFailure",
            4,
        ),
    ],
)
def test_a_service_should_be_a_job_when_another_waits_for_its_end(
    tmp_path: Path, said: dict[str, Any], policy: str, tries: int
) -> None:
    check = {"test": ["CMD", "true"]}
    waits = {"migrate": {"condition": "service_completed_successfully", "required": True}}
    services = {"web": {"depends_on": waits}, "migrate": {"healthcheck": check, **said}}
    found = rendered(tmp_path, services)
    (job,) = found.of_kind("Job")
    assert job["spec"]["backoffLimit"] == tries
    pod = job["spec"]["template"]["spec"]
    assert pod["restartPolicy"] == policy
    assert "readinessProbe" not in pod["containers"][0]
    assert "Service migrate" not in found.names
    assert "Deployment migrate" not in found.names
    assert found.lost == []


def test_a_service_should_be_left_out_when_it_is_scaled_to_0(tmp_path: Path) -> None:
    # compose gives it no container, either; nobody asks for its image.
    services = {
        "web": {"depends_on": {"off": {"condition": "service_healthy"}}},
        "off": {"scale": 0},
    }
    found = rendered(tmp_path, services, image_of={"web": Image("shop")}.__getitem__)
    assert "Deployment off" not in found.names
    assert found["Deployment web"]["metadata"]["annotations"]["nomock/wave"] == "1"


def test_a_job_should_have_a_new_name_when_it_runs_something_else(tmp_path: Path) -> None:
    # No Job can be changed: the same name would be refused.
    def name(**said: Any) -> str:
        said = {"deploy": {"mode": "replicated-job"}, **said}
        (job,) = web(tmp_path, **said).of_kind("Job")
        found = job["metadata"]["name"]
        assert isinstance(found, str)
        return found

    assert name() == name()
    assert name() != name(command=["other"])
    assert name().startswith("web-")
