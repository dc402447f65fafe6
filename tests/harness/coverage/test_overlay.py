"""The reference stack's overlay: what it changes, and that it is what nomock overlay writes."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from places import ROOT
from tiny import NOMOCK, docker

from nomock.coverage.overlay.text import is_as_written

ROOT = ROOT


def resolved(folder: Path, *files: str, **variables: str) -> dict[str, Mapping[str, Any]]:
    """Return the services of a compose project as compose resolves them."""
    named = [word for file in files for word in ("--file", file)]
    out = subprocess.run(
        ["docker", "compose", *named, "config", "--format", "json"],
        cwd=folder,
        env={**os.environ, **variables},
        check=True,
        stdout=subprocess.PIPE,
    ).stdout
    services = json.loads(out)["services"]
    assert isinstance(services, dict)
    return services


@pytest.fixture(scope="module")
def plain() -> dict[str, Mapping[str, Any]]:
    return resolved(ROOT, "docker-compose.yml")


@pytest.fixture(scope="module")
def spied() -> dict[str, Mapping[str, Any]]:
    return resolved(ROOT, "docker-compose.yml", "docker-compose.coverage.yml")


def python_services(services: Mapping[str, Any]) -> set[str]:
    """Return those whose Python is to be covered: all that are built, but for the equipment."""
    return {name for name, service in services.items() if "build" in service} - {"httpfaults"}


def test_only_python_services_should_change_when_the_overlay_is_added(
    plain: Mapping[str, Any], spied: Mapping[str, Any]
) -> None:
    changed = {name for name in spied if spied[name] != plain.get(name)}
    assert changed == python_services(plain)


def test_nothing_but_environment_and_mounts_should_change_when_the_overlay_is_added(
    plain: Mapping[str, Any], spied: Mapping[str, Any]
) -> None:
    for name, service in spied.items():
        changed = {key for key in service if service[key] != plain[name].get(key)}
        assert changed <= {"environment", "volumes"}, name


def test_every_service_should_report_under_its_name_when_it_has_a_spy(
    spied: Mapping[str, Any],
) -> None:
    for name, service in spied.items():
        if "NOMOCK_SPY_OUT" in (service.get("environment") or {}):
            assert service["environment"]["NOMOCK_SPY_SERVICE"] == name


def test_only_python_services_should_change_when_the_run_does() -> None:
    files = ("docker-compose.yml", "docker-compose.coverage.yml")
    one, two = (resolved(ROOT, *files, NOMOCK_SPY_RUN=run) for run in ("one", "two"))
    changed = {name for name in one if one[name] != two[name]}
    assert changed == python_services(one)


@pytest.mark.slow
def test_the_overlay_should_be_the_committed_one_when_the_command_writes_it(
    spied: Mapping[str, Any], tmp_path: Path
) -> None:
    """On images of its own: the reference stack need not be there."""
    project = f"nomock-t-{uuid4().hex[:8]}"
    compose = ["docker", "compose", "--project-name", project]
    try:
        subprocess.run([*compose, "build", "--quiet"], cwd=ROOT, check=True)
        overlay = [NOMOCK, "--project", project, "overlay", "--output"]
        done = subprocess.run([*overlay, "-"], cwd=ROOT, check=True, capture_output=True, text=True)
        written = tmp_path / "overlay.yml"
        written.write_text(done.stdout, encoding="utf-8")
        assert resolved(ROOT, "docker-compose.yml", str(written)) == spied
        # It is committed as it was written, so that the next `nomock overlay` may replace it.
        assert is_as_written((ROOT / "docker-compose.coverage.yml").read_text(encoding="utf-8"))
    finally:  # not by compose's down, which takes no image of a project without a container
        ours = f"label=com.docker.compose.project={project}"
        docker("image", "rm", "--force", *docker("image", "ls", "-q", "--filter", ours).split())
