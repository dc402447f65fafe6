"""What Kubernetes does not read of an image is asked of the engine that has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from tiny import IMAGE, settled_image

from nomock.adapters.engine import Engine
from nomock.project import ServiceConfig
from nomock.sandbox.image_facts import image_with_facts
from nomock.sandbox.render import Image

POSTGRES = settled_image("POSTGRES_IMAGE", "nomock/postgres:17")
TOXIPROXY = settled_image("TOXIPROXY_IMAGE", "nomock/toxiproxy:2.12.0")
VOLUME = {"type": "volume", "source": "data", "target": "/data"}


def facts(image: str, **service: Any) -> Image:
    engine = Engine()
    config = engine.image_config(image)
    assert config is not None
    return image_with_facts(engine, ServiceConfig("db", service, "shop"), config, "r/db@sha256:1")


@pytest.fixture
def own_image() -> Iterator[str]:
    """An image that says more of itself than those of the reference stack do."""
    name = f"nomock-t-{uuid4().hex[:8]}"
    engine = Engine()
    changes = [
        "USER daemon:audio",
        "STOPSIGNAL SIGQUIT",
        'HEALTHCHECK --interval=1500ms --retries=4 CMD ["true"]',
        "EXPOSE 9000/udp",
    ]
    created = engine._call("POST", "/containers/create", json={"Image": IMAGE, "Cmd": ["true"]})
    try:
        asked = {"container": created["Id"], "repo": name, "changes": "\n".join(changes)}
        engine._call("POST", "/commit", asked)
        yield name
    finally:
        engine._call("DELETE", f"/containers/{created['Id']}")
        engine._call("DELETE", f"/images/{name}", {"force": "1"})


def test_facts_that_pods_need_should_be_told_when_an_image_has_them(own_image: str) -> None:
    assert facts(own_image, group_add=["staff", 7, "nobodys"], volumes=[VOLUME]) == Image(
        "r/db@sha256:1",
        ports=("9000/udp",),
        user="daemon:audio",
        users={"daemon": "1:1"},
        groups={"audio": "29", "staff": "50"},
        stop_signal="SIGQUIT",
        has_chown=True,
        healthcheck={"test": ["CMD", "true"], "interval": "1.5s", "retries": 4},
    )


def test_the_user_should_be_that_of_the_compose_file_when_it_names_one() -> None:
    found = facts(POSTGRES, user="postgres")
    assert found.users == {"postgres": "999:999"}
    assert found.stop_signal == "SIGINT"
    assert found.ports == ("5432/tcp",)


def test_an_image_should_not_be_looked_into_when_its_users_are_numbers() -> None:
    class Asked(Engine):
        def run_alone(self, *arguments: Any) -> Any:
            raise AssertionError(arguments)

        def file_of_image(self, *arguments: Any) -> Any:
            raise AssertionError(arguments)

    config = Engine().image_config(POSTGRES)
    assert config is not None
    service = ServiceConfig("db", {"user": "10001:10001", "group_add": ["5"]}, "shop")
    assert image_with_facts(Asked(), service, config, "db").users == {}


def test_no_users_and_no_chown_should_be_told_when_an_image_has_one_program() -> None:
    found = facts(TOXIPROXY, user="toxiproxy:nobodys", volumes=[VOLUME])
    assert (found.users, found.groups, found.has_chown) == ({}, {}, False)
