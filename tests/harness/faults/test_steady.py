"""A probe is watched before, during and after a fault."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from answering import Server, answering

from nomock import baggage
from nomock.errors import NotSteadyError
from nomock.faults.checks.steady import SteadyWatch, recovers_within, steady
from nomock.faults.locking import waited
from nomock.faults.locking.claims import Claims
from nomock.faults.locking.waited import waited_between

# Far more than any answer here takes.
SOON_S = 20.0
IN_TIME_S = 3.0
# Nothing makes it come earlier.
SLOW_S = IN_TIME_S + 0.2


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that says 200 until it is told otherwise; no thread of a watch may be left."""
    with answering() as found:
        yield found
    assert not [t.name for t in threading.enumerate() if t.name.startswith("steady")]


def busy(number: int) -> int:
    return 503


def slow(number: int) -> int:
    Event().wait(SLOW_S)
    return 200


def asked(watch: SteadyWatch, count: int) -> None:
    """Wait until a watch has so many answers more."""
    pause, more = Event(), len(watch.answers) + count
    while len(watch.answers) < more:
        pause.wait(0.005)


def plain(error: BaseException) -> str:
    """Return an error's text without what differs from run to run."""
    text = re.sub(r"127\.0\.0\.1:\d+", "HOST", str(error))
    text = re.sub(r"test_steady\.py:\d+", "test_steady.py:LINE", text)
    text = re.sub(r"\b\d+\.\d\d s", "N s", text)
    return re.sub(r"asked \d+ times, \d+ bad", "asked N times, N bad", text)


# Before


def test_the_block_should_not_begin_when_the_system_is_not_steady(server: Server) -> None:
    server.reply = busy
    began = False
    with (
        pytest.raises(NotSteadyError) as refusal,
        steady(lambda: server.http.get("/health"), within_s=SOON_S),
    ):
        began = True
    assert not began
    assert plain(refusal.value) == (
        "probe test_steady.py:LINE: no good answer within 20 s before anything was broken\n"
        "  asked N times, N bad\n"
        '  first bad: GET http://HOST/health: 503 {"code": "busy"}; asked at N s, took N s\n'
        '  longest: GET http://HOST/health: 503 {"code": "busy"}; asked at N s, took N s\n'
        "-> nomock logs, for what it waited for or could not reach"
    )


def test_the_block_should_not_begin_when_the_first_answer_comes_late(server: Server) -> None:
    server.reply = slow
    with (
        pytest.raises(NotSteadyError, match="no good answer within 3 s before"),
        steady(lambda: server.http.get("/"), within_s=IN_TIME_S),
    ):
        pytest.fail("it began")


@pytest.mark.parametrize("answer", [None, False, 0, [], ""])
def test_an_answer_should_be_bad_when_it_is_not_true(answer: object) -> None:
    with (
        pytest.raises(NotSteadyError, match=re.escape(f"first bad: {answer!r}; asked")),
        steady(lambda: answer, within_s=SOON_S),
    ):
        pytest.fail("it began")


def test_a_failed_assertion_should_be_told_when_the_probe_makes_it() -> None:
    def three_instances() -> bool:
        assert 1 + 1 == 3, "only two"
        return True

    with (
        pytest.raises(NotSteadyError) as refusal,
        steady(three_instances, within_s=SOON_S),
    ):
        pytest.fail("it began")
    assert str(refusal.value).startswith("probe three_instances (test_steady.py:")
    assert "first bad: AssertionError: only two" in str(refusal.value)


# During


def test_a_watch_should_know_which_fault_was_on_when_it_asked(server: Server) -> None:
    context_before = baggage.current_test()
    baggage.set_current_test("tests/test_a.py::test_b")
    try:
        with steady(lambda: server.http.get("/"), within_s=SOON_S) as watch:
            asked(watch, 2)
            baggage.set_current_faults(["kill redis"])
            asked(watch, 2)
            baggage.set_current_faults([])
            asked(watch, 2)
    finally:
        baggage.set_current_faults([])
        baggage.set_current_test(context_before)
    assert {answer.fault for answer in watch.answers} == {"", "kill redis"}
    assert watch.failed == []
    # Its requests belong to the test, though another thread sent them.
    assert all("nomock.test=tests%2Ftest_a.py%3A%3Atest_b" in text for text in server.baggage)


def test_bad_answers_should_be_counted_when_they_are_allowed(server: Server) -> None:
    with steady(lambda: server.http.get("/"), within_s=SOON_S, allowed_failures=1000) as watch:
        server.reply = busy
        asked(watch, 3)
        server.reply = lambda number: 0
        asked(watch, 3)
    assert len(watch.failed) >= 4
    assert "first bad: GET http" in str(watch) and "503" in str(watch)
    assert "last bad" in str(watch) and "RemoteProtocolError" in str(watch)


def test_a_watch_should_fail_when_more_answers_are_bad_than_may_be(server: Server) -> None:
    with (
        pytest.raises(NotSteadyError, match=r"\d+ of \d+ answers failed, 1 may"),
        steady(lambda: server.http.get("/"), within_s=SOON_S, allowed_failures=1) as watch,
    ):
        server.reply = busy
        asked(watch, 4)


