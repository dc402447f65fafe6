"""The HTTP fault proxy's rules: which requests they meet, and what happens to these."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import IncompleteRead, RemoteDisconnected
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx
import pytest
from http_edge import EDGE, HttpEdge, ask, begin, http_edge, opened, rest_of
from tiny import docker

from nomock import baggage
from nomock.adapters.httpfaults import WrongRule

LONG_MS = 600_000
METHODS = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, TRACE"
KNOWN = (
    "action, body, content_type, delay_ms, edge, expires_s, method, nth, path, run, status, test"
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpEdge]:
    with http_edge(tmp_path_factory.mktemp("rules")) as edge:
        yield edge


@pytest.fixture
def edge(running: HttpEdge) -> Iterator[HttpEdge]:
    """The proxy without any rule."""
    yield running
    for rule_id in running.faults.rules():
        running.faults.remove(rule_id)


def statuses(edge: HttpEdge, *requests: tuple[str, str, str | None]) -> list[int]:
    """Send (method, path, test) on one connection and return what is answered."""
    with opened(edge.connection()) as connection:
        return [ask(connection, *request[:2], test=request[2])[0] for request in requests]


# Which requests


def test_a_rule_should_meet_its_test_only_when_tests_share_a_connection(edge: HttpEdge) -> None:
    rule = edge.put("status", "a.py::test_a", status=503)
    one, two = ("GET", "/echo", "a.py::test_a"), ("GET", "/echo", "b.py::test_b")
    nobody = ("GET", "/echo", None)
    assert statuses(edge, one, two, nobody, one, one, two) == [503, 200, 200, 503, 503, 200]
    assert edge.hits(rule) == 3


def test_rules_should_meet_their_tests_only_when_eight_run_at_once(edge: HttpEdge) -> None:
    tests = [f"tests/test_all.py::test_{number}[a b/ü]" for number in range(20)]
    rules = {t: edge.put("status", t, status=500 + n) for n, t in enumerate(tests)}
    connections = [edge.connection() for _ in range(8)]

    def busy(number: int) -> list[tuple[int, int]]:
        met = []
        with opened(connections[number]) as connection:
            for turn in range(60):
                which = (turn * 7 + number * 3) % 25  # of the last five nobody says anything
                path = f"/echo?of={number}.{turn}"
                status, said = ask(
                    connection, "POST", path, test=f"{name(which)}", body=b"x" * which
                )
                assert status != 200 or f"of={number}.{turn} " in said.decode()
                met.append((which, status))
        return met

    def name(which: int) -> str:
        return tests[which] if which < len(tests) else f"other.py::test_{which}"

    with ThreadPoolExecutor(8) as pool:
        met = [pair for pairs in pool.map(busy, range(8)) for pair in pairs]
    assert all(status == (500 + which if which < 20 else 200) for which, status in met)
    for which, test in enumerate(tests):
        assert edge.hits(rules[test]) == sum(1 for number, _ in met if number == which)


@pytest.mark.parametrize(
    "test",
    [
        'tests/test_a.py::test_b[é, ;=%41 \\ "x" 日本]',
        "tests/test_a.py::test_b[" + "long" * 2000 + "]",
        "tests/test_a.py::test_b[\udc80]",
    ],
    ids=["odd", "long", "no text"],
)
def test_a_rule_should_meet_its_test_when_its_name_is_anything(edge: HttpEdge, test: str) -> None:
    edge.put("status", baggage.short(test))
    assert statuses(edge, ("GET", "/echo", test), ("GET", "/echo", test + "x")) == [503, 200]


@pytest.mark.parametrize(
    ("baggage", "met"),
    [
        ("nomock.test=t1", True),
        (" a=1 , nomock.test = t%31;ttl=5 , b=2", True),
        ("NOMOCK.TEST=t1", False),
        ("nomock.test=t12", False),
        ("xnomock.test=t1", False),
        ("a=nomock.test=t1", False),
        ("nomock.test", False),
        ("", False),
    ],
)
def test_baggage_should_be_read_as_its_standard_has_it_when_others_wrote_it(
    edge: HttpEdge, baggage: str, met: bool
) -> None:
    edge.put("status", "t1")
    with opened(edge.connection()) as connection:
        status, _ = ask(connection, "GET", "/echo", BaGGage=baggage)
    assert (status == 503) == met


@pytest.mark.parametrize(
    ("baggage", "met"),
    [
        ("nomock.test=t1,nomock.run=r1", True),
        ("a=1, nomock.run = r%31;ttl=5 , nomock.test=t1", True),
        ("nomock.test=t1", True),
        ("nomock.test=t1,xnomock.run=r2", True),
        ("nomock.test=t1,nomock.run=r2", False),
        ("nomock.run=r2,nomock.test=t1", False),
        ("nomock.test=t2,nomock.run=r1", False),
        ("nomock.run=r1", False),
    ],
)
def test_a_rule_should_pass_another_run_when_its_request_says_which_it_is_of(
    edge: HttpEdge, baggage: str, met: bool
) -> None:
    rule = edge.put("status", "t1", run="r1", nth=1)
    with opened(edge.connection()) as connection:
        status, _ = ask(connection, "GET", "/echo", baggage=baggage)
    assert (status == 503) == met
    assert edge.faults.rules()[rule]["matched"] == met


def test_a_rule_should_meet_every_run_when_it_names_none(edge: HttpEdge) -> None:
    edge.put("status", "t1")
    with opened(edge.connection()) as connection:
        assert ask(connection, "GET", "/echo", baggage="nomock.test=t1,nomock.run=r1")[0] == 503


def test_baggage_should_be_joined_when_it_comes_in_two_headers(edge: HttpEdge) -> None:
    edge.put("status", "t1")
    fields = b"Baggage: a=1\r\nbaggage: nomock.test=t1\r\nConnection: close\r\n\r\n"
    assert b" 503 " in edge.said(EDGE, [b"GET /echo HTTP/1.1\r\n" + fields])


@pytest.mark.parametrize(
    ("rule", "met"),
    [
        ({}, ["GET /a/b", "POST /a/b?x=1", "GET /a", "GET /"]),
        ({"method": "GET"}, ["GET /a/b", "GET /a", "GET /"]),
        ({"path": "/a/b"}, ["GET /a/b", "POST /a/b?x=1"]),
        ({"path": "/a*"}, ["GET /a/b", "POST /a/b?x=1", "GET /a"]),
        ({"path": "/a/*", "method": "POST"}, ["POST /a/b?x=1"]),
        ({"nth": 3}, ["GET /a"]),
        ({"path": "/a/b", "nth": 2}, ["POST /a/b?x=1"]),
        ({"nth": 5}, []),
    ],
    ids=str,
)
def test_a_rule_should_meet_what_it_matches_when_it_says_what(
    edge: HttpEdge, rule: dict[str, Any], met: list[str]
) -> None:
    rule_id = edge.put("status", None, **rule)
    asked = ["GET /a/b", "POST /a/b?x=1", "GET /a", "GET /"]
    requests = [(*request.split(" "), "t") for request in asked]
    found = statuses(edge, *requests)
    assert [r for r, status in zip(asked, found, strict=True) if status == 503] == met
    assert edge.hits(rule_id) == len(met)


def test_rules_should_count_separately_when_they_match_the_same_requests(edge: HttpEdge) -> None:
    first = edge.put("status", "t", status=500, nth=1)
    third = edge.put("status", "t", status=502, nth=3)
    assert statuses(edge, *[("GET", "/echo", "t")] * 4) == [500, 200, 502, 200]
    assert (edge.hits(first), edge.hits(third)) == (1, 1)
    assert {rule["matched"] for rule in edge.faults.rules().values()} == {4}


def test_the_later_rule_should_win_when_two_would_do_the_same(edge: HttpEdge) -> None:
    older, newer = edge.put("status", None, status=500), edge.put("status", "t", status=502)
    assert statuses(edge, ("GET", "/echo", "t"), ("GET", "/echo", "u")) == [502, 500]
    assert (edge.hits(older), edge.hits(newer)) == (1, 1)


def test_a_rule_should_meet_nobody_when_it_was_removed(edge: HttpEdge) -> None:
    with opened(edge.connection()) as connection:
        for _ in range(20):
            rule = edge.put("status", "t")
            assert ask(connection, "GET", "/echo", test="t")[0] == 503
            edge.faults.remove(rule)
            assert ask(connection, "GET", "/echo", test="t")[0] == 200
            edge.faults.remove(rule)  # idempotent


def test_a_rule_should_end_by_itself_when_its_time_is_over(edge: HttpEdge) -> None:
    rule = edge.put("status", "t", expires_s=0.3)
    other = edge.put("status", "u", expires_s=30)
    until = monotonic() + 30
    while statuses(edge, ("GET", "/echo", "t")) == [503]:
        assert monotonic() < until
    assert edge.faults.rules().keys() == {other}
    edge.faults.remove(rule)
    assert statuses(edge, ("GET", "/echo", "u")) == [503]


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        b"Transfer-Encoding: gzip\r\n\r\nx",
        b"Content-Length: -1\r\n\r\n",
    ],
)
def test_no_rule_should_meet_a_request_when_its_end_is_a_matter_of_opinion(
    edge: HttpEdge, fields: bytes
) -> None:
    rule = edge.put("status", None)
    with edge.socket() as sock:
        sock.sendall(b"POST /echo HTTP/1.1\r\nConnection: close\r\n" + fields)
        sock.shutdown(socket.SHUT_WR)
        assert b" 503 " not in rest_of(sock)
    assert edge.faults.rules()[rule]["matched"] == 0


# A status


def test_the_service_should_not_be_reached_when_a_status_is_answered(edge: HttpEdge) -> None:
    key = uuid4().hex
    edge.put("status", "t", status=418, body="zu früh", content_type="text/x; charset=utf-8")
    with opened(edge.connection()) as connection:
        reply = begin(connection, "POST", f"/echo?key={key}", test="t", body=b"x" * 5_000_000)
        assert (reply.status, reply.reason, reply.read().decode()) == (
            418,
            "I'm a Teapot",
            "zu früh",
        )
        assert reply.headers["content-type"] == "text/x; charset=utf-8"
        assert ask(connection, "GET", "/count?of=" + key) == (200, b"0")


@pytest.mark.parametrize("status", [200, 204, 205, 304, 404, 429, 500, 503, 599])
def test_the_connection_should_go_on_when_a_status_was_answered(
    edge: HttpEdge, status: int
) -> None:
    edge.put("status", "t", status=status)
    with opened(edge.connection()) as connection:
        for method in ("GET", "HEAD", "POST"):
            assert ask(connection, method, "/echo", test="t", body=b"abc") == (status, b"")
            assert ask(connection, "GET", "/no-content", test="other") == (204, b"")
        assert connection.sock is not None


def test_a_status_should_come_in_its_turn_when_requests_are_pipelined(edge: HttpEdge) -> None:
    edge.put("status", "t", path="/met", body="instead")
    ours = b"baggage: nomock.test=t\r\n"
    said = edge.said(
        EDGE,
        [
            b"GET /interim HTTP/1.1\r\n" + ours + b"\r\n"
            b"POST /met HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
            + ours
            + b"\r\n3\r\nabc\r\n0\r\n\r\n"
            b"GET /met HTTP/1.1\r\n" + ours + b"\r\n"
            b"GET /until-close HTTP/1.1\r\n" + ours + b"\r\n"
        ],
    )
    order = [b"after it", b"instead", b"instead", b"all there is"]
    places = [
        said.index(order[0]),
        said.index(order[1]),
        said.rindex(order[2]),
        said.index(order[3]),
    ]
    assert places == sorted(places)
    assert said.count(b"instead") == 2


def test_each_should_be_answered_when_very_many_requests_are_pipelined(edge: HttpEdge) -> None:
    rule = edge.put("status", "t")
    request = b"GET / HTTP/1.1\r\nbaggage: nomock.test=t\r\n\r\n"
    said = edge.said(EDGE, [request * 4999 + request.replace(b"1.1", b"1.0", 1)])
    assert said.count(b"HTTP/1.1 503 ") == edge.hits(rule) == 5000


@pytest.mark.parametrize(
    "request_",
    [b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n", b"GET / HTTP/1.0\r\n"],
)
def test_the_connection_should_end_when_no_other_request_can_follow_a_status(
    edge: HttpEdge, request_: bytes
) -> None:
    edge.put("status", "t")
    with edge.socket() as sock:
        sock.sendall(request_ + b"baggage: nomock.test=t\r\n\r\n")
        said = rest_of(sock)
    assert said.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"\r\nConnection: close\r\n" in said


def test_a_status_should_be_answered_when_the_service_dies_meanwhile(edge: HttpEdge) -> None:
    edge.put("status", "t")
    with edge.socket() as sock:
        sock.sendall(b"GET /no-content HTTP/1.1\r\n\r\n")
        assert sock.recv(100).startswith(b"HTTP/1.1 204 ")  # so it is connected to the service
        sock.sendall(b"POST / HTTP/1.1\r\nContent-Length: 3\r\nbaggage: nomock.test=t\r\n\r\n")
        edge.kill_web()
        sock.sendall(b"abc")
        said = rest_of(sock)
    edge.start_web()
    assert said.startswith(b"HTTP/1.1 503 ")


# A delay


def test_an_answer_should_come_later_when_it_is_delayed(edge: HttpEdge) -> None:
    rule = edge.put("delay", "t", delay_ms=300, nth=2)
    with opened(edge.connection()) as connection:
        for number in (1, 2, 3):
            began = monotonic()
            assert ask(connection, "GET", "/chunked", test="t")[0] == 200
            if number == 2:
                assert monotonic() - began >= 0.3
    assert edge.hits(rule) == 1


def test_others_should_not_wait_when_an_answer_is_delayed(edge: HttpEdge) -> None:
    rule = edge.put("delay", "t", delay_ms=LONG_MS)
    key = uuid4().hex
    with edge.socket() as sock:
        sock.sendall(b"GET /echo?key=%s HTTP/1.1\r\nbaggage: nomock.test=t\r\n\r\n" % key.encode())
        # The service has it, and has answered before anybody could see the answer.
        assert edge.asked(f"/await?of={key}") == "it came"
        assert statuses(edge, ("GET", "/echo", "u")) == [200]
        until = monotonic() + 30
        while edge.hits(rule) == 0:
            assert monotonic() < until
        sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            sock.recv(1)


def test_memory_should_stay_small_when_a_big_answer_is_delayed(edge: HttpEdge) -> None:
    edge.put("delay", "t", delay_ms=200)
    with opened(edge.connection()) as connection:
        assert len(ask(connection, "GET", "/big?size=20000000", test="t")[1]) == 20_000_000
    memory = edge.exec("cat", "/proc/1/status").partition("VmHWM:")[2].split()[0]
    assert int(memory) < 64 * 1024


def test_the_service_should_see_the_caller_go_when_he_gives_up_during_a_delay(
    edge: HttpEdge,
) -> None:
    rule = edge.put("delay", "t", delay_ms=LONG_MS)
    with opened(edge.connection()) as connection:
        number = ask(connection, "GET", "/connection")[1].decode()
        connection.request("GET", "/echo", headers={"baggage": "nomock.test=t"})
        until = monotonic() + 30
        while edge.hits(rule) == 0:
            assert monotonic() < until
        assert edge.asked(f"/count?of=over+{number}") == "0"
    assert edge.asked(f"/await?of=over+{number}") == "it came"


# A half


def test_half_of_the_body_should_come_when_it_has_a_length(edge: HttpEdge) -> None:
    rule = edge.put("half", "t")
    with opened(edge.connection()) as connection:
        reply = begin(connection, "GET", "/big?size=1000001", test="t")
        with pytest.raises(IncompleteRead) as cut:
            reply.read()
    assert (len(cut.value.partial), cut.value.expected) == (500_000, 500_001)
    assert edge.hits(rule) == 1


def test_a_part_of_the_body_should_come_when_it_has_chunks(edge: HttpEdge) -> None:
    rule = edge.put("half", "t")
    with opened(edge.connection()) as connection:
        reply = begin(connection, "GET", "/chunked", test="t")
        with pytest.raises(IncompleteRead):
            reply.read()
    assert edge.hits(rule) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [("HEAD", "/echo"), ("GET", "/no-content"), ("GET", "/not-modified"), ("GET", "/until-close")],
)
def test_an_answer_should_pass_when_there_is_no_half_of_it(
    edge: HttpEdge, method: str, path: str
) -> None:
    rule = edge.put("half", "t")
    with opened(edge.connection()) as connection:
        ask(connection, method, path, test="t")
    assert edge.hits(rule) == 0


# Twice


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (None, {}),
        (b"x" * 100_000, {}),
        (iter([b"one", b"two"]), {}),
        (b"x" * 10, {"Expect": "100-continue"}),
    ],
    ids=["no body", "a length", "chunks", "expect"],
)
def test_the_service_should_be_asked_twice_when_a_request_is_doubled(
    edge: HttpEdge, body: Any, headers: dict[str, str]
) -> None:
    rule, key = edge.put("twice", "t", nth=2), uuid4().hex
    counts = []
    with opened(edge.connection()) as connection:
        for number in (1, 2, 3):
            sent = body if number == 2 else None
            status, said = ask(
                connection, "POST", f"/echo?key={key}", test="t", body=sent, **headers
            )
            assert status == 200
            assert number != 2 or body is None or json.loads(said)["size"] in {6, 10, 100_000}
            counts.append(edge.asked(f"/count?of={key}"))
    assert counts == ["1", "3", "4"]
    assert edge.hits(rule) == 1


def test_the_caller_should_be_told_once_to_go_on_when_a_request_is_doubled(edge: HttpEdge) -> None:
    edge.put("twice", "t")
    fields = b"Expect: 100-continue\r\nContent-Length: 2\r\nbaggage: nomock.test=t\r\n"
    said = edge.said(EDGE, [b"POST /closing?of=x HTTP/1.1\r\n" + fields + b"\r\n", b"ok"])
    assert said.count(b"HTTP/1.1 100 ") == said.count(b"HTTP/1.1 200 ") == 1


@pytest.mark.parametrize("path", ["/count", "/closing"])
def test_the_caller_should_get_the_second_answer_when_a_request_is_doubled(
    edge: HttpEdge, path: str
) -> None:
    edge.put("twice", "t")
    key = uuid4().hex
    with opened(edge.connection()) as connection:
        assert ask(connection, "PUT", f"{path}?key={key}&of={key}", test="t") == (200, b"2")


def test_a_request_should_pass_once_when_it_is_too_long_to_be_doubled(edge: HttpEdge) -> None:
    rule, key = edge.put("twice", "t"), uuid4().hex
    with opened(edge.connection()) as connection:
        body = b"x" * 9_000_000
        assert ask(connection, "POST", f"/echo?key={key}", test="t", body=body)[0] == 200
    assert (edge.asked(f"/count?of={key}"), edge.hits(rule)) == ("1", 0)


def test_a_request_should_not_be_doubled_when_it_changes_the_protocol(edge: HttpEdge) -> None:
    rule = edge.put("twice", "t")
    head = b"GET /upgrade HTTP/1.1\r\nUpgrade: echo\r\nbaggage: nomock.test=t\r\n\r\n"
    with edge.socket() as sock:
        sock.sendall(head + b"early ")
        sock.sendall(b"late")
        sock.shutdown(socket.SHUT_WR)
        assert rest_of(sock).endswith(b"\r\n\r\nearly latebye")
    assert edge.hits(rule) == 0


def test_a_request_should_pass_once_when_it_is_answered_before_it_is_whole(edge: HttpEdge) -> None:
    rule = edge.put("twice", "t")
    head = b"POST /early HTTP/1.1\r\nContent-Length: 9\r\nbaggage: nomock.test=t\r\n\r\n"
    assert edge.said(EDGE, [head]).endswith(b"too much")
    assert edge.hits(rule) == 0


def test_the_connection_should_end_when_the_service_dies_of_the_first_of_two(
    edge: HttpEdge,
) -> None:
    rule = edge.put("twice", "t")
    with opened(edge.connection()) as connection, pytest.raises(RemoteDisconnected):
        ask(connection, "GET", "/die", test="t")
    assert edge.hits(rule) == 0


# Together


def test_actions_should_combine_when_several_rules_meet_a_request(edge: HttpEdge) -> None:
    for action, more in (("delay", {"delay_ms": 200}), ("twice", {}), ("half", {})):
        edge.put(action, "t", **more)
    key = uuid4().hex
    with opened(edge.connection()) as connection:
        began = monotonic()
        reply = begin(connection, "GET", f"/echo?key={key}", test="t")
        assert monotonic() - began >= 0.2
        with pytest.raises(IncompleteRead):
            reply.read()
    assert edge.asked(f"/count?of={key}") == "2"
    assert [rule["hits"] for rule in edge.faults.rules().values()] == [1, 1, 1]


def test_a_status_should_come_late_when_it_is_delayed(edge: HttpEdge) -> None:
    edge.put("status", "t")
    edge.put("delay", "t", delay_ms=200)
    began = monotonic()
    assert statuses(edge, ("POST", "/echo", "t")) == [503]
    assert monotonic() - began >= 0.2


# The control port


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (
            {"edge": "shop->bank"},
            "'shop->bank' is no HTTP edge; those are: shop->web, shop->shut, shop->gone",
        ),
        ({"action": "explode"}, "action must be one of status, delay, half, twice, not 'explode'"),
        ({"status": 99}, "status must be from 200 to 599, not 99"),
        ({"status": 101}, "status must be from 200 to 599, not 101"),
        ({"status": "503"}, "status must be int, not '503'"),
        ({"status": True}, "status must be int, not True"),
        ({"status": 204, "body": "x"}, "an answer of 204 has no body"),
        ({"content_type": "a\r\nb: c"}, "content_type must be one line of ASCII"),
        (
            {"method": "FETCH"},
            f"method must be one of {METHODS}, not 'FETCH'",
        ),
        (
            {"method": "get"},
            f"method must be one of {METHODS}, not 'get'",
        ),
        (
            {"path": "jwks"},
            "path must begin with /, have no query, and * at its end only, not 'jwks'",
        ),
        (
            {"path": "/a*b"},
            "path must begin with /, have no query, and * at its end only, not '/a*b'",
        ),
        (
            {"path": "/a?b"},
            "path must begin with /, have no query, and * at its end only, not '/a?b'",
        ),
        ({"nth": 0}, "nth must be from 1 to 1000000, not 0"),
        ({"nth": 1.5}, "nth must be int, not 1.5"),
        ({"expires_s": 0}, "expires_s must be from 0.001 to 86400, not 0"),
        ({"expires_s": 99999.5}, "expires_s must be from 0.001 to 86400, not 99999.5"),
        ({"delay_ms": 5}, "delay_ms is for delay, not for status"),
        ({"action": "delay"}, "delay needs delay_ms"),
        ({"action": "delay", "delay_ms": -1}, "delay_ms must be from 1 to 600000, not -1"),
        ({"action": "half", "status": 500}, "status is for status, not for half"),
        ({"test": 5}, "test must be str, not 5"),
        ({"run": "r1"}, "run is for the requests of a test, which test must name"),
        (
            {"tset": "a", "nht": 1},
            f"unknown: nht, tset; known: {KNOWN}",
        ),
    ],
    ids=lambda value: json.dumps(value) if isinstance(value, dict) else "",
)
def test_a_rule_should_be_refused_with_the_reason_when_it_cannot_be(
    edge: HttpEdge, wrong: dict[str, Any], said: str
) -> None:
    rule = {"edge": EDGE, "action": "status", **wrong}
    for refused in (lambda: edge.faults.put("wrong", rule), lambda: edge.faults.check(rule)):
        with pytest.raises(WrongRule) as refusal:
            refused()
        assert str(refusal.value) == said
    assert edge.faults.rules() == {}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/rules/a", b"{", 400),
        ("PUT", "/rules/a", b"\xff", 400),
        ("PUT", "/rules/a", b"[]", 400),
        ("PUT", "/rules/a", b"{}", 422),
        ("PUT", "/rules/", b"{}", 404),
        ("DELETE", "/rules/a", None, 404),
        ("POST", "/rules", b"{}", 404),
        ("GET", "/", None, 404),
        ("GET", "/health", None, 200),
        ("GET", "/edges", None, 200),
    ],
)
def test_the_control_port_should_say_what_is_wrong_when_it_is_asked_wrongly(
    edge: HttpEdge, method: str, path: str, body: bytes | None, status: int
) -> None:
    reply = httpx.request(
        method, f"http://127.0.0.1:{edge.control_port}{path}", content=body, trust_env=False
    )
    assert reply.status_code == status
    assert reply.json() if status == 200 else reply.json()["error"]


def test_the_control_port_should_go_on_when_it_is_told_nonsense(edge: HttpEdge) -> None:
    for said in (
        b"\x16\x03\x01\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"G",
        b"",
    ):
        with (
            socket.create_connection(("127.0.0.1", edge.control_port), 30) as sock,
            suppress(OSError),
        ):
            sock.sendall(said)
            sock.shutdown(socket.SHUT_WR)
            assert rest_of(sock)[9:12] in {b"400", b""}
    assert edge.faults.rules() == {}
    assert docker("logs", f"{edge.project}-httpfaults-1") == ""


@pytest.mark.slow
def test_a_thousand_rules_should_be_the_most_when_somebody_adds_more(edge: HttpEdge) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{edge.control_port}", trust_env=False) as client:
        rule = {"edge": EDGE, "action": "half", "test": "t"}
        for number in range(1000):
            assert client.put(f"/rules/{number}", json=rule).status_code == 200
        assert "there are 1000 rules" in client.put("/rules/more", json=rule).json()["error"]
        assert client.put("/rules/7", json=rule).status_code == 200
