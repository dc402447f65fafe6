"""What others refuse or answer as nonsense is said in words, with a cure that works."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path
from select import select

import pytest
from tiny import NOMOCK, Tiny, docker, environment, idle

import nomock
from nomock.adapters.compose_call import Call
from nomock.adapters.compose_config import answer
from nomock.adapters.compose_cures import cure_of
from nomock.adapters.engine import endpoint
from nomock.errors import ComposeError, ConfigError, ForeignStackError
from nomock.pages import pages

SOURCE = Path(nomock.__file__).parent


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


def test_the_variable_should_be_the_cure_when_it_names_no_engine(tiny: Tiny) -> None:
    tiny.compose(one=idle())
    nowhere = str(tiny.path / "certificates")
    said = status(
        tiny.path,
        DOCKER_HOST="tcp://127.0.0.1:2376",
        DOCKER_TLS_VERIFY="1",
        DOCKER_CERT_PATH=nowhere,
    )
    assert nowhere in said
    assert "DOCKER_CERT_PATH is the folder of ca.pem, cert.pem and key.pem" in said
    said = status(tiny.path, DOCKER_HOST="http://127.0.0.1:2375")
    assert "DOCKER_HOST begins with unix://, tcp:// or ssh://" in said


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
        (
            "failed to create network shop_default: Error response from daemon: could not find an "
            "available, non-overlapping IPv4 address pool among the defaults",
            "no addresses for one more network",
        ),
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "what"),
    [
        ("echo nonsense", "compose's answer is no JSON"),
        ("echo of a warning >&2; exit 0", "compose's answer is no JSON"),
        ("echo {}", "compose's answer is no project"),
        ("echo []", "compose's answer is no project"),
        ('echo \'{"name": "x", "services": {"one": 3}}\'', "compose's answer is no project"),
        ("printf '\\377\\376' >&2; exit 3", "compose cannot read this"),
        ("kill -9 $$", "compose was killed by SIGKILL while it read this"),
        ("true", "compose's answer is no JSON\n  (it said nothing)"),
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


NOT_INSTALLED = "-> install its compose plugin: https://docs.docker.com/compose/install/; try it: "


@pytest.mark.slow
@pytest.mark.parametrize(
    ("client", "what", "cure"),
    [
        *(
            (
                f'#!/bin/sh\necho "{said}" >&2; exit {code}\n',
                "this docker client has no compose",
                NOT_INSTALLED + "docker compose version",
            )
            for said, code in (
                ("docker: 'compose' is not a docker command.", 1),
                ("docker: unknown command: docker compose", 1),
                ("unknown shorthand flag: 'f' in -f", 125),
                # Podman as docker, without anything that it could call.
                ("Error: looking up compose provider failed", 125),
            )
        ),
        (
            "not a program",
            "the docker client cannot be run",
            "-> see what that file is; install the client with its compose plugin: "
            "https://docs.docker.com/get-docker/",
        ),
    ],
)
def test_the_client_should_be_named_when_it_cannot_compose(
    tiny: Tiny, client: str, what: str, cure: str
) -> None:
    tiny.compose(one=idle())
    path = tiny.write("bin/docker", client)
    path.chmod(0o755)
    said = status(tiny.path, PATH=f"{path.parent}{os.pathsep}{os.environ['PATH']}")
    assert said.startswith(f"{path}: {what}\n")
    assert said.splitlines()[-1] == cure


def test_composes_answer_should_be_read_when_something_else_is_said_around_it(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = shutil.which("docker")
    client = tiny.write(
        "bin/docker",
        f'#!/bin/sh\necho "WARNING: {{odd}}"; {real} "$@"; echo "A new version is out"\n',
    )
    client.chmod(0o755)
    tiny.compose(one=idle())
    monkeypatch.setenv("PATH", str(client.parent), prepend=os.pathsep)
    assert [*tiny.stack()] == ["one"]


@pytest.mark.parametrize("text", ["[]", "3", "{", '{"currentContext": null}', ""])
def test_the_default_engine_should_be_asked_when_the_clients_settings_are_nonsense(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / "config.json").write_text(text)
    assert endpoint({"DOCKER_CONFIG": str(tmp_path)}) == "unix:///var/run/docker.sock"


def test_compose_should_be_given_up_when_it_does_not_take_the_stack_down(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.compose(one=idle(stop_grace_period="1s"))
    stack = tiny.stack(timeout_s=1)
    client = tiny.write("bin/docker", "#!/bin/sh\necho about to begin; exec sleep infinity\n")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", str(client.parent), prepend=os.pathsep)
    with pytest.raises(ComposeError) as late:
        stack.down()
    stack.close()
    assert late.value.what == "compose has not ended after 2 s"
    assert late.value.seen == "about to begin"


def test_compose_should_be_asked_again_when_its_file_is_half_written(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.compose_text("services: [half")
    whole = json.dumps({"services": {"one": idle()}})
    # What edits the file is done when compose has read it.
    client = tiny.write(
        "bin/docker",
        f"""#!/bin/sh
        {shutil.which("docker")} "$@"; code=$?
        case "$*" in *--file*) ;; *json*) echo '{whole}' > {tiny.path}/docker-compose.yml;; esac
        exit $code
        """,
    )
    client.chmod(0o755)
    monkeypatch.setenv("PATH", str(client.parent), prepend=os.pathsep)
    assert [*tiny.stack()] == ["one"]


def test_compose_should_be_ended_with_all_it_started_when_it_does_not_answer(
    tiny: Tiny,
) -> None:
    program = "sleep infinity & echo waiting as $! >&2; wait"
    with pytest.raises(ConfigError) as late:
        answer(Call(tiny.path), ["sh", "-c", program], where="here", timeout_s=5)
    assert late.value.what == "compose did not answer within 5 s"
    child = int(late.value.seen.rpartition(" ")[2])
    with suppress(ProcessLookupError):  # it is gone already
        ended = os.pidfd_open(child)
        assert select([ended], [], [], 60)[0]


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


def test_an_error_should_be_explained_when_its_name_or_its_words_are_given(
    tiny: Tiny,
) -> None:
    (tiny.path / "docker-compose.yml").write_text("no compose file: [")
    named = tiny.nomock("help", "notreadyerror")
    assert named.ret == 0
    assert named.outlines[0].startswith("NotReadyError: not all services were ready before")
    assert named.outlines[1] == "-> its log; `timeout_s`"
    by_words = tiny.nomock("help", "restarts in a loop")
    assert by_words.outlines == named.outlines
    linked = tiny.nomock("help", "UnknownEdgeError")
    assert linked.outlines[1].endswith(
        "; nomock docs faults shows how to let an edge run through it"
    )
    linked = tiny.nomock("help", "UnreachableError")
    assert linked.outlines[1].endswith("say the host: addresses (nomock docs settings)")
    wrong = tiny.nomock("help", "no such words")
    assert (wrong.ret, wrong.errlines) == (
        1,
        [
            "help: no error has 'no such words' in its name, its meaning or its cure",
            "-> nomock docs messages, for all of them",
        ],
    )


def test_a_message_should_name_nothing_of_this_checkout_when_only_the_wheel_is_there() -> None:
    texts = [text for path in SOURCE.rglob("*.py") for text in _texts(path)]
    assert [text for text in texts if re.search(r"\bdocs/[\w-]+\.md|\bjust [a-z]+-", text)] == []
    named = {name for text in texts for name in re.findall(r"nomock docs ([a-z-]+)", text)}
    assert {"faults", "coverage", "images"} <= named <= pages().keys()


def _texts(path: Path) -> list[str]:
    """Return the texts of a module but for its docstrings: what may be shown to a user."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    return [
        node.value
        for node in nodes
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docstrings
    ]
