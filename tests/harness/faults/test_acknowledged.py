"""The book of writes: what was acknowledged is there, once, and what was refused is not."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from uuid import UUID

import pytest
from answering import Server, answering

from nomock import baggage
from nomock.adapters.http import client
from nomock.errors import UntrueAnswersError
from nomock.faults.checks.acknowledged import Acknowledged, Outcome


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that stores the path of each request."""
    with answering() as found:
        yield found


@pytest.fixture
def book() -> Acknowledged:
    """An empty book."""
    return Acknowledged()


@pytest.mark.parametrize(
    ("status", "end"),
    [
        *((status, Outcome.OK) for status in (200, 201, 202, 204)),
        *((status, Outcome.FAILED) for status in (400, 401, 403, 404, 409, 422, 425, 429)),
        *((status, Outcome.UNKNOWN) for status in (303, 307, 408, 500, 502, 503, 504)),
    ],
)
def test_a_write_should_end_as_its_status_says_when_one_came(
    server: Server, book: Acknowledged, status: int, end: Outcome
) -> None:
    server.reply = lambda number: status
    reply = book.send("a", lambda: server.http.post("/a"))
    assert reply is not None and reply.status_code == status
    assert book.keys(end) == ["a"]


def test_a_write_should_be_unknown_when_its_answer_is_lost(
    server: Server, book: Acknowledged
) -> None:
    server.reply = lambda number: 0
    assert book.send("a", lambda: server.http.post("/a")) is None
    assert book.keys(Outcome.UNKNOWN) == ["a"]
    assert server.stored == ["a"]


def test_a_write_should_be_unknown_when_its_answer_comes_late(
    server: Server, book: Acknowledged
) -> None:
    released = Event()
    server.reply = lambda number: 200 if released.wait(20) else 500
    try:
        assert book.send("a", lambda: server.http.post("/a", timeout=0.1)) is None
    finally:
        released.set()
    assert book.keys(Outcome.UNKNOWN) == ["a"]


def test_a_write_should_have_failed_when_nobody_listens(book: Acknowledged) -> None:
    with socket.socket() as unheard:  # bound, so that nobody else takes the port
        unheard.bind(("127.0.0.1", 0))
        port = unheard.getsockname()[1]
        with client(f"http://127.0.0.1:{port}") as http:
            assert book.send("httpx", lambda: http.post("/a")) is None
        assert book.send("socket", lambda: socket.create_connection(("127.0.0.1", port))) is None
    assert book.keys(Outcome.FAILED) == ["httpx", "socket"]


def test_a_status_should_count_when_it_was_made_an_error(
    server: Server, book: Acknowledged
) -> None:
    for key, status in {"refused": 409, "unsure": 503}.items():
        server.reply = lambda number, status=status: status
        assert book.send(key, lambda: server.http.post("/a").raise_for_status()) is None
    assert (book.keys(Outcome.FAILED), book.keys(Outcome.UNKNOWN)) == (["refused"], ["unsure"])


def test_an_error_of_the_test_should_be_raised_when_a_write_has_one(book: Acknowledged) -> None:
    with pytest.raises(ZeroDivisionError):
        book.send("a", lambda: 1 / 0)
    with pytest.raises(TypeError, match="no HTTP response and no error: 'yes'; say ok, failed or"):
        book.send("b", lambda: "yes")
    assert (book.keys(Outcome.UNKNOWN), str(book)) == (["a"], "1 writes: 0 ok, 1 unknown, 0 failed")


@pytest.mark.parametrize(
    ("attempts", "end"),
    [
        ((503, 409), Outcome.UNKNOWN),  # refused because the first was done after all, or not
        ((503, 202), Outcome.OK),
        ((202, 409), Outcome.OK),
        ((429, 202), Outcome.OK),
        ((429, 409), Outcome.FAILED),
    ],
    ids=str,
)
def test_the_best_attempt_should_count_when_a_write_is_repeated(
    server: Server, book: Acknowledged, attempts: tuple[int, ...], end: Outcome
) -> None:
    server.reply = lambda number: attempts[number - 1]
    for _ in attempts:
        book.send("a", lambda: server.http.post("/a"))
    assert book.keys(end) == ["a"]


