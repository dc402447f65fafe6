"""What goes wrong outside is said in whole sentences: what, where, what was seen, what to do."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tiny import IMAGE, Tiny, idle, server

from nomock.adapters.compose import cure_of
from nomock.adapters.engine import Engine
from nomock.errors import (
    BuildError,
    ComposeError,
    ConfigError,
    EngineError,
    EngineMissingError,
    ForeignStackError,
    NomockError,
    UnknownServiceError,
)

START_IT = (
    "-> start it (Docker Desktop, or: systemctl start docker), or choose another: "
    "docker context use, DOCKER_HOST"
)


def error_of(tiny: Tiny, kind: type[NomockError]) -> str:
    stack = tiny.stack()
    with pytest.raises(kind) as caught:
        stack.prepare()
    stack.close()
    return tiny.plain(str(caught.value))


@pytest.fixture
def silent_socket() -> Iterator[str]:
    """The path of a socket that accepts and never answers; a short one, as sockets want."""
    with TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listening:
        path = f"{folder}/engine.sock"
        listening.bind(path)
        listening.listen()
        yield path


def test_the_run_should_say_how_to_start_the_engine_when_none_answers(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.compose(one=idle())
    tiny.tests("def test_one(stack): pass\ndef test_plain(): pass")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent")
    result = tiny.run()
    assert result.ret == 6
    assert (
        "nomock: no look at the stack: engine at unix:///nonexistent: no container engine answers"
        in result.outlines
    )
    text = (
        "engine at unix:///nonexistent: no container engine answers\n"
        "  [Errno 2] No such file or directory\n" + START_IT
    )
    assert text in result.stdout.str() + result.stderr.str()
    # A run that needs no stack does not care.
    tiny.run("-k", "plain").assert_outcomes(passed=1, deselected=1)


def test_an_engine_should_be_called_missing_when_its_port_is_closed() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(EngineMissingError) as caught:
            Engine(address).containers("any")
    assert str(caught.value) == (
        f"engine at {address}: no container engine answers\n"
        "  [Errno 111] Connection refused\n" + START_IT
    )


def test_an_engine_should_be_given_up_when_it_accepts_and_never_answers(
    silent_socket: str,
) -> None:
    with pytest.raises(EngineError) as caught:
        Engine(f"unix://{silent_socket}", timeout_s=0.2).exit_state("x")
    assert str(caught.value) == (
        f"engine at unix://{silent_socket}: the engine did not answer within 0.2 s\n"
        "  GET /containers/x/json\n"
        "-> look at the engine's own log; restart it"
    )


def test_an_engine_should_be_given_up_soon_when_it_gives_no_sign_of_life_either(
    silent_socket: str,
) -> None:
    with pytest.raises(EngineError) as caught:  # it may take two minutes to stop a container
        Engine(f"unix://{silent_socket}").stop("x")
    assert str(caught.value) == (
        f"engine at unix://{silent_socket}: the engine hangs: for 9 s it gave no answer, "
        "and no sign of life\n"
        "  POST /containers/x/stop\n"
        "  GET /_ping\n"
        "-> look at the engine's own log; restart it"
    )


def test_an_answer_should_be_called_no_engines_when_it_is_not_http(silent_socket: str) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        address = f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        talker = subprocess.Popen(
            [sys.executable, "-c", "import socket,sys; s = socket.socket(fileno=0); "
             "c, _ = s.accept(); c.recv(9); c.sendall(b'220 mail\\r\\n')"],
            stdin=listening,
        )  # fmt: skip
        with pytest.raises(EngineMissingError) as caught:
            Engine(address).containers("any")
        talker.wait()
    assert caught.value.seen == "220 mail"


FORBIDDEN = """
import os, sys
from nomock.adapters.engine import Engine
from nomock.errors import EngineForbiddenError
if os.geteuid() == 0:  # whom no mode stops
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
try:
    Engine("unix://" + sys.argv[1]).containers("any")
except EngineForbiddenError as error:
    print(error)
