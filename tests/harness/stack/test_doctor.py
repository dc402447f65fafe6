"""`nomock doctor`: each trouble of a project with its line, the reason and the cure."""

from __future__ import annotations

import os
import shutil
from typing import Any

import pytest
from schemas import checked
from tiny import IMAGE, Tiny, idle

FILE = f"""\
services:
  web:
    build: .
    image: {IMAGE}
    command: [python3, -I, -c, "import time; time.sleep(1e6)"]
    environment:
      TOKEN: ${{WEB_TOKEN_OF_NOBODY}}
    depends_on: [checked, store, job]
    stop_signal: SIGKILL
  checked:
    image: {IMAGE}
    container_name: NAME-checked
    command: [sleep, infinity]
    stop_signal: SIGKILL
    ports:
      - "8000"
    healthcheck:
      test: [CMD-SHELL, "curl -f http://localhost:8000"]
      interval: 20s
  redis:
    image: redis:8
  store:
    image: {IMAGE}
    expose: ["5432"]
    command: [sleep, infinity]
  job:
    image: {IMAGE}
    command: [sleep, infinity]
"""


def told(tiny: Tiny) -> dict[str, list[dict[str, Any]]]:
    done = tiny.nomock("doctor", "--json")
    found: dict[str, list[dict[str, Any]]] = checked("doctor", done.stdout.str())
    certain = [one for some in found.values() for one in some if one["is_certain"]]
    assert done.ret == (1 if certain else 0)
    return found


def test_each_trouble_should_be_named_with_its_line_when_a_project_has_many(tiny: Tiny) -> None:
    tiny.compose_text(FILE.replace("NAME", tiny.name))
    tiny.write("Dockerfile", f"FROM {IMAGE}\n")
    tiny.write(".venv/pyvenv.cfg", "")
    tiny.write("tests/test_web.py", "")
    found = told(tiny)
    lines = {name: [(t["where"], t["what"]) for t in some] for name, some in found.items()}
    at = "docker-compose.yml"
    assert lines == {
        "versions": [],
        "variables": [(f"{at}:7", "WEB_TOKEN_OF_NOBODY is not set")],
        "addresses": [
            (f"{at}:16", "checked publishes port 8000 on all addresses of this machine"),
            (f"{at}:21", "redis publishes no port"),
        ],
        "health checks": [
            (
                f"{at}:17",
                "the health check of checked is asked for the first time after 20s",
            )
        ],
        "first start": [],
        "order of start": [
            (
                f"{at}:8",
                "web starts as soon as the container of checked does, ready or not",
            ),
            (
                f"{at}:8",
                "web starts as soon as the container of store does, ready or not, and store has "
                "no health check to wait for",
            ),
        ],
        "build contexts": [
            (f"{at}:3", "the build context of web has no .dockerignore"),
            (f"{at}:3", "the build context of web holds the tests"),
        ],
        "coverage": [
            (f"{at}:5", "web cannot be covered: -I in its command: Python then reads no PYTHONPATH")
        ],
        "more than one stack": [
            (
                f"{at}:12",
                f"checked has the container_name {tiny.name}-checked, and no two containers can "
                "have one name",
            )
        ],
    }
    assert all(trouble["cure"] for some in found.values() for trouble in some)


def test_a_trouble_should_be_placed_in_the_users_file_when_nomock_wrote_one(tiny: Tiny) -> None:
    tiny.compose_text(FILE.replace("NAME", tiny.name))
    tiny.write("Dockerfile", f"FROM {IMAGE}\n")
    assert tiny.nomock("edges", "--init").ret == 0
    races = told(tiny)["order of start"]
    assert {race["where"] for race in races} == {"docker-compose.yml:8"}


def test_the_versions_should_be_told_when_all_is_well_and_when_compose_is_too_old(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.compose(only=idle(labels={"nomock.edges": "equipment"}, ports=["8000"]))
    done = tiny.nomock("doctor")
    assert done.ret == 0
    done.stdout.fnmatch_lines(["stack *, engine *.* (API 1.*) at *, compose 2.*"])
    assert "addresses: nothing" in done.outlines

    docker = shutil.which("docker")
    says = f'case "$*" in *" version"*) echo v2.20.3;; *) exec {docker} "$@";; esac'
    path = tiny.write("bin/docker", f"#!/bin/sh\n{says}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")
    [old] = told(tiny)["versions"]
    assert (old["where"], old["what"]) == ("compose 2.20.3", "it is older than 2.23.1")


def test_a_health_check_should_be_called_broken_when_its_program_is_not_there(tiny: Tiny) -> None:
    check = {"test": ["CMD-SHELL", "curl -f http://localhost:8000"], "start_period": "30s",
             "interval": "30s", "start_interval": "200ms"}  # fmt: skip
    service = {"image": IMAGE, "command": ["sleep", "infinity"], "stop_signal": "SIGKILL"}
    tiny.compose(web={**service, "healthcheck": check})
    assert told(tiny)["health checks"] == []
    assert tiny.pytester.run("docker", "compose", "up", "--detach").ret == 0
    [trouble] = told(tiny)["health checks"]
    assert trouble["what"].startswith("the health check of web cannot work: ")
    assert "curl" in trouble["what"]
    done = tiny.nomock("doctor")
    assert done.ret == 1
    done.stdout.fnmatch_lines(["  ! service web: the health check of web cannot work: *"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("test", "is_told"),
    [
        ("pg_isready -U postgres", True),
        ("pg_isready -U postgres -h 127.0.0.1", False),
        ("mysqladmin ping --silent", True),
        ("mysqladmin ping -h localhost", True),
        ("mysqladmin ping --host=127.0.0.1", False),
        ("true", False),
    ],
)
def test_a_health_check_should_be_named_when_others_wait_for_it_and_it_passes_too_early(
    tiny: Tiny, test: str, is_told: bool
) -> None:
    store = idle(healthcheck={"test": ["CMD-SHELL", test], "interval": "1s"})
    web = idle(depends_on={"store": {"condition": "service_healthy"}})
    tiny.compose(web=web, store=store, alone=store)
    whats = [trouble["what"] for trouble in told(tiny)["first start"]]
    expected = "the health check of store passes while it still makes its data"
    assert whats == ([expected] if is_told else [])