def test_nothing_should_be_said_when_the_answers_are_true(book: Acknowledged) -> None:
    order = UUID("12345678-1234-5678-1234-567812345678")
    book.ok(str(order))
    book.ok(7)
    book.failed("refused")
    book.unknown("stored")
    book.unknown("not stored")
    book.check(iter([order, "7", "stored", "another test's", "another test's"]))


def test_each_untrue_answer_should_be_named_when_the_book_is_checked(
    server: Server, book: Acknowledged
) -> None:
    statuses = {"lost": 202, "twice": 503, "refused": 409, "kept": 202}
    baggage.set_current_faults(["reset a->b"])
    try:
        for key, status in statuses.items():
            server.reply = lambda number, status=status: status
            book.send(key, lambda key=key: server.http.post(f"/{key}"))
    finally:
        baggage.set_current_faults([])
    book.ok("twice", "said otherwise")
    with pytest.raises(UntrueAnswersError) as untrue:
        book.check(["twice", "kept", "refused", "twice"])
    text = re.sub(r"127\.0\.0\.1:\d+", "HOST", str(untrue.value))
    assert re.sub(r"\d+\.\d\d s", "N s", text) == (
        "acknowledged writes: what was answered to 3 of them is not true\n"
        "  4 writes: 3 ok, 0 unknown, 1 failed\n"
        "  lost: lost (ok: POST http://HOST/lost: 202, at N s under reset a->b)\n"
        '  twice: there 2 times (unknown: POST http://HOST/twice: 503 {"code": "busy"}, at N s '
        "under reset a->b; ok: said otherwise)\n"
        '  refused: there, though refused (failed: POST http://HOST/refused: 409 {"code": "busy"}, '
        "at N s under reset a->b)\n"
        "-> a service may answer before it has stored, or store again what is sent again"
    )


def test_the_first_twenty_should_be_shown_when_many_are_lost(book: Acknowledged) -> None:
    for number in range(25):
        book.ok(number)
    with pytest.raises(UntrueAnswersError) as untrue:
        book.check([])
    assert str(untrue.value).count(": lost (ok)\n") == 20
    assert "\n  and 5 more\n" in str(untrue.value)


def test_an_unknown_write_should_be_there_once_when_it_is_there(book: Acknowledged) -> None:
    book.unknown("a")
    book.check(["a"], at_least=0)
    with pytest.raises(UntrueAnswersError, match=r"a: there 2 times \(unknown\)"):
        book.check(["a", "a"], at_least=0)


def test_the_book_should_not_pass_when_too_few_writes_were_acknowledged(
    book: Acknowledged,
) -> None:
    book.failed("a")
    with pytest.raises(UntrueAnswersError) as empty:
        book.check([])
    assert str(empty.value) == (
        "acknowledged writes: too few were acknowledged to show anything\n"
        "  1 writes: 0 ok, 0 unknown, 1 failed\n"
        "-> write more, or break less; where all may be refused: at_least=0"
    )
    book.check([], at_least=0)
    book.ok("b")
    book.check(["b"])
    with pytest.raises(UntrueAnswersError, match="too few"):
        book.check(["b"], at_least=2)


def test_the_book_should_be_right_when_many_threads_write(
    server: Server, book: Acknowledged
) -> None:
    ends = [202, 202, 503, 0]
    server.reply = lambda number: ends[number % len(ends)]

    def write(number: int) -> None:
        book.send(number, lambda: server.http.post(f"/{number}"))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(200)))
    assert str(book) == "200 writes: 100 ok, 100 unknown, 0 failed"
    book.check(server.stored, at_least=100)
    lost = book.keys(Outcome.OK)[0]
    with pytest.raises(UntrueAnswersError, match=f"answered to 1 of them .*\n.*\n  {lost}: lost "):
        book.check(key for key in server.stored if key != lost)
