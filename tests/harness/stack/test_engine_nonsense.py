"""Whatever answers in the engine's place: an error of ours that names what was asked and said."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from odd_engine import Answer, http

from nomock.adapters.engine import Engine
from nomock.errors import EngineError, EngineGoneError, EngineMissingError, NotPossibleError

LIST = "GET /containers/json"
CUT_OFF = http("[]").replace(b"Length: 2", b"Length: 200")
STOPPED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[{\"Id\r\n"  # fmt: skip
PAGE = "<html><h1>It works!</h1></html>"


@pytest.mark.parametrize(
    ("answer", "what", "seen"),
    [
        (http(PAGE, kind="text/html"), f"the answer to {LIST} is none of a container engine", PAGE),
        (http(""), f"the answer to {LIST} is none of a container engine", "null"),
        (http("{}"), f"the answer to {LIST} is none of a container engine", "{}"),
        (http("[1]"), f"the answer to {LIST} is none of a container engine", "[1]"),
        (
            http('[{"Names": null}]'),
            f"the answer to {LIST} is none of a container engine",
            "KeyError: 'Id'\n[{\"Names\": null}]",
        ),
        (http("[]")[:-1], f"the engine broke off its answer to {LIST}", "IncompleteRead"),
        (CUT_OFF, f"the engine broke off its answer to {LIST}", "IncompleteRead"),
        (STOPPED, f"the engine broke off its answer to {LIST}", "IncompleteRead"),
        (
            http(PAGE, "500 Internal Server Error", "text/html"),
            f"the engine refused {LIST} (500)",
            PAGE,
        ),
        (http("[]", "502 Bad Gateway"), f"the engine refused {LIST} (502)", "[]"),
        (http("x" * 9000, "404 Not Found"), f"the engine refused {LIST} (404)", "x" * 400 + "…"),
        (
            http(
                '{"message": "client version 1.44 is too new. Maximum supported API version is'
                ' 1.41"}',
                "400 Bad Request",
            ),
            "the engine is too old: it speaks API 1.41, and 1.44 is needed",
            "client version 1.44 is too new. Maximum supported API version is 1.41",
        ),
    ],
    ids=[
        "a page", "nothing", "an object", "a list of numbers", "no id", "cut by a byte", "cut off",
        "chunks that stop", "a page of an error", "a list of an error", "a long error", "too old",
    ],
)  # fmt: skip
def test_an_error_should_say_what_was_asked_and_answered_when_it_is_nonsense(
    answering: Callable[[bytes], Engine], answer: bytes, what: str, seen: str
) -> None:
    engine = answering(answer)
    with pytest.raises(EngineError) as caught:
        engine.containers("any")
    assert not isinstance(caught.value, EngineMissingError | EngineGoneError)
    assert caught.value.what == what
    assert caught.value.seen.startswith(seen), caught.value.seen
    assert caught.value.where == f"engine at {engine.address}"
    assert caught.value.todo or "refused" in what


@pytest.mark.parametrize(
    "said",
    [
        "cannot pause container a: OCI runtime pause failed: cannot toggle freezer: cgroups not"
        " configured for container: unknown",
        "Cannot update container a: runc did not terminate successfully: exit status 1: cannot set"
        " cpu limit: container could not join or create cgroup\n: unknown",
    ],
    ids=["pause", "squeeze"],
)
def test_a_fault_should_be_not_possible_when_a_rootless_engine_has_no_cgroups(
    answering: Callable[[bytes], Engine], said: str
) -> None:
    refusal = http(json.dumps({"message": said}), "500 Internal Server Error")
    with pytest.raises(NotPossibleError, match="it has no cgroups") as caught:
        answering(refusal).pause("a")
    assert "cgroup v2" in caught.value.todo


@pytest.mark.parametrize("answer", [b"", b"\x16\x03\x01\x00", b"SSH-2.0-OpenSSH_9\r\n"])
def test_no_engine_should_be_said_to_answer_when_it_is_not_http(
    answering: Callable[[bytes], Engine], answer: bytes
) -> None:
    with pytest.raises(EngineMissingError) as caught:
        answering(answer).containers("any")
    assert caught.value.seen


SPARSE = {"Id": "a" * 64, "State": "running", "Labels": None, "Names": None, "Ports": None}


def test_a_listing_should_be_read_when_fields_are_missing(
    answering: Callable[[Answer], Engine],
) -> None:
    labels = {
        "com.docker.compose.service": "web",
        "com.docker.compose.container-number": "2",
        "com.docker.compose.oneoff": "False",
    }
    ports = [{"PrivatePort": 80, "PublicPort": 8080}, {"PrivatePort": 53, "Type": "udp"}]
    other = {"Id": "b" * 64, "State": "Exited", "Labels": labels, "Ports": ports, "Status": None}
    engine = answering(lambda path: http(json.dumps([SPARSE, other])))
    sparse, web = engine.containers("any")
    assert (sparse.service, sparse.number, sparse.health, sparse.state) == ("", 1, None, "running")
    assert (web.service, web.number, web.health, web.state) == ("web", 2, None, "exited")
    assert web.shown_ports()  # the address of which is not said


def test_every_question_should_name_itself_when_its_answer_is_nonsense(
    answering: Callable[[bytes], Engine],
) -> None:
    engine = answering(http('{"State": 7, "Volumes": [{}]}'))
    for ask in (
        lambda: engine.course("x"),
        lambda: engine.container_state("x"),
        lambda: engine.exit_state("x"),
        lambda: engine.limits("x"),
        lambda: engine.pressure("x"),
        lambda: engine.networks("x"),
        lambda: engine.addresses("x"),
        lambda: engine.run_inside("x", ["true"]),
        lambda: engine.last_check("x"),
        lambda: engine.container_config("x"),
        lambda: engine.image_id("x"),
        lambda: engine.images(),
        lambda: engine.volumes("x"),
        lambda: engine.machine(),
        lambda: engine.happenings("x", since_s=0, until_s=1),
    ):
        with pytest.raises(EngineError, match="is none of a container engine"):
            ask()


def test_a_command_should_have_its_exit_code_when_the_engine_learns_of_its_end_late(
    answering: Callable[[Answer], Engine],
) -> None:
    left = ['{"Running": true, "ExitCode": null}'] * 3 + ['{"Running": false, "ExitCode": 0}']

    def answer(path: str) -> bytes:
        if path.endswith("/start"):
            return http("")
        return http(left.pop(0) if "/exec/e/json" in path else '{"Id": "e"}')

    assert answering(answer).run_inside("x", ["true"]).exit_code == 0
    assert left == []


def test_the_api_should_be_the_engines_oldest_when_that_is_newer_than_ours(
    answering: Callable[[Answer], Engine],
) -> None:
    asked: list[str] = []

    def answer(path: str) -> bytes:
        asked.append(path.split("?")[0])
        if path.startswith("/v1.60/"):
            return http("[]")
        refusal = "client version 1.44 is too old. Minimum supported API version is 1.60, please"
        return http(json.dumps({"message": refusal}), "400 Bad Request")

    engine = answering(answer)
    assert engine.containers("any") == engine.containers("any") == []
    assert asked == ["/v1.44/containers/json", *["/v1.60/containers/json"] * 2]


def test_a_container_should_be_gone_when_podman_says_so_with_an_error(
    answering: Callable[[bytes], Engine],
) -> None:
    # Podman 4.3.1, while compose replaces a container.
    told = "container 0a1b does not exist in database: no such container"
    body = json.dumps({"cause": "no such container", "message": told, "response": 500})
    engine = answering(http(body, "500 Internal Server Error"))
    assert engine.exit_state("0a1b") is None
    assert engine.container_config("0a1b") is None


def test_an_engine_should_be_called_gone_when_it_says_that_it_is_broken(
    answering: Callable[[bytes], Engine],
) -> None:
    broken = answering(http("no", "503 Service Unavailable")).gone(2.0)
    assert broken is not None
    assert broken.what == "the engine refused GET /_ping (503)"
    assert answering(http("OK")).gone(20.0) is None
