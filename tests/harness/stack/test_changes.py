"""What changed since the stack was started is brought up to date, and nothing else is touched."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tiny import IMAGE, Tiny, clear, docker, idle, inspect

from nomock.adapters.engine import Engine
from nomock.errors import BuildError, ServiceDiedError


def prepare(tiny: Tiny) -> list[str]:
    """Make the stack ready as a run does, and return the steps it took."""
    steps: list[str] = []
    stack = tiny.stack()
    try:
        stack.prepare(steps.append)
    finally:
        stack.close()
    return steps


@pytest.fixture
def built(tiny: Tiny) -> Tiny:
    """A service that is built of a context and an additional one, beside one that is not."""
    app = idle(build={"context": "app", "additional_contexts": {"shared": "./shared"}})
    tiny.compose(app=app, other=idle())
    tiny.write("app/Dockerfile", f"FROM {IMAGE}\nCOPY . /app\nCOPY --from=shared . /shared\n")
    tiny.write("app/.dockerignore", "*.md\n")
    tiny.write("app/code.txt", "1")
    tiny.write("shared/code.txt", "1")
    prepare(tiny)
    return tiny


@pytest.mark.parametrize(
    ("changed", "inside"),
    [("app/code.txt", "/app/code.txt"), ("shared/code.txt", "/shared/code.txt")],
    ids=["context", "additional context"],
)
def test_only_the_service_should_be_built_and_recreated_when_its_context_changed(
    built: Tiny, changed: str, inside: str
) -> None:
    before = built.containers()
    built.write(changed, "2")
    steps = prepare(built)
    after = built.containers()
    assert built.stack()["app"].exec("cat", inside) == "2"
    assert after["other"] == before["other"]
    assert after["app"] != before["app"]
    assert steps[0] == "building app"
    assert f"starting app (build context changed - {changed})" in steps


@pytest.mark.slow
def test_the_image_before_should_be_gone_when_its_service_was_built_again(built: Tiny) -> None:
    engine = Engine()
    before = engine.image_id(f"{built.name}-app")
    assert before is not None
    built.write("app/code.txt", "2")
    prepare(built)
    assert engine.image_id(f"{built.name}-app") not in {None, before}
    assert engine.image_id(before) is None


def up_calls(calls: Path) -> list[str]:
    """Return what the compose processes of a run were to do, without the files' names."""
    return [
        re.sub(r"^compose .*?(up|build|config)", r"\1", c)
        for c in calls.read_text().split("\n")
        if c
    ]


def test_a_service_should_be_built_and_replaced_by_one_process_when_its_context_changed(
    built: Tiny, docker_calls: Path
) -> None:
    built.write("app/code.txt", "2")
    prepare(built)
    assert up_calls(docker_calls) == ["up --detach --build --no-deps app"]
    # Compose itself finds nothing to do after it: neither the image nor the container is another.
    image, containers = Engine().image_id(f"{built.name}-app"), built.containers()
    docker("compose", "build", "--quiet")
    docker("compose", "up", "--detach", "--no-build")
    assert Engine().image_id(f"{built.name}-app") == image
    assert built.containers() == containers
    assert prepare(built) == []


def test_a_one_shot_should_not_run_again_when_another_service_changed(tiny: Tiny) -> None:
    tiny.write("app/Dockerfile", f"FROM {IMAGE}\nCOPY . /app\n")
    tiny.write("app/code.txt", "1")
    tiny.compose(
        migrate=idle("date +%N"),
        app=idle(
            build="app", depends_on={"migrate": {"condition": "service_completed_successfully"}}
        ),
    )
    prepare(tiny)
    began = inspect(tiny.containers()["migrate"])["State"]["StartedAt"]
    tiny.write("app/code.txt", "2")
    prepare(tiny)
    assert tiny.stack()["app"].exec("cat", "/app/code.txt") == "2"
    assert inspect(tiny.containers()["migrate"])["State"]["StartedAt"] == began


def test_who_is_to_start_again_with_a_service_should_do_so_when_that_is_replaced(
    tiny: Tiny,
) -> None:
    tiny.write("app/Dockerfile", f"FROM {IMAGE}\nCOPY . /app\n")
    tiny.write("app/code.txt", "1")
    after = {"app": {"condition": "service_started", "restart": True}}
    tiny.compose(app=idle(build="app"), client=idle(depends_on=after))
    prepare(tiny)
    began = inspect(tiny.containers()["client"])["State"]["StartedAt"]
    tiny.write("app/code.txt", "2")
    prepare(tiny)
    assert inspect(tiny.containers()["client"])["State"]["StartedAt"] != began


