"""Who may use which part of a stack: each ``Claims`` stands for a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from nomock.errors import LockedError
from nomock.faults.locking.claims import Claims

Make = Callable[[], Claims]
Run = Callable[..., "Future[None]"]


@pytest.fixture
def claims(tmp_path: Path) -> Make:
    """Makes the claims of one more process."""
    return lambda: Claims(tmp_path / ".nomock", "stack")


@pytest.fixture
def aside() -> Iterator[Run]:
    """Runs a function that may wait in a thread."""
    with ThreadPoolExecutor() as threads:
        yield threads.submit


def free(claims: Claims, part: str) -> bool:
    """Tell whether a newcomer could share a part now."""
    entered = claims._part(part).enters()
    if entered:
        claims._part(part).leave()
    return entered


def until(said: Callable[[], bool]) -> None:
    """Return when something is so."""
    for _ in range(2000):
        if said():
            return
        Event().wait(0.005)
    raise AssertionError("it did not come to pass")


def test_a_part_should_be_broken_only_when_none_of_many_uses_it(claims: Make, aside: Run) -> None:
    one, two, breaker, newcomer = claims(), claims(), claims(), claims()
    one.acquire_shared({"a", "b"})
    two.acquire_shared({"a"})
    taken = aside(breaker.acquire_exclusive, {"a"}, "breaker")
    until(lambda: not free(newcomer, "a"))
    one.release()
    assert not taken.done()
    two.release()
    taken.result(10)
    assert not free(newcomer, "a")
    assert free(newcomer, "b")
    breaker.release()
    assert free(newcomer, "a")


def test_a_newcomer_should_wait_when_somebody_waits_to_break(claims: Make, aside: Run) -> None:
    one, breaker, newcomer = claims(), claims(), claims()
    one.acquire_shared({"a"})
    taken = aside(breaker.acquire_exclusive, {"a"}, "breaker")
    until(lambda: not free(newcomer, "a"))
    entered = aside(newcomer.acquire_shared, {"a"})
    one.release()
    taken.result(10)
    assert not entered.done()
    breaker.release()
    entered.result(10)


def test_a_process_should_let_go_of_all_else_when_it_waits_for_a_part(
    claims: Make, aside: Run
) -> None:
    one, breaker = claims(), claims()
    one.acquire_shared({"a"})
    breaker.acquire_exclusive({"b"}, "breaker")
    entered = aside(one.acquire_shared, {"b"})
    # It would wait for ever if the other kept what it has.
    breaker.acquire_exclusive({"a"}, "breaker")
    breaker.release()
    entered.result(10)
    assert one._shared == {"a", "b"}


def test_two_should_break_at_the_same_time_when_their_faults_cannot_meet(
    claims: Make, aside: Run
) -> None:
    one, two, both = claims(), claims(), claims()
    one.acquire_shared({"a", "a store"})
    one.acquire_exclusive({"a"}, "one")
    two.acquire_exclusive({"b"}, "two")
    two.acquire_shared({"b store"})
    # One that would meet either waits for both, with nothing in hand.
    both.acquire_shared({"c"})
    taken = aside(both.acquire_exclusive, {"a", "b"}, "both")
    two.acquire_exclusive({"c"}, "two")
    one.release()
    assert not taken.done()
    two.release()
    taken.result(10)


def test_a_breaker_should_wait_when_one_who_breaks_something_beside_may_use_the_part(
    tmp_path: Path, aside: Run
) -> None:
    around = {"web->db": {"web", "web->db", "db"}, "db": {"web", "web->db", "db"}}
    one, two = (
        Claims(
            tmp_path / ".nomock", "stack", around=lambda p: frozenset().union(*map(around.get, p))
        )
        for _ in range(2)
    )
    one.acquire_exclusive({"web->db"}, "one")
    taken = aside(two.acquire_exclusive, {"db"}, "two")
    one.acquire_shared({"web", "db"})  # without waiting for the other, who waits for this one
    assert not taken.done()
    one.release()
    taken.result(10)


def test_the_last_of_a_circle_should_be_refused_at_once_when_each_waits_for_the_next(
    claims: Make, aside: Run
) -> None:
    one, two, three = claims(), claims(), claims()
    one.acquire_exclusive({"a"}, "kill a of test_one")
    two.acquire_exclusive({"b"}, "kill b of test_two")
    three.acquire_exclusive({"c"}, "kill c of test_three")
    first = aside(one.acquire_shared, {"b"})
    second = aside(two.acquire_exclusive, {"c"}, "kill c of test_two")
    waits = one._folder / "waits"
    until(lambda: len(list(waits.glob("*"))) == 2)
    with pytest.raises(LockedError) as caught:
        three.acquire_shared({"a"})
    assert str(caught.value).splitlines()[0] == (
        "a: another test has broken it, and waits for what this one has broken"
    )
    assert str(caught.value).endswith('with faults.none("a")')
    assert not first.done()
    assert not second.done()
    three.release()
    second.result(10)
    two.release()
    first.result(10)
    assert list(waits.glob("*")) == []


def test_a_part_should_be_held_until_the_test_is_over_when_it_is_taken_twice(
    claims: Make,
) -> None:
    one, other = claims(), claims()
    one.acquire_exclusive({"a"}, "one")
    one.acquire_exclusive({"a", "b"}, "one")
    assert not free(other, "a")
    assert not free(other, "b")
    one.release()
    assert free(other, "a")
    assert free(other, "b")


def test_requests_should_pass_a_broken_part_when_their_own_test_broke_it(claims: Make) -> None:
    one = claims()
    one.acquire_shared({"a", "b"})
    one.acquire_exclusive({"a"}, "one")
    one.acquire_shared({"a", "b", "c"})
    one.release()
    assert all(free(claims(), part) for part in "abc")


def test_a_part_should_be_held_alone_when_its_name_is_like_that_of_a_file_of_ours(
    claims: Make, tmp_path: Path
) -> None:
    one = Claims(tmp_path / ".nomock", "stack", patience_s=0.05)
    parts = {"taking", "waits", "a->b", "a/b", "a.queue", "a.lock", "a"}
    one.acquire_exclusive(parts, "one")
    assert not any(free(claims(), part) for part in parts)


def test_a_process_should_hold_nothing_when_it_was_killed(claims: Make, tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path\n"
        "from nomock.faults.locking.claims import Claims\n"
        "claims = Claims(Path(sys.argv[1]), 'stack')\n"
        "claims.acquire_exclusive({'a'}, 'it'); claims.acquire_shared({'b'})\n"
        "os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path / ".nomock"], check=False)
    breaker = claims()
    breaker.acquire_exclusive({"a", "b"}, "breaker")
    breaker.release()


HOLDER = """
import sys
from pathlib import Path
from nomock.faults.locking.claims import Claims

