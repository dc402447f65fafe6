"""A test goes on to the next service: real services, and every client library the spy knows."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from calling import WAYS, Services, built, heads, mounted, program, services
from pythons import TracerOptions, image_of
from serving import SPY

from nomock.baggage import MOST_BYTES, with_members

FOLLOWS_REDIRECTS = [way for way in WAYS if way not in ("http.client", "putrequest")]
KEEPS_CONNECTIONS = [way for way in FOLLOWS_REDIRECTS if way != "urllib"]
SENDS_HEADERS_TWICE = ("putrequest", "httpx", "async httpx", "aiohttp")
MOST_IN_FLIGHT = 16
OURS = "nomock.test=a.py%3A%3Ab"


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    with built(image_of("3.13")) as tag:
        yield tag


@pytest.fixture(scope="module")
def pair(image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    with services(image, tmp_path_factory.mktemp("pair") / "coverage") as both:
        yield both


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_the_called_service_should_record_its_lines_for_the_test_when_it_is_called_by(
    pair: Services, way: str
) -> None:
    test = f"tests/test_a.py::test_of[{way}, 100 %; ü]"
    assert pair.call(way, test).baggage == [with_members("", test)]
    assert pair.steps(test) == {way}


def test_each_test_should_have_its_own_lines_when_many_are_in_flight(pair: Services) -> None:
    asked = [(way, f"tests/test_many.py::test_{way}_{turn}") for turn in range(8) for way in WAYS]
    with ThreadPoolExecutor(MOST_IN_FLIGHT) as pool:
        answers = list(pool.map(lambda one: pair.call(*one), asked))
    assert [a.baggage for a in answers] == [[with_members("", test)] for _, test in asked]
    assert [pair.steps(test) for _, test in asked] == [{way} for way, _ in asked]


@pytest.mark.parametrize("way", WAYS)
def test_nothing_should_be_sent_when_the_service_works_for_no_test(
    pair: Services, way: str
) -> None:
    assert pair.call(way, None).baggage == []
    assert pair.call(way, None, baggage=["user=1"]).baggage == ["user=1"]


@pytest.mark.parametrize("way", KEEPS_CONNECTIONS)
def test_each_request_should_be_its_own_tests_when_a_connection_is_used_again(
    pair: Services, way: str
) -> None:
    tests = [f"tests/test_again.py::test_{way}_{turn}" for turn in range(MOST_IN_FLIGHT + 1)]
    answers = [pair.call(way, test) for test in tests]
    assert len({answer.client for answer in answers}) < len(answers)
    assert [answer.baggage for answer in answers] == [[with_members("", test)] for test in tests]
    assert pair.call(way, None).baggage == []


@pytest.mark.parametrize("way", FOLLOWS_REDIRECTS)
def test_the_test_should_go_on_when_the_answer_is_a_redirect(pair: Services, way: str) -> None:
    test = f"tests/test_redirect.py::test_{way}"
    answer = pair.call(way, test, path="redirect", baggage=["user=1"])
    assert answer.baggage == [with_members("user=1", test)]
    assert pair.steps(test) == {way}


@pytest.mark.parametrize("way", WAYS)
def test_the_body_should_arrive_whole_when_it_is_sent_in_parts(pair: Services, way: str) -> None:
    test = f"tests/test_body.py::test_{way}"
    answer = pair.call(way, test, parts=["one,", "two,", "three"])
    assert (answer.body, answer.baggage) == ("one,two,three", [with_members("", test)])


@pytest.mark.parametrize("way", WAYS)
def test_a_test_that_the_service_names_itself_should_stay_when_the_request_has_one(
    pair: Services, way: str
) -> None:
    own = "user=1, nomock.test=tests%2Fa.py%3A%3Aother;ttl=9"
    assert pair.call(way, "tests/test_a.py::test_a", baggage=[own]).baggage == [own]


@pytest.mark.parametrize("way", SENDS_HEADERS_TWICE)
def test_all_members_should_be_in_one_header_when_the_request_has_several(
    pair: Services, way: str
) -> None:
    test = "tests/test_a.py::test_a"
    answer = pair.call(way, test, baggage=["user=1;ttl=9", "tenant=b"])
    assert answer.baggage == [f"user=1;ttl=9,tenant=b,{with_members('', test)}"]
    other = "nomock.test=tests%2Fa.py%3A%3Aother"
    assert pair.call(way, test, baggage=["user=1", other]).baggage == ["user=1", other]


@pytest.mark.parametrize("way", WAYS)
def test_the_services_own_members_should_stay_alone_when_there_is_no_room_for_ours(
    pair: Services, way: str
) -> None:
    full = "user=" + "x" * (MOST_BYTES - 20)
    assert pair.call(way, "tests/test_a.py::test_a", baggage=[full]).baggage == [full]
    told, pause = "a request has no room for its test: its baggage is full", Event()
    while told not in (logs := pair.logs()):  # the engine copies it a moment later
        pause.wait(0.02)
    assert logs.count(told) == 1


def test_a_job_should_be_of_its_own_test_when_it_is_done_in_the_middle_of_a_request(
    pair: Services,
) -> None:
    test = "tests/test_a.py::test_with_a_job"
    pair.call("urllib", test, path="job")
    assert pair.steps(test) == {"urllib"}
    assert pair.steps("tests/test_a.py::the_job") == {"the job"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "baggage", "proxy"])
def test_a_request_should_differ_by_its_baggage_alone_when_it_is_sent_for_a_test(
    image: str, data_dir: Path, kind: str
) -> None:
    ended = program(image, data_dir, "python", "heads.py", kind)
    assert (ended.returncode, ended.stderr) == (0, "")
    found = heads(ended.stdout)
    assert set(found) == set(WAYS)
    own = [] if kind == "plain" else ["Baggage: user=1;ttl=9"]
    merged = f"baggage: {OURS}" if kind == "plain" else f"baggage: user=1;ttl=9,{OURS}"
    for without, with_test in found.values():
        assert without[0].startswith("GET ")
        assert [line for line in without if line not in with_test] == own
        assert [line for line in with_test if line not in without] == [merged]
        assert len(with_test) == len(without) + 1 - len(own)


def test_a_tunnel_should_be_asked_for_as_ever_when_the_request_in_it_is_sent_for_a_test(
    image: str, data_dir: Path
) -> None:
    ended = program(image, data_dir, "python", "heads.py", "tunnel")
    assert (ended.returncode, ended.stderr) == (0, "")
    for without, with_test in heads(ended.stdout).values():
        assert with_test[0].startswith("CONNECT elsewhere.example:")
        assert with_test == without


def test_each_request_should_be_its_own_tests_when_the_service_sends_the_same_one_again(
    image: str, data_dir: Path
) -> None:
    ended = program(image, data_dir, "python", "again.py")
    assert (ended.returncode, ended.stderr) == (0, "")
    each = ["baggage: nomock.test=a.py%3A%3Aone", "baggage: nomock.test=a.py%3A%3Atwo", ""]
    assert json.loads(ended.stdout) == dict.fromkeys(
        ("httpx", "httpcore", "requests", "urllib"), each
    )


@pytest.mark.parametrize("version", ["3.9", "3.11", "3.13", "3.14"])
def test_the_test_should_go_on_by_the_standard_library_when_the_python_is_any_of_these(
    data_dir: Path, tracer_options: TracerOptions, version: str
) -> None:
    options = mounted(*tracer_options(version))
    ended = program(image_of(version), data_dir, "python3", "stdlib.py", options=options)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == ["none", "a=1", OURS, f"a=1,{OURS}", OURS]


@pytest.mark.parametrize("error", ["SystemExit(3)", "ValueError('broken')"])
def test_requests_should_be_sent_as_they_are_when_the_spy_is_broken(
    image: str, data_dir: Path, tmp_path: Path, error: str
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(SPY, broken, ignore=shutil.ignore_patterns("__pycache__"))
    path = broken / "nomock_spy/clients/__init__.py"
    text = path.read_text(encoding="utf-8")
    before = "    header = "
    assert text.count(before) == 1
    path.write_text(text.replace(before, f"    raise {error}\n{before}"), encoding="utf-8")
    ended = program(image, data_dir, "python", "heads.py", "baggage", spy=broken)
    assert ended.returncode == 0
    assert ended.stderr == f"nomock-spy: lost something that ran: {error}\n"
    for without, with_test in heads(ended.stdout).values():
        assert with_test == without
