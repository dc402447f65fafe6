"""A run and its stack: started when it is not there, attached to when it is, left warm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny import LISTENS, Tiny, docker, idle, server

ASKS = """
    def test_web_should_answer(stack):
        assert stack["web"].http.get("/").status_code == 200
"""
RUNS = """
    def test_something(stack):
        pass
"""


def header(tiny: Tiny, result: pytest.RunResult) -> list[str]:
    lines = [line for line in result.outlines if line.startswith("nomock:")]
    return [tiny.plain(line) for line in lines]


def test_a_run_should_start_the_stack_and_the_next_attach_when_nothing_changed(
    tiny: Tiny, docker_calls: Path
) -> None:
    once = idle("true")
    depends = {"once": {"condition": "service_completed_successfully"}}
    tiny.compose(once=once, web=server(healthcheck=LISTENS, depends_on=depends))
    tiny.tests(ASKS)

    first = tiny.run()
    first.assert_outcomes(passed=1)
    assert header(tiny, first)[0] == (
        "nomock: stack NAME: owned, will be started when a test needs it"
    )
    assert "starting once (not running), web (not running)" in first.outlines
    started = tiny.containers()
    assert tiny.states() == {"once": "exited", "web": "running"}

    docker_calls.write_text("")
    second = tiny.run()
    second.assert_outcomes(passed=1)
    assert header(tiny, second)[0] == "nomock: stack NAME: attached"
    assert tiny.containers() == started
    assert docker_calls.read_text() == ""


@pytest.mark.parametrize(
    ("tests", "arguments"),
    [(RUNS, ["--collect-only"]), ("def test_plain(): pass", []), (RUNS, ["-k", "no_such_test"])],
    ids=["collect only", "no test needs it", "none is chosen"],
)
def test_a_run_should_start_nothing_when_no_test_that_uses_the_stack_runs(
    tiny: Tiny, tests: str, arguments: list[str]
) -> None:
    tiny.compose(only=idle())
    tiny.tests(tests)
    tiny.run(*arguments)
    tiny.run(*arguments, "-n1")
    assert tiny.containers() == {}


def test_volumes_should_be_empty_when_the_stack_is_to_be_fresh(tiny: Tiny) -> None:
    tiny.compose_text(f"""
        services:
          only:
            image: {idle()["image"]}
            command: sh -c "echo started >> /data/log; exec sleep infinity"
            init: true
            stop_signal: SIGKILL
            network_mode: none
            volumes: ["data:/data"]
        volumes: {{data: {{}}}}
    """)
    tiny.tests("""
        def test_the_volume(stack):
            stack["only"].exec("sh", "-c", "echo ran >> /data/log")
            print("LOG", stack["only"].exec("cat", "/data/log").split())
    """)
    assert "LOG ['started', 'ran']" in tiny.run("-s").stdout.str()
    assert "LOG ['started', 'ran', 'ran']" in tiny.run("-s").stdout.str()
    fresh = tiny.run("-s", "--stack=fresh")
    assert "LOG ['started', 'ran']" in fresh.stdout.str()
    assert header(tiny, fresh)[0] == (
        "nomock: stack NAME: owned, will be started from empty volumes"
    )
    assert "nomock: settings stack=fresh (option)" in header(tiny, fresh)


@pytest.mark.parametrize("command", ["exec sleep infinity", "exit 3"], ids=["green", "broken"])
def test_nothing_should_be_left_when_the_run_owns_the_stack(tiny: Tiny, command: str) -> None:
    one = idle(command, volumes=["data:/data"])
    del one["network_mode"]
    tiny.compose_text(json.dumps({"services": {"one": one}, "volumes": {"data": {}}}))
    tiny.tests(RUNS)
    tiny.run("--stack=own")
    label = ("--filter", f"label=com.docker.compose.project={tiny.name}")
    left = [docker(what, "ls", "-q", *label) for what in ("container", "network", "volume")]
    assert left == ["", "", ""]


def test_a_volume_that_was_there_should_be_kept_when_the_run_owns_the_stack(tiny: Tiny) -> None:
    one = idle(volumes=["data:/data"])
    tiny.compose_text(json.dumps({"services": {"one": one}, "volumes": {"data": {}}}))
    tiny.tests(RUNS)
    tiny.run().assert_outcomes(passed=1)
    tiny.run("--stack=own").assert_outcomes(passed=1)
    label = f"label=com.docker.compose.project={tiny.name}"
    assert docker("volume", "ls", "-q", "--filter", label).split() == [f"{tiny.name}_data"]
    assert tiny.containers() == {}


def test_a_service_should_be_started_again_when_it_was_killed(tiny: Tiny) -> None:
    tiny.compose(lost=idle(), kept=idle())
    tiny.tests(RUNS)
    tiny.run().assert_outcomes(passed=1)
    before = tiny.containers()
    docker("kill", before["lost"])

    result = tiny.run()
    result.assert_outcomes(passed=1)
    assert "starting lost (exited with code 137)" in result.outlines
    assert tiny.states() == {"lost": "running", "kept": "running"}
    assert tiny.containers()["kept"] == before["kept"]


def test_the_stack_should_be_started_again_when_all_of_it_was_stopped(tiny: Tiny) -> None:
    tiny.compose(one=server(), two=idle(), once=idle("true"))
    tiny.tests(RUNS)
    tiny.run().assert_outcomes(passed=1)
    docker("stop", *tiny.containers().values())
    tiny.run().assert_outcomes(passed=1)
    assert tiny.states() == {"one": "running", "two": "running", "once": "exited"}


def test_a_removed_container_should_be_made_again_when_the_others_run(tiny: Tiny) -> None:
    tiny.compose(lost=idle(), kept=idle())
    tiny.tests(RUNS)
    tiny.run().assert_outcomes(passed=1)
    before = tiny.containers()
    docker("rm", "-f", before["lost"])
    tiny.run().assert_outcomes(passed=1)
    assert tiny.states() == {"lost": "running", "kept": "running"}
    assert tiny.containers()["kept"] == before["kept"]


def test_a_stack_should_be_attached_to_when_compose_itself_had_started_it(tiny: Tiny) -> None:
    tiny.compose(only=idle())
    docker("compose", "--project-directory", str(tiny.path), "up", "-d", "--quiet-pull")
    before = tiny.containers()
    tiny.tests(RUNS)
    tiny.run().assert_outcomes(passed=1)
    assert tiny.containers() == before
