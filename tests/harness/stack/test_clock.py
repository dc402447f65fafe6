"""A clock that was set, back as well, costs no rebuild, no evidence, and no time below zero."""

from __future__ import annotations

import os
import re
from contextlib import closing
from datetime import UTC, datetime
from threading import Event
from time import monotonic, time

import pytest
from tiny import IMAGE, Tiny, idle

from nomock.adapters.engine import Engine
from nomock.evidence import Scene, Window, mishaps
from nomock.moments import Moment
from nomock.stack.sharing import Clock, Sharing
from nomock.target import ContainerState

HOUR_S = 3600.0


def began(set_s: float, ago_s: float = 0.0) -> Moment:
    """Return a moment as it was taken before the clock was set."""
    return Moment(time() - set_s - ago_s, monotonic() - ago_s)


@pytest.mark.parametrize("set_s", [-HOUR_S, 0.0, HOUR_S])
def test_a_moment_should_tell_by_how_much_when_the_clock_was_set_since(set_s: float) -> None:
    moment = began(set_s)
    assert moment.set_s == pytest.approx(set_s, abs=0.1)
    assert moment.earliest_s == pytest.approx(time() - max(set_s, 0.0), abs=0.1)


@pytest.mark.parametrize(
    ("set_s", "said_s", "by_now_s"),
    [
        # A test of ten seconds began at 100, by what the clock says now, which is 110.
        (0.0, 103.0, 103.0),
        (0.0, 90.0, 90.0),
        (-HOUR_S, 3703.0, 103.0),  # happened before the clock was set back
        (-HOUR_S, 108.0, 108.0),  # and after
        (-HOUR_S, 3690.0, 90.0),  # and before the test
        (HOUR_S, 103.0 - HOUR_S, 103.0),
        (HOUR_S, 108.0, 108.0),
        (HOUR_S, 90.0 - HOUR_S, 90.0 - HOUR_S),  # before it, which need not be moved
    ],
)
def test_a_moment_should_be_told_by_the_clock_of_now_when_it_was_before_the_clock_was_set(
    set_s: float, said_s: float, by_now_s: float
) -> None:
    window = Window(100.0, 100.0, 110.0, ahead_s=0.0, slack_s=0.01, set_s=set_s)
    assert window.by_now(said_s) == by_now_s
    if by_now_s >= 100:
        assert min(100.0, window.earliest_s) <= said_s  # so that it is asked for
        assert window.when(window.by_now(said_s)) == f"at {by_now_s - 100:.1f} s"
    assert bool(window.notice) == bool(set_s)


@pytest.mark.parametrize("set_s", [-HOUR_S, HOUR_S])
def test_an_end_should_be_told_at_its_time_when_the_clock_was_set_meanwhile(
    tiny: Tiny, set_s: float
) -> None:
    tiny.compose(one=idle())
    with closing(tiny.stack()) as stack:
        stack.prepare()
        moment = began(set_s)
        (container,) = stack.containers()
        Engine().kill(container.id)  # not by the stack's own, which would know who it was
        while tiny.states() != {"one": "exited"}:
            Event().wait(0.02)
        window = Window.of(stack.engine, moment, ready_s=stack.ready_s)
        scene = Scene(stack.name, window, lost={container.id})
        (mishap,) = mishaps(stack.engine, stack.containers(), scene)
    assert re.match(r"one: exited with code 137 at \d\.\d s", mishap.line), mishap.line
    how = "back" if set_s < 0 else "forward, or the machine slept,"
    assert window.notice.startswith(f"it was set {how} by 3600 s while this test ran")


def test_nothing_should_be_changed_when_all_that_is_known_is_of_the_future(tiny: Tiny) -> None:
    tiny.write("app/Dockerfile", f"FROM {IMAGE}\nCOPY told /told\n")
    told, mounted = tiny.write("app/told", "before\n"), tiny.write("mounted.conf", "before\n")
    one = idle(build="./app", volumes=["./mounted.conf:/mounted.conf:ro"])
    tiny.compose(one=one)
    # So all that was written before looks after a clock was set back by a day.
    tomorrow = time() + 24 * HOUR_S

    def of_tomorrow() -> None:
        for path in (path for path in tiny.path.rglob("*") if path.is_file()):
            os.utime(path, (tomorrow, tomorrow))

    of_tomorrow()
    tiny.tests("def test_one(stack): pass")
    tiny.run().assert_outcomes(passed=1)
    before = tiny.containers()
    of_tomorrow()
    tiny.run().assert_outcomes(passed=1)
    assert tiny.containers() == before
    text = (tiny.path / ".nomock/last-run.json").read_text()
    began_s = text.partition('"began_s": ')[2].partition(",")[0]
    (tiny.path / ".nomock/last-run.json").write_text(text.replace(began_s, str(tomorrow)))
    assert tiny.nomock("diagnose").ret == 0
    # And what is written then is of before what is known, and seen all the same.
    for path in (told, mounted):
        path.write_text("after\n")
        assert tiny.stack().differences().keys() == {"one"}
        path.write_text("before\n")
        os.utime(path, (tomorrow, tomorrow))
    assert tiny.stack().differences() == {}


def life(started_s: float) -> ContainerState:
    started = datetime.fromtimestamp(started_s, UTC).isoformat()
    return ContainerState("running", started, "0001-01-01T00:00:00Z", 0, False, {})


@pytest.mark.parametrize(
    ("sharer_s", "owner_s", "is_stale"),
    [
        (-10, -20, False),
        (-20, -10, True),
        # The clock was set back by an hour after the one of the future was started.
        (-20, 3580, False),
        (3580, -20, True),
        (3590, 3580, False),
    ],
)
def test_who_shares_should_be_started_anew_only_when_the_other_was_by_whatever_clock(
    sharer_s: float, owner_s: float, is_stale: bool
) -> None:
    owners = {"network": life(time() + owner_s)}
    sharing = Sharing("x", life(time() + sharer_s), owners, Clock(Engine().now_s))
    assert sharing.is_stale == is_stale
