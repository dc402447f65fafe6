"""Refusals of the engine that pass: real containers, over a wire that refuses some questions."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from refusing import Refusals, refusing
from tiny import IMAGE, Tiny, docker, idle, inspect

from nomock.adapters.engine import Engine
from nomock.errors import EngineBusyError, EngineError

FREEZE = "Cannot pause container: OCI runtime pause failed: unable to freeze: unknown"
RESTARTS = "Container 1234 is restarting, wait until the container is running"
REMOVES = "removal of container 1234 is already in progress"


@pytest.fixture
def container() -> Iterator[str]:
    """A container that runs."""
    id_ = docker("run", "--detach", "--init", "--network", "none", IMAGE, "sleep", "infinity")
    try:
        yield id_.strip()
    finally:
        docker("rm", "--force", id_.strip())


def paused(id_: str) -> bool:
    return bool(inspect(id_)["State"]["Paused"])


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (500, FREEZE),
        (500, "failed to stop: context deadline exceeded"),
        (500, "tried to kill container, but did not receive an exit event"),
        (500, "unlinkat /x/merged: device or resource busy"),
        (409, RESTARTS),
        (409, REMOVES),
    ],
)
def test_a_question_should_be_asked_again_when_its_refusal_passes(
    container: str, status: int, words: str
) -> None:
    refusals = Refusals("/pause", status, words, times=2)
    with refusing(refusals) as address:
        Engine(address).pause(container)
    assert (len(refusals.given), paused(container)) == (2, True)


def test_a_question_should_be_done_when_it_was_refused_and_done_all_the_same(
    container: str,
) -> None:
    late = "context deadline exceeded"
    things: dict[str, Callable[[Engine], None]] = {
        "/pause": lambda engine: engine.pause(container),
        "/unpause": lambda engine: engine.unpause(container),
        "/connect": lambda engine: engine.connect(container, "bridge", {}),
        "/kill": lambda engine: engine.kill(container),
    }
    docker("network", "disconnect", "none", container)
    for part, thing in things.items():
        refusals = Refusals(part, 500, late, times=1, after=True)
        with refusing(refusals) as address:
            thing(Engine(address))
        assert len(refusals.given) == 1, part
    assert inspect(container)["State"]["ExitCode"] == 137


def test_the_last_words_should_be_in_the_error_when_the_deadline_is_over(container: str) -> None:
    refusals = Refusals("/pause", 500, FREEZE, times=1000)
    with refusing(refusals) as address:
        with pytest.raises(EngineBusyError) as caught:
            Engine(address, timeout_s=0.3).pause(container)
        assert len(refusals.given) > 1
    assert str(caught.value) == (
        f"engine at {address}: the engine refused POST /containers/{container}/pause for 0.3 s "
        f"(500)\n  {FREEZE}\n"
        "-> its machine may have too much to do: run fewer tests at once, and again"
    )


def test_a_question_should_be_asked_once_when_its_refusal_does_not_pass(container: str) -> None:
    words = "cannot toggle freezer: cgroups not configured for container"
    refusals = Refusals("/pause", 500, words, times=2)
    with refusing(refusals) as address, pytest.raises(EngineError, match=words):
        Engine(address).pause(container)
    assert len(refusals.given) == 1


def test_a_pause_should_be_on_when_the_engine_is_too_busy_to_freeze_at_once(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny.compose(web=idle())
    tiny.tests("""
        def test_it(stack, faults):
            with faults.pause("web"):
                pass
    """)
    refusals = Refusals("/pause", 500, FREEZE, times=3)
    with refusing(refusals) as address:
        monkeypatch.setenv("DOCKER_HOST", address)
        tiny.run().assert_outcomes(passed=1)
    assert len(refusals.given) == 3