"""


def test_the_group_should_be_named_when_the_socket_is_forbidden(silent_socket: str) -> None:
    Path(silent_socket).chmod(0)
    command = [sys.executable, "-c", FORBIDDEN, silent_socket]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout == (
        f"engine at unix://{silent_socket}: permission denied on the engine's socket\n"
        "  [Errno 13] Permission denied\n"
        "-> join the group docker (sudo usermod -aG docker $USER, log in again), or run as root\n"
    ), done.stderr


def test_the_client_should_be_named_when_it_is_not_installed(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.compose(one=idle())
    monkeypatch.setenv("PATH", str(tiny.path))
    with pytest.raises(EngineMissingError) as caught:
        tiny.stack()
    assert str(caught.value) == (
        "PATH: the docker client is not installed\n"
        "-> install it with its compose plugin: https://docs.docker.com/get-docker/"
    )


def test_a_compose_file_should_be_asked_for_when_there_is_none(tiny: Tiny) -> None:
    with pytest.raises(ConfigError) as caught:
        tiny.stack()
    assert tiny.plain(str(caught.value)) == (
        "DIR: no compose file here\n"
        "-> add a docker-compose.yml, or name it: files in [tool.nomock], or --stack-file"
    )


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("services: [", "yaml.* did not find expected node content"),
        # In the words of compose 2.26, 2.40 and 5.6.
        (
            "services: {one: {imag: x}}",
            "dditional propert(y|ies) '?imag'? (is )?not allowed|services.one.imag false schema",
        ),
        (
            "services: {one: {image: x, depends_on: [two]}}",
            'service "one" depends on undefined service "two": invalid compose project',
        ),
        ("services: {one: {image: '${MUST:?say it}'}}", "say it"),
    ],
    ids=["no YAML", "unknown key", "unknown service", "missing variable"],
)
def test_composes_own_words_should_be_shown_when_it_cannot_read_the_file(
    tiny: Tiny, text: str, seen: str
) -> None:
    tiny.compose_text(text)
    with pytest.raises(ConfigError) as caught:
        tiny.stack()
    first, *middle, last = tiny.plain(str(caught.value)).splitlines()
    assert first == "DIR/docker-compose.yml: compose cannot read this"
    assert re.search(seen, "\n".join(middle))
    cure = cure_of("\n".join(middle))
    assert last == f"-> {cure or 'docker compose config'}"


def test_the_names_should_be_said_when_a_service_is_unknown(tiny: Tiny) -> None:
    tiny.compose(auth=idle(), web=idle())
    stack = tiny.stack()
    with pytest.raises(UnknownServiceError) as caught:
        stack["auht"]
    assert tiny.plain(str(caught.value)) == (
        "stack NAME: there is no service 'auht'\n"
        "  the services are: auth, web\n"
        "-> did you mean 'auth'?"
    )
    with pytest.raises(UnknownServiceError) as caught:
        stack["database"]
    assert str(caught.value).endswith("\n-> name one of them")


@pytest.mark.parametrize(
    ("probe", "text"),
    [
        ({"wbe": "none"}, "stack NAME: there is no service 'wbe'"),
        ({"web": "ping"}, "probe of service web: 'ping' is no readiness probe"),
        ({"web": "tcp"}, "probe of service web: 'tcp' is no readiness probe"),
        ({"web": "http:abc/x"}, "probe of service web: 'http:abc/x' is no readiness probe"),
    ],
)
def test_a_probe_should_be_refused_when_it_is_none_or_of_no_service(
    tiny: Tiny, probe: dict[str, str], text: str
) -> None:
    tiny.compose(web=idle())
    with pytest.raises(ConfigError) as caught:
        tiny.stack(probes=probe)
    assert tiny.plain(str(caught.value)).splitlines()[0] == text


def test_the_last_lines_should_be_shown_when_an_image_does_not_build(tiny: Tiny) -> None:
    one = idle(build={"context": "."})
    tiny.write(
        "Dockerfile", f"FROM {IMAGE}\nRUN echo first && sh -c 'echo no such thing; exit 9'\n"
    )
    tiny.compose(one=one)
    text = error_of(tiny, BuildError)
    assert text.startswith("build of one: an image does not build\n")
    assert "no such thing" in text
    assert "exit code: 9" in text
    assert text.endswith("\n-> docker compose build one")


def test_the_cure_should_be_said_when_a_port_is_taken(tiny: Tiny) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        tiny.compose(web=server(ports=[f"127.0.0.1:{port}:8000"]))
        text = error_of(tiny, ComposeError)
    first, *seen, last = text.splitlines()
    assert first == "compose: docker compose up ended with 1"
    assert f"127.0.0.1:{port}" in seen[-1]
    assert last == (
        "-> another program has that port: end it, or let the engine choose (127.0.0.1::8000)"
    )
    # The same stack starts once the port is free.
    stack = tiny.stack()
    stack.prepare()
    stack.close()


def test_the_cure_should_be_said_when_an_image_is_nowhere(tiny: Tiny) -> None:
    tiny.compose(one=idle(image="127.0.0.1:1/nomock/nowhere:1"))
    text = error_of(tiny, ComposeError)
    assert re.match(r"compose: docker compose up ended with (18|1)\n", text)
    assert text.endswith(
        "\n-> an image is not here and no container registry gave it: docker compose pull "
        "shows its answer; where none answers, name images that are here: nomock docs images"
    )


@pytest.mark.parametrize(
    ("said", "cure"),
    [
        (
            "failed to solve: write /app/x: no space left on device",
            "the disk is full: docker system df shows what can go",
        ),
        (
            "Error response from daemon: driver failed programming external connectivity on "
            "endpoint web: Bind for 127.0.0.1:8000 failed: port is already allocated",
            "another program has that port: end it, or let the engine choose (127.0.0.1::8000)",
        ),
        (
            "failed to solve: python:3.13-slim: failed to resolve source metadata for "
            "library/python:3.13-slim: dial tcp: lookup registry: no such host",
            "an image is not here and no container registry gave it: docker compose "
            "pull shows its answer; where none answers, name images that are here: nomock docs "
            "images",
        ),
        (
            "services.one additional properties 'imag' not allowed",
            "it is misspelt, or newer than this compose: docker compose version; update it",
        ),
        (
            "validating compose.yaml: services.one.imag false schema",
            "it is misspelt, or newer than this compose: docker compose version; update it",
        ),
        (
            "compose build requires buildx 0.17 or later",
            "this compose wants a newer buildx, the client's plugin that builds: update it "
            "(docker-buildx-plugin); docker buildx version shows which there is",
        ),
        (
            "unsupported external secret tok",
            "only swarm has external secrets: give tok a file: or environment: of its own, in an "
            "override file",
        ),
        (
            "network edge declared as external, but could not be found",
            "make it, as its owner does: docker network create edge",
        ),
        (
            "Error response from daemon: network edge not found",
            "make it, as its owner does: docker network create edge",
        ),
        (f"Error response from daemon: network {64 * 'a'} not found", ""),
        ('external volume "data" not found', "make it: docker volume create data"),
        (
            "validating compose.yaml: services.web Additional property models is not allowed",
            "it is misspelt, or newer than this compose: docker compose version; update it",
        ),
        ("something else", ""),
    ],
)
def test_a_cure_should_be_known_when_the_engine_says_certain_words(said: str, cure: str) -> None:
    assert cure_of(said) == cure


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["attach", "fresh", "own"])
def test_a_foreign_stack_should_be_refused_and_left_alone_when_it_has_the_same_name(
    tiny: Tiny, mode: str
) -> None:
    theirs = idle(volumes=["data:/data"])
    tiny.write(
        "theirs/docker-compose.yml",
        json.dumps({"services": {"db": theirs}, "volumes": {"data": {}}}),
    )
    command = ["docker", "compose", "-p", tiny.name, "--project-directory", "theirs", "up", "-d"]
    subprocess.run(command, cwd=tiny.path, check=True, capture_output=True)
    before = tiny.containers()
    tiny.compose(db=idle())
    tiny.tests("def test_one(stack): pass")

    result = tiny.run(f"--stack={mode}")
    assert result.ret == 6
    text = tiny.plain(result.stdout.str() + result.stderr.str())
    assert (
        "stack NAME: this project name belongs to a stack of another compose file\n"
        "  running from DIR/theirs/docker-compose.yml\n"
        "  asked for    DIR/docker-compose.yml\n"
        "-> give this one a name of its own: COMPOSE_PROJECT_NAME, or project in [tool.nomock]; "
        "or end the other: docker compose -p NAME down"
    ) in text
    with pytest.raises(ForeignStackError):
        tiny.stack().down(volumes=True)
    assert (tiny.containers(), tiny.states()) == (before, {"db": "running"})
