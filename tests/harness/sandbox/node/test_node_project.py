"""The compose project of the local node: one for each user, and nothing of it outside loopback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tiny import NOMOCK

from nomock.project import resolve
from nomock.sandbox.node.project import NODE, REGISTRY, folder, project, project_name


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_settings: None) -> Path:
    """A user's cache of this test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_the_node_should_be_published_on_loopback_alone_when_compose_resolves_it() -> None:
    found = resolve(project(("node:1", "registry:1")))
    services = {name: service.config for name, service in found.services.items()}
    ports = [(port["host_ip"], port["target"]) for port in services[NODE]["ports"]]
    assert ports == [("127.0.0.1", 6443), ("127.0.0.1", 5000)]
    assert services[REGISTRY]["network_mode"] == f"service:{NODE}"
    assert "ports" not in services[REGISTRY]
    assert {name: service["image"] for name, service in services.items()} == {
        NODE: "node:1",
        REGISTRY: "registry:1",
    }


def test_a_user_should_have_another_node_when_the_cache_folder_is_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ours = project_name()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "theirs"))
    assert project_name() != ours


def test_the_file_should_keep_its_images_when_the_node_is_taken_down() -> None:
    project(("node:1", "registry:1"))
    written = (folder() / "docker-compose.yml").read_text(encoding="utf-8")
    project()
    assert (folder() / "docker-compose.yml").read_text(encoding="utf-8") == written


def test_taking_down_should_say_so_when_there_is_no_node(tmp_path: Path) -> None:
    command = [NOMOCK, "sandbox", "local", "--down"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "there was no local node\n"), done.stderr


def test_nothing_of_a_sandbox_should_be_imported_when_a_command_is_read() -> None:
    asked = (
        "import sys; from nomock.cli.command_line import command_line; command_line();"
        "print([name for name in sys.modules if name.startswith('nomock.sandbox')])"
    )
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
