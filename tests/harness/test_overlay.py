"""The overlays that add the spy: the reference stack's, and the one that the docs tell to write."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import IMAGE

from nomock.harvest import harvest, new_run, prepare, source_of

ROOT = Path(__file__).parents[2]
APP = Path(__file__).parent / "spy_app"


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


def test_only_python_services_should_change_when_the_overlay_is_added(
    plain: Mapping[str, Any], spied: Mapping[str, Any]
) -> None:
    changed = {name for name in spied if spied[name] != plain.get(name)}
    built = {name for name, service in plain.items() if "build" in service}
    assert changed == built


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
        if source_of(name, service) is not None:
            assert service["environment"]["NOMOCK_SPY_SERVICE"] == name


def test_only_python_services_should_change_when_the_run_does() -> None:
    files = ("docker-compose.yml", "docker-compose.coverage.yml")
    one, two = (resolved(ROOT, *files, NOMOCK_SPY_RUN=run) for run in ("one", "two"))
    changed = {name for name in one if one[name] != two[name]}
    assert changed == {name for name, service in one.items() if "build" in service}


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """A compose project of somebody else, with the overlay as the docs have it."""
    shutil.copytree(APP, tmp_path / "web")
    shutil.copytree(ROOT / "coverage-spy", tmp_path / "coverage-spy")
    (tmp_path / "compose.yml").write_text(FOREIGN, encoding="utf-8")
    (tmp_path / "overlay.yml").write_text(_overlay_of_the_docs(), encoding="utf-8")
    prepare(tmp_path / ".nomock/coverage")
    environment = {
        "COMPOSE_FILE": "compose.yml:overlay.yml",
        "COMPOSE_PROJECT_NAME": f"nomock-test-overlay-{os.getpid()}",
        "PYTHON_IMAGE": IMAGE,
        "NOMOCK_SPY_RUN": new_run(),
    }
    try:
        yield tmp_path, environment
    finally:
        compose(tmp_path, environment, "down", "--volumes", "--rmi", "local")


def compose(folder: Path, environment: Mapping[str, str], *words: str) -> None:
    command = ["docker", "compose", *words]
    subprocess.run(command, cwd=folder, env={**os.environ, **environment}, check=True)


def test_the_lines_should_be_there_when_the_overlay_is_written_as_the_docs_say(
    foreign: tuple[Path, dict[str, str]],
) -> None:
    folder, environment = foreign
    compose(folder, environment, "up", "--build", "--exit-code-from", "web")
    services = resolved(folder, **environment)
    found = harvest(
        folder / ".nomock/coverage",
        {n: s for n, config in services.items() if (s := source_of(n, config)) is not None},
        environment["NOMOCK_SPY_RUN"],
    )
    assert found.failure is None
    (web,) = found.services
    assert web == replace(found.total, name="web")
    assert found.total.covered > 0


def _overlay_of_the_docs() -> str:
    text = (ROOT / "docs/coverage.md").read_text(encoding="utf-8")
    indented = text.partition("write the overlay for each Python service:\n\n")[2]
    block = indented.partition("\n\n")[0]
    assert block.startswith("    services:")
    return textwrap.dedent(block)


FOREIGN = """
services:
  web:
    build:
      context: ./web
      args: {PYTHON_IMAGE: "${PYTHON_IMAGE}"}
    command: [python3, shapes.py]
"""