def test_the_error_should_be_the_builders_when_a_changed_context_does_not_build(
    built: Tiny,
) -> None:
    built.write("app/Dockerfile", f"FROM {IMAGE}\nRUN echo no such luck && false\n")
    before = built.containers()
    with pytest.raises(BuildError) as caught:
        prepare(built)
    assert "no such luck" in str(caught.value)
    assert built.containers() == before


def test_the_service_should_be_named_when_it_dies_of_a_change(built: Tiny) -> None:
    app = f'FROM {IMAGE}\nENTRYPOINT ["sh", "-c", "echo it broke; exit 3"]\n'
    built.write("app/Dockerfile", app)
    with pytest.raises(ServiceDiedError) as caught:
        prepare(built)
    assert "it broke" in str(caught.value)
    built.write("app/Dockerfile", f"FROM {IMAGE}\n")
    prepare(built)
    assert built.states() == {"app": "running", "other": "running"}


def test_nothing_should_be_asked_of_docker_when_only_an_ignored_file_changed(
    built: Tiny, docker_calls: Path
) -> None:
    before = built.containers()
    built.write("app/README.md", "2")
    assert prepare(built) == []
    assert built.containers() == before
    assert docker_calls.read_text() == ""


def test_the_image_should_be_built_again_when_it_was_removed(built: Tiny) -> None:
    clear(built.name)
    steps = prepare(built)
    assert steps[0] == "building app"
    assert built.states() == {"app": "running", "other": "running"}


def test_only_the_service_should_be_recreated_when_its_configuration_changed(tiny: Tiny) -> None:
    tiny.compose(one=idle(environment={"COLOR": "red"}), other=idle())
    prepare(tiny)
    before = tiny.containers()
    # It says an error code when it is stopped: a service that is replaced is not one that died.
    tiny.compose(one=idle(environment={"COLOR": "blue"}), other=idle())
    steps = prepare(tiny)
    assert steps[0] == "starting one (configuration changed)"
    assert tiny.stack()["one"].exec("printenv", "COLOR") == "blue\n"
    assert tiny.containers()["other"] == before["other"]


def test_only_the_service_should_be_recreated_when_a_file_that_it_mounts_changed(
    tiny: Tiny,
) -> None:
    tiny.write("one.conf", "1")
    tiny.write("folder/any", "1")
    mounts = ["./one.conf:/one.conf:ro", "./folder:/folder:ro"]
    tiny.compose(one=idle(volumes=mounts), other=idle())
    prepare(tiny)
    before = tiny.containers()

    tiny.write("folder/any", "2")  # seen by the service as it is
    assert prepare(tiny) == []
    tiny.write("one.conf", "2")
    steps = prepare(tiny)
    assert steps[0] == "recreating one: a mounted file changed"
    assert tiny.containers()["other"] == before["other"]
    assert tiny.containers()["one"] != before["one"]


def test_a_service_should_be_recreated_when_a_config_or_secret_file_of_it_changed(
    tiny: Tiny,
) -> None:
    tiny.write("one.conf", "1")
    tiny.write("one.secret", "1")
    tiny.compose_text(f"""
        services:
          one:
            image: {IMAGE}
            command: sleep infinity
            init: true
            stop_signal: SIGKILL
            network_mode: none
            configs: [conf]
            secrets: [key]
        configs: {{conf: {{file: one.conf}}}}
        secrets: {{key: {{file: one.secret}}}}
    """)
    prepare(tiny)
    for name in ("one.conf", "one.secret"):
        before = tiny.containers()
        tiny.write(name, "2")
        assert prepare(tiny)[0] == "recreating one: a mounted file changed"
        assert tiny.containers() != before
    assert prepare(tiny) == []


def test_a_removed_service_should_not_hinder_when_its_container_is_still_there(
    tiny: Tiny,
) -> None:
    tiny.compose(kept=idle(), gone=idle())
    prepare(tiny)
    tiny.compose(kept=idle())
    prepare(tiny)
    stack = tiny.stack()
    assert stack.differences() == {}
    assert list(stack) == ["kept"]
