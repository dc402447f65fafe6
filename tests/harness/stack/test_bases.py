"""An image is built anew when one that it is built upon is another now."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from tiny import IMAGE, Service, Tiny, docker, idle

from nomock.project import Project, ServiceConfig


def built(image: str, upon: str, **more: Any) -> Service:
    """A service whose image has its build context in /NAME, upon another image."""
    build = {"context": f"./{image.rpartition('-')[2]}", "dockerfile_inline": f"FROM {upon}\n"}
    build["dockerfile_inline"] += "ADD . /srv\n"
    return idle(build=build, image=image, **more)


def prepare(tiny: Tiny) -> list[str]:
    """Make the stack ready; return what was built, in order."""
    steps: list[str] = []
    with closing(tiny.stack()) as stack:
        stack.prepare(steps.append)
        assert stack.differences() == {}
    return [step for step in steps if step.startswith("building ") and ": " not in step]


@pytest.fixture
def images(tiny: Tiny) -> Iterator[str]:
    """What the names of a test's own images begin with; these are gone after it."""
    yield f"{tiny.name}-"
    names = docker("image", "ls", "--format", "{{.Repository}}", f"{tiny.name}-*").split()
    if names:
        docker("rmi", "--force", *names)


@pytest.mark.slow
@pytest.mark.parametrize("more", [{}, {"scale": 0}], ids=["with a container", "only an image"])
def test_a_service_should_be_built_upon_the_new_image_when_another_one_builds_that(
    tiny: Tiny, images: str, more: dict[str, Any]
) -> None:
    tiny.write("base/shared.txt", "old")
    tiny.write("app/own.txt", "own")
    # In an order in which compose would build the upper one first, or both at once.
    tiny.compose(
        app=built(f"{images}app", f"{images}base"), zbase=built(f"{images}base", IMAGE, **more)
    )
    assert prepare(tiny) == ["building zbase", "building app"]
    assert prepare(tiny) == []
    tiny.write("base/shared.txt", "new")
    assert tiny.stack().differences()["app"] == (
        "the image of zbase changed, which its own is built upon"
    )
    assert prepare(tiny) == ["building zbase", "building app"]
    assert tiny.stack()["app"].exec("cat", "/srv/shared.txt", "/srv/own.txt") == "newown"
    assert prepare(tiny) == []


@pytest.mark.slow
def test_a_new_image_from_elsewhere_should_be_built_upon_when_nomock_up_or_any_start_meets_it(
    tiny: Tiny, images: str
) -> None:
    def build_base(text: str) -> None:
        tiny.write("base/shared.txt", text)
        tiny.write("base/Dockerfile", f"FROM {IMAGE}\nADD . /srv\n")
        docker("build", "--quiet", "--tag", f"{images}base", str(tiny.path / "base"))

    def shared() -> str:
        return tiny.stack()["app"].exec("cat", "/srv/shared.txt")

    build_base("old")
    tiny.write("app/own.txt", "own")
    tiny.compose(app=built(f"{images}app", f"{images}base"))
    assert prepare(tiny) == ["building app"]
    assert tiny.nomock("status").ret == 0
    build_base("new")
    # A warm run asks the engine once, and that answer has no images: as it was.
    assert tiny.stack().differences() == {}
    status = tiny.nomock("status")
    assert status.ret == 1
    reason = f"there is a new {images}base, which its image is built upon"
    status.stdout.fnmatch_lines([f"app *{reason}"])
    assert tiny.nomock("up").ret == 0
    assert shared() == "new"
    assert tiny.nomock("status").ret == 0
    build_base("newer")
    docker("rm", "--force", tiny.containers()["app"])
    assert prepare(tiny) == ["building app"], "whatever starts it builds it first"
    assert shared() == "newer"
    docker("rmi", "--force", f"{images}base")
    assert tiny.nomock("status").ret == 0, "that it is not here any more tells nothing"


def test_bases_should_be_known_when_dockerfiles_and_contexts_name_them(tiny: Tiny) -> None:
    tiny.write("Dockerfile", "ARG UPON=shop:1\nFROM $UPON AS one\nCOPY --from=docker.io/tool . .\n")
    builds: dict[str, dict[str, Any]] = {
        "app": {"context": str(tiny.path)},
        "arg": {"context": str(tiny.path), "args": {"UPON": "scratch"}},
        "named": {
            "context": "https://example.org/app.git",
            "additional_contexts": {"a": "service:app", "b": "docker-image://shop:1"},
        },
        "base": {"context": str(tiny.path), "dockerfile_inline": "FROM itself\nFROM round\n"},
        "round": {"context": str(tiny.path), "dockerfile_inline": "FROM shop:1"},
    }
    images = {"base": "shop:1", "round": "round"}
    services = {
        name: ServiceConfig(name, {"build": build, **_image(images.get(name))}, "p")
        for name, build in builds.items()
    }
    project = Project("p", (), services, frozenset())
    assert {name: project.builds.bases(name) for name in builds} == {
        "app": ["base"],
        "arg": [],
        "named": ["app", "base"],
        "base": ["round"],
        "round": ["base"],
    }
    assert project.builds.others("app") == ["docker.io/tool"]
    assert project.builds.others("arg") == ["scratch", "docker.io/tool"]
    assert sorted(project.to_build) == sorted(builds), "each once, a circle too"
    assert project.to_build.index("base") < project.to_build.index("app")


def _image(name: str | None) -> dict[str, str]:
    return {} if name is None else {"image": name}