claims = Claims(Path(sys.argv[1]), "stack")
getattr(claims, sys.argv[2])({"a"}, *sys.argv[3:])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (
            ["acquire_shared"],
            "a: other tests have used it for more than 0.05 s\n"
            "  process PID\n"
            "-> let them end, or end them",
        ),
        (
            ["acquire_exclusive", "pause a of test_holds"],
            "a: it has been broken by another test for more than 0.05 s\n"
            "  process PID: pause a of test_holds\n"
            "-> let that test end, or end it",
        ),
    ],
)
def test_a_breaker_should_give_up_and_say_who_holds_the_part_when_it_waited_too_long(
    tmp_path: Path, how: list[str], said: str
) -> None:
    folder = tmp_path / ".nomock"
    one = Claims(folder, "stack", patience_s=0.05)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, folder, *how],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(LockedError) as caught:
            one.acquire_exclusive({"a", "0"}, "pause a of test_waits")
        assert str(caught.value).replace(str(holder.pid), "PID") == said
        # It keeps nobody out, and may go on.
        other = Claims(folder, "stack", patience_s=0.05)
        assert free(other, "0")
        assert free(other, "a") == (how == ["acquire_shared"])
        one.acquire_shared({"0"})
        holder.kill()
    other.acquire_exclusive({"a"}, "other")


def test_what_a_test_has_broken_should_stay_its_own_when_it_cannot_have_more(
    claims: Make, tmp_path: Path
) -> None:
    one, user, other = Claims(tmp_path / ".nomock", "stack", patience_s=0.05), claims(), claims()
    one.acquire_exclusive({"a"}, "one")
    user.acquire_shared({"b"})
    with pytest.raises(LockedError):
        one.acquire_exclusive({"b"}, "one")
    assert not free(other, "a")
    assert free(other, "b")
    one.release()
    other.acquire_exclusive({"a"}, "other")
