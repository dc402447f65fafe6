"""What others refuse or answer as nonsense is said in words, with a cure that works."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from conftest import NOMOCK, Tiny, docker, environment, idle

from nomock.adapters.compose_call import Call, answer
from nomock.adapters.compose_cures import cure_of
from nomock.errors import ComposeError, ConfigError, ForeignStackError
from nomock.pages import pages


def status(folder: Path, **variables: str) -> str:
    """Return what `nomock status` says on standard error; it is to fail with an error of ours."""
    done = subprocess.run(
        [NOMOCK, "status"], cwd=folder, env=environment(**variables), capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_name_should_be_the_cure_when_the_folder_gives_none(tiny: Tiny) -> None:
    (tiny.path / ".env").unlink()
    folder = tiny.write("Проект/docker-compose.yml", json.dumps({"services": {"one": idle()}}))
    said = status(folder.parent)
    assert "project name must not be empty" in said
    assert "a line `name: shop` at the top of the compose file, or COMPOSE_PROJECT_NAME=" in said


def test_the_contexts_should_be_the_cure_when_the_docker_context_is_gone(tiny: Tiny) -> None:
    tiny.compose(one=idle())
    assert "-> docker context ls" in status(tiny.path, DOCKER_CONTEXT="gone")


def test_the_other_container_should_be_named_when_a_containers_name_is_taken(tiny: Tiny) -> None:
    name = f"{tiny.name}-the-till"
    labels = ["--label", f"com.docker.compose.project={tiny.name}-other"]
    labels += ["--label", "com.docker.compose.project.working_dir=/srv/other"]
    tiny.compose(one=idle(container_name=name))
    docker("create", "--name", name, *labels, idle()["image"], "true")
    try:
        stack = tiny.stack()
        with pytest.raises(ComposeError) as refused:
            stack.prepare()
        stack.close()
    finally:
        docker("rm", "--force", name)
    assert refused.value.seen.splitlines()[-1] == (
        f"{name} is a container of the compose project {tiny.name}-other in /srv/other"
    )
    assert refused.value.todo.startswith(f"if nobody needs that one: docker rm -f {name}; or ")


def test_the_folder_should_be_named_as_the_cause_when_two_files_of_it_have_one_name() -> None:
    same = ForeignStackError("shop", theirs="/a/one.yml,/a/more.yml", ours="/a/two.yml")
    assert same.todo == (
        "both are of one folder, from which they have the name: a line `name: …` at the top of "
        "each mends it, where no COMPOSE_PROJECT_NAME goes before it; or end the other: "
        "docker compose -p shop down"
    )
    other = ForeignStackError("shop", theirs="/b, c/two.yml", ours="/a/two.yml")
    assert other.todo.startswith("give this one a name of its own: COMPOSE_PROJECT_NAME, or ")


@pytest.mark.parametrize(
    ("said", "part"),
    [
        ('invalid project name "A b": must consist only of lowercase', "COMPOSE_PROJECT_NAME=shop"),
        ("Bind for 0.0.0.0:8001 failed: all ports are allocated", "another program has that port"),
        ("pull access denied for nowhere/web, repository does not", "docker compose pull"),
    ],
)
def test_a_cure_should_be_known_when_compose_refuses(said: str, part: str) -> None:
    assert part in cure_of(said)


def test_what_is_kept_should_be_said_when_the_stack_is_to_be_fresh(tiny: Tiny) -> None:
    mounts = ["./data:/data", "./code:/code:ro", "own:/own", "/var/run/docker.sock:/run/d.sock"]
    text = {"services": {"one": idle(volumes=mounts)}, "volumes": {"own": {}}}
    tiny.compose_text(json.dumps(text))
    tiny.write("code/x", "")
    tiny.tests("def test_one(stack): pass")
    result = tiny.run("--stack=fresh")
    result.assert_outcomes(passed=1)
    assert "not emptied, as these are no volumes of the stack: ./data (one)" in result.outlines


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ("echo nonsense", "compose's answer is no JSON"),
        ("echo of a warning >&2; exit 0", "compose's answer is no JSON"),
        ("echo {}", "compose's answer is no project"),
        ("echo []", "compose's answer is no project"),
        ('echo \'{"name": "x", "services": {"one": 3}}\'', "compose's answer is no project"),
        ("printf '\\377\\376' >&2; exit 3", "compose cannot read this"),
        ("kill -9 $$", "compose cannot read this\n  it ended with -9"),
    ],
)
def test_compose_should_be_named_when_it_answers_nonsense(
    tiny: Tiny, script: str, what: str
) -> None:
    tiny.compose(one=idle())
    (tiny.path / ".env").unlink()
    client = tiny.write("bin/docker", f"#!/bin/sh\n{script}\n")
    client.chmod(0o755)
    said = status(tiny.path, PATH=f"{client.parent}{os.pathsep}{os.environ['PATH']}")
    assert said.startswith(f"{tiny.path}/docker-compose.yml: {what}\n")
    assert said.splitlines()[-1].startswith("-> docker compose ")


def test_compose_should_be_ended_with_all_it_started_when_it_does_not_answer(
    tiny: Tiny,
) -> None:
    program = "sleep infinity & echo waiting as $! >&2; wait"
    with pytest.raises(ConfigError) as late:
        answer(Call(tiny.path), ["sh", "-c", program], where="here", timeout_s=5)
    assert late.value.what == "compose did not answer within 5 s"
    child = int(late.value.seen.rpartition(" ")[2])
    stat = Path(f"/proc/{child}/stat")
    # Its parent is gone, too: where nobody waits for it, it stays as a zombie.
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_the_next_run_should_look_again_when_the_file_was_edited_while_it_was_started(
    tiny: Tiny,
) -> None:
    tiny.compose(one=idle(environment={"COLOR": "red"}))
    stack = tiny.stack()
    stack.prepare(
        before_start=lambda: tiny.compose(one=idle(environment={"COLOR": "blue"})),
    )
    assert stack["one"].exec("printenv", "COLOR") == "blue\n"
    stack.close()
    tiny.compose(one=idle(environment={"COLOR": "red"}))
    again = tiny.stack()
    assert again.differences().keys() == {"one"}
    again.prepare()
    assert again["one"].exec("printenv", "COLOR") == "red\n"
    assert again.differences() == {}
    again.close()


def test_every_page_should_be_printed_when_it_is_asked_for_as_errors_name_it(tiny: Tiny) -> None:
    assert {"faults", "coverage", "messages"} <= pages().keys()
    done = tiny.nomock("docs", "docs/faults.md")
    assert (done.ret, done.outlines[0]) == (0, "# Faults")
    listed = tiny.nomock("docs")
    assert [line.split()[0] for line in listed.outlines[1:]] == [*pages()]
    wrong = tiny.nomock("docs", "nowhere")
    assert (wrong.ret, wrong.errlines[0]) == (1, "docs: there is no page 'nowhere'")
