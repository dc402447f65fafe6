"""Names that are taken or not allowed, and data that stay: each is said with a cure that works."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from foreign import Foreign
from tiny import IMAGE, docker

Copy = Callable[..., Foreign]


def test_the_cure_should_be_a_name_when_compose_can_make_none_of_the_folder(foreign: Copy) -> None:
    project = foreign("till", folder="Проект")
    refused = project.pytest("-q")
    assert refused.code == 6, refused.text
    assert "a line `name: shop` at the top of the compose file, or COMPOSE_PROJECT_NAME=" in refused
    cure = f"name: shop-{os.getpid()}\n"
    project.write("docker-compose.yml", cure + (project.path / "docker-compose.yml").read_text())
    done = project.pytest("-q")
    assert done.code == 0, done.text


@pytest.mark.slow
def test_the_other_container_should_be_named_when_it_has_the_name_of_ours(foreign: Copy) -> None:
    project = foreign("till")
    name = f"the-{project.path.name}"
    compose = (project.path / "docker-compose.yml").read_text()
    project.write("docker-compose.yml", f"{compose}    container_name: {name}\n")
    docker("create", "--name", name, IMAGE, "true")
    try:
        refused = project.pytest("-q")
        assert refused.code == 6, refused.text
        assert f"{name} is a container of no compose project" in refused
        assert f"docker rm -f {name}" in refused
    finally:
        docker("rm", "--force", name)
    done = project.pytest("-q")
    assert done.code == 0, done.text


def test_a_project_should_be_refused_when_another_file_of_its_folder_has_its_name(
    foreign: Copy,
) -> None:
    project = foreign("till")
    infra = f"services: {{cache: {{image: {IMAGE}, command: sleep infinity, init: true}}}}\n"
    project.write("docker-compose.infra.yml", infra)
    assert project.compose("--file", "docker-compose.infra.yml", "up", "--detach").code == 0
    refused = project.pytest("-q")
    assert refused.code == 6, refused.text
    assert "docker-compose.infra.yml" in refused
    assert "name:" in refused
    compose = (project.path / "docker-compose.yml").read_text()
    project.write("docker-compose.yml", f"name: {project.path.name}-2\n{compose}")
    done = project.pytest("-q")
    assert done.code == 0, done.text
    assert len(project.projects()) == 2


def test_what_a_fresh_stack_keeps_should_be_named_when_it_is_in_no_volume(foreign: Copy) -> None:
    project = foreign("till")
    compose = (project.path / "docker-compose.yml").read_text()
    project.write(
        "docker-compose.yml",
        compose.replace(
            '"./till.py:/srv/till.py:ro"', '"./till.py:/srv/till.py:ro", "./data:/data"'
        ),
    )
    project.write("data/kept", "1")
    done = project.pytest("--stack", "fresh")
    assert done.code == 0, done.text
    assert "not emptied, as these are no volumes of the stack: ./data (till)" in done
    assert (project.path / "data/kept").exists()
