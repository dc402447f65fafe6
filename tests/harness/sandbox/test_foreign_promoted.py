"""The foreign projects of nomock's own tests as sandboxes: rendered, valid, nothing vital lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from places import APPS
from rendering import Objects

from nomock.loading import load
from nomock.project import resolve
from nomock.sandbox.render import place_of, render

PROJECTS = sorted(path.parent.name for path in APPS.glob("foreign_projects/*/*compose*.y*ml"))


@pytest.mark.parametrize("name", sorted(set(PROJECTS)))
def test_a_foreign_project_should_lose_nothing_that_it_lives_by_when_it_is_rendered(
    tmp_path: Path, no_settings: None, name: str
) -> None:
    shutil.copytree(APPS / "foreign_projects" / name, tmp_path / name)
    settings = load(tmp_path / name)
    project = resolve(settings)
    found = Objects(render(project, place_of("t1"), state_dir=settings.state_dir))
    assert {o["metadata"]["labels"].get("nomock/service") for o in found.all} == {
        None,
        *project.wanted,
    }
    kept = {"stop_signal", "volumes", "network_mode", "depends_on.vpn.restart"}
    assert {key for _, key in found.lost} <= kept
