"""The HTTP fault proxy as long as no rule meets a request: as if it were not there."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from http_edge import EDGE, HttpEdge, ask, begin, http_edge, opened, rest_of

GET = b"GET /echo HTTP/1.1\r\nHost: web\r\n"
LAST = b"Connection: close\r\n\r\n"

# What is said on one connection. Whatever it is, the answer is the same as without the proxy.
SAID = {
    "one request": GET + b"x-LOWER: a\r\nX-Twice: 1\r\nX-Twice: 2\r\n" + LAST,
    "a length": b"POST /echo HTTP/1.1\r\nContent-Length: 5\r\n" + LAST + b"hello",
    "pipelined": GET + b"\r\n" + b"PUT /echo HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc" + GET + LAST,
    "chunked up": b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
    + LAST
    + b"5;x=y\r\nhello\r\nA\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n",
    "chunked down": b"GET /chunked HTTP/1.1\r\n\r\n" + GET + LAST,
    "expect": b"POST /echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
    + LAST
    + b"ok",
    "interim": b"GET /interim HTTP/1.1\r\n\r\n" + GET + LAST,
    "head": b"HEAD /echo HTTP/1.1\r\n\r\n" + GET + LAST,
    "no content": b"GET /no-content HTTP/1.1\r\n\r\n" + GET + LAST,
    "not modified": b"GET /not-modified HTTP/1.1\r\n\r\n" + GET + LAST,
    "until the close": b"GET /until-close HTTP/1.1\r\n\r\n",
    "answered early": b"POST /early HTTP/1.1\r\nContent-Length: 9\r\n\r\n",
    "an older version": b"GET /until-close HTTP/1.0\r\n\r\n",
    "a whole URL": b"GET http://web/echo?x HTTP/1.1\r\n" + LAST,
    "upgraded": b"GET /upgrade HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\nraw\r\n\r\n",
    "dies": b"GET /die HTTP/1.1\r\n\r\n",
    "dies in the middle": b"GET /die-in-the-middle HTTP/1.1\r\n\r\n",
    "two kinds of length": b"POST /echo HTTP/1.1\r\nContent-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length that is none": b"POST /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "no request": b"\x16\x03\x01\x00\xee\x01\x00\x00\xea\x03\x03" + bytes(range(256)),
    "no version": b"GET /echo\r\n\r\n",
    "bare newlines": b"GET /echo HTTP/1.1\n\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a long head": GET + b"X-Long: " + b"l" * 90_000 + b"\r\n" + LAST,
    "a long line": b"G" * 100_000,
    "half a head": b"GET /echo HTTP/1.1\r\nX-Half: ",
    "half a body": b"POST /echo HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf",
    "half a chunk's line": b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5",
    "a broken chunk": b"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n\r\n",
    "nothing": b"",
}


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpEdge]:
    with http_edge(tmp_path_factory.mktemp("passing")) as running:
        yield running


# Of these the server waits for more, until it hears that there is none.
UNENDED = {
    "upgraded",
    "a length that is none",
    "half a head",
    "half a body",
    "half a chunk's line",
    "nothing",
}


@pytest.mark.parametrize("name", SAID)
def test_answers_should_be_those_without_the_proxy_when_bytes_come_at_once(
    edge: HttpEdge, name: str
) -> None:
    direct = edge.said("direct", [SAID[name]], half_close=name in UNENDED)
    assert edge.said(EDGE, [SAID[name]], half_close=name in UNENDED) == direct


@pytest.mark.parametrize("name", [name for name, said in SAID.items() if len(said) < 2000])
def test_answers_should_be_those_without_the_proxy_when_bytes_come_one_by_one(
    edge: HttpEdge, name: str
) -> None:
    direct = edge.said("direct", [SAID[name]], half_close=name in UNENDED)
    each = [SAID[name][at : at + 1] for at in range(len(SAID[name]))]
    assert edge.said(EDGE, each, half_close=name in UNENDED) == direct


def test_answers_should_be_those_without_the_proxy_when_many_say_anything_in_any_pieces(
    edge: HttpEdge,
) -> None:
    dice = random.Random(5)

    def conversation() -> tuple[bytes, list[bytes]]:
        some = [
            dice.choice(["pipelined", "chunked up", "expect", "head", "interim"]) for _ in "1234"
        ]
        said = b"".join(SAID[name].replace(LAST, b"\r\n") for name in some)
        said += SAID[dice.choice(list(SAID))]
        cuts = sorted(dice.randrange(len(said)) for _ in range(dice.randrange(9)))
        return said, [said[a:b] for a, b in zip([0, *cuts], [*cuts, len(said)], strict=True)]

    def differs(talk: tuple[bytes, list[bytes]]) -> bool:
        said, pieces = talk
        direct = edge.said("direct", [said], half_close=True)
        return edge.said(EDGE, pieces, half_close=True) != direct

    talks = [conversation() for _ in range(100)]
    with ThreadPoolExecutor(8) as pool:
        assert [
            talk for talk, bad in zip(talks, pool.map(differs, talks), strict=True) if bad
        ] == []


def test_a_connection_should_stay_one_when_many_requests_use_it(edge: HttpEdge) -> None:
    with opened(edge.connection()) as connection:
        numbers = {ask(connection, "GET", "/connection") for _ in range(50)}
    assert len(numbers) == 1


@pytest.mark.parametrize("way", ["a length", "chunks"])
def test_a_big_body_should_arrive_whole_when_it_is_sent(edge: HttpEdge, way: str) -> None:
    piece = bytes(range(256)) * 4096
    count = 48
    digest = hashlib.sha256()
    for _ in range(count):
        digest.update(piece)
    length = {"Content-Length": str(len(piece) * count)} if way == "a length" else {}
    with opened(edge.connection()) as connection:
        body = (piece for _ in range(count))
        status, said = ask(connection, "POST", "/echo", body=body, **length)
    assert status == 200
    assert f'"size": {len(piece) * count}' in said.decode()
    assert digest.hexdigest() in said.decode()


def test_a_big_answer_should_arrive_whole_when_it_is_read(edge: HttpEdge) -> None:
    size = 50_000_001
    with opened(edge.connection()) as connection:
        status, body = ask(connection, "GET", f"/big?size={size}")
        assert ask(connection, "GET", "/no-content") == (204, b"")
    assert (status, len(body)) == (200, size)
    assert body == (bytes(range(256)) * (size // 256 + 1))[:size]


def test_memory_should_stay_small_when_nobody_reads_what_is_answered(edge: HttpEdge) -> None:
    with ExitStack() as stack:
        for _ in range(8):
            connection = stack.enter_context(opened(edge.connection()))
            assert begin(connection, "GET", "/big?size=500000000").status == 200
        # What is asked meanwhile is answered: the proxy does not wait for those.
        with opened(edge.connection()) as other:
            assert ask(other, "GET", "/no-content") == (204, b"")
        assert peak_mb(edge) < 64


@pytest.mark.parametrize(
    ("begins", "goes_on"),
    [
        (b"POST /deaf?id=1 HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n", b"x"),
        # These have to wait for the answer to the first.
        (b"GET /deaf?id=2 HTTP/1.1\r\n\r\n", b"GET /echo HTTP/1.1\r\n\r\n"),
    ],
    ids=["a body", "more requests"],
)
def test_memory_should_stay_small_when_the_service_does_not_read_what_is_sent(
    edge: HttpEdge, begins: bytes, goes_on: bytes
) -> None:
    with edge.socket() as sock:
        sock.sendall(begins)
        number = begins.partition(b"id=")[2][:1].decode()
        assert edge.asked(f"/await?of=deaf+{number}") == "it came"
        sock.settimeout(1)
        piece = goes_on * (1_000_000 // len(goes_on))
        with pytest.raises(TimeoutError):  # nobody takes any more
            for _ in range(300):
                sock.sendall(piece)
        assert peak_mb(edge) < 64
    edge.asked(f"/count?key=speak+{number}&of=speak+{number}")


def test_the_service_should_see_the_caller_go_when_it_works_for_him(edge: HttpEdge) -> None:
    with edge.socket() as sock:
        sock.sendall(b"GET /hang?id=going HTTP/1.1\r\n\r\n")
        assert edge.asked("/await?of=hanging+going") == "it came"
        assert edge.asked("/count?of=hung+up+going") == "0"
    assert edge.asked("/await?of=hung+up+going") == "it came"


def test_the_caller_should_see_the_service_go_when_nothing_is_asked(edge: HttpEdge) -> None:
    with edge.socket() as sock:
        sock.sendall(b"GET /closing?of=x HTTP/1.1\r\n\r\n")
        assert rest_of(sock).endswith(b"0")


@pytest.mark.parametrize("away", ["shop->shut", "shop->gone"])
def test_the_connection_should_end_without_an_answer_when_the_service_is_away(
    edge: HttpEdge, away: str
) -> None:
    assert edge.said(away, [SAID["one request"]]) == b""


def test_a_new_service_should_be_found_when_the_old_one_was_killed(edge: HttpEdge) -> None:
    with opened(edge.connection()) as connection:
        assert ask(connection, "GET", "/no-content") == (204, b"")
        edge.kill_web()
        with pytest.raises(OSError):
            ask(connection, "GET", "/no-content")
    assert edge.said(EDGE, [SAID["one request"]]) == b""
    edge.start_web()
    assert b"200 Said" in edge.said(EDGE, [SAID["one request"]])


def peak_mb(edge: HttpEdge) -> float:
    """Return the most memory that the proxy ever had."""
    found = re.search(r"VmHWM:\s+(\d+) kB", edge.exec("cat", "/proc/1/status"))
    assert found is not None
    return int(found[1]) / 1024