def test_a_watch_should_fail_when_an_answer_comes_late(server: Server) -> None:
    baggage.set_current_faults(["latency a->b"])
    try:
        with (
            pytest.raises(NotSteadyError) as late,
            steady(lambda: server.http.get("/"), within_s=IN_TIME_S) as watch,
        ):
            asked(watch, 1)
            server.reply = slow
            asked(watch, 2)
    finally:
        baggage.set_current_faults([])
    head, counts, first, *_ = plain(late.value).splitlines()
    assert re.fullmatch(r"probe test_steady.py:LINE: \d+ of \d+ answers took longer than 3 s", head)
    assert counts == "  asked N times, N bad"
    assert first == (
        "  first bad: GET http://HOST/: 200; asked at N s under latency a->b, took N s"
    )


def test_the_error_of_the_block_should_have_a_note_when_it_fails(server: Server) -> None:
    with (
        pytest.raises(KeyError) as failed,
        steady(lambda: server.http.get("/"), within_s=SOON_S) as watch,
    ):
        asked(watch, 1)
        raise KeyError("the test's own")
    [note] = failed.value.__notes__
    assert re.match(r"probe test_steady.py:\d+ meanwhile: asked \d+ times, 0 bad\nlongest:", note)


def test_a_wait_for_another_test_should_not_count_when_the_probe_had_to_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waited, "_waits", [])
    ours, theirs = Claims(tmp_path, "stack"), Claims(tmp_path, "stack")

    def probe() -> bool:
        ours.acquire_shared(["auth"])
        return True

    def their_test() -> None:
        theirs.acquire_exclusive(["auth"], "their test")
        # The probe may notice late.
        Event().wait(2 * IN_TIME_S)
        theirs.release()

    with steady(probe, within_s=IN_TIME_S) as watch:
        asked(watch, 1)
        # It is in the queue of auth, and gets it, which ours lets go before it breaks something.
        other = Thread(target=their_test)
        other.start()
        newcomer, pause = Claims(tmp_path, "stack")._part("auth"), Event()
        while newcomer.enters():
            newcomer.leave()
            pause.wait(0.001)
        ours.acquire_exclusive(["redis"], "our test")
        ours.release()
        asked(watch, 1)
    other.join()
    ours.release()
    assert watch.failed == []
    disturbed = [answer for answer in watch._asked if answer.is_disturbed]
    assert max(answer.took_s for answer in disturbed) > IN_TIME_S


def test_time_waited_should_count_once_when_threads_waited_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waited, "_waits", [(5.0, 7.0), (1.0, 3.0), (2.0, 4.0), (2.5, 3.5)])
    assert waited_between(0.0, 10.0) == 5.0
    assert waited_between(2.0, 6.0) == 3.0
    assert waited_between(4.0, 5.0) == 0.0


# After


def test_recovery_should_be_told_when_enough_good_answers_came_in_a_row(server: Server) -> None:
    statuses = {1: 0, 2: 503, 3: 200, 4: 200, 5: 503}
    server.reply = lambda number: statuses.get(number, 200)
    took_s = recovers_within(lambda: server.http.get("/"), SOON_S)
    assert len(server.stored) == 8
    assert 0 < took_s < SOON_S
    assert recovers_within(lambda: server.http.get("/"), SOON_S, in_a_row=1) < SOON_S
    assert len(server.stored) == 9


def test_recovery_should_be_refused_when_the_answers_stay_bad(server: Server) -> None:
    server.reply = busy
    with pytest.raises(NotSteadyError) as refusal:
        recovers_within(lambda: server.http.get("/"), 0.2)
    assert plain(refusal.value).startswith(
        "probe test_steady.py:LINE: not 3 good answers in a row within 0.2 s of healing\n"
        "  asked N times, N bad\n"
        "  first bad: GET http://HOST/: 503"
    )


def test_recovery_should_be_refused_when_the_last_good_answer_comes_late(server: Server) -> None:
    server.reply = lambda number: slow(number) if number == 2 else 200
    with pytest.raises(NotSteadyError, match="asked 2 times, 1 bad"):
        recovers_within(lambda: server.http.get("/"), IN_TIME_S, in_a_row=2)


def test_recovery_should_need_answers_in_time_when_a_watch_is_asked(server: Server) -> None:
    with (
        pytest.raises(NotSteadyError, match="not 3 good answers in a row within 1 s") as refusal,
        steady(lambda: server.http.get("/"), within_s=IN_TIME_S) as watch,
    ):
        server.reply = slow
        watch.recovers_within(1)
    [note] = refusal.value.__notes__
    assert "bad" in note


def test_recovery_should_not_wait_for_an_old_question_when_it_hangs(server: Server) -> None:
    hangs, released = Event(), Event()

    def reply(number: int) -> int:
        if number == hanging:
            hangs.set()
            released.wait(SOON_S)
        return 200

    with steady(lambda: server.http.get("/"), within_s=SOON_S) as watch:
        hanging = len(server.stored) + 3
        server.reply = reply
        assert hangs.wait(SOON_S)
        assert watch.recovers_within(SOON_S) < SOON_S
        assert not released.is_set()
        released.set()
