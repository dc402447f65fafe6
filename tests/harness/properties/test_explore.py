"""State machines on a stack: what comes between examples, what is kept, what is told."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from nomock import Stack, bounded, concurrency, explore, latencies
from nomock.errors import ConfigError
from nomock.loading import load
from nomock.quality.left import Properties, left
from nomock.quality.left.files import path_of


@pytest.fixture(autouse=True)
def not_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack of which nothing is ever asked."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "compose.yml").write_text("services: {web: {image: web}}")
    return Stack.of(load(tmp_path))


class Shop:
    """What the machines use, and somebody has to clear."""

    def __init__(self, *, loses: int = 1000) -> None:
        self.sold = 0
        self.loses = loses
        self.begun: list[int] = []
        self.cleared = 0
        self.raced = False

    def clear(self) -> None:
        self.sold = 0
        self.cleared += 1


class Selling(RuleBasedStateMachine):
    """Counts what the shop has sold."""

    def __init__(self, shop: Shop) -> None:
        super().__init__()
        self.shop = shop
        self.due = 0
        shop.begun.append(shop.sold)

    @rule(pieces=st.integers(1, 5))
    def sell(self, pieces: int) -> None:
        self.due += pieces
        self.shop.sold += pieces if pieces < self.shop.loses else 0

    @invariant()
    def nothing_is_lost(self) -> None:
        """Nothing is lost.

        Not a piece.
        """
        assert self.shop.sold == self.due

    @invariant()
    def never_negative(self) -> None:
        assert self.due >= 0


def known(stack: Stack) -> dict[str, tuple[int, str]]:
    found = left(stack.settings.state_dir, Properties)
    assert found is not None
    return {each.name: (each.examples, each.state) for each in found.invariants}


def test_each_example_should_find_a_clean_state_when_they_are_explored(stack: Stack) -> None:
    shop = Shop()
    explore(stack, lambda: Selling(shop), between=shop.clear, examples=5, steps=4)
    assert len(shop.begun) == 5
    assert set(shop.begun) == {0}
    assert (shop.cleared, shop.sold) == (5, 0)
    assert known(stack) == {"Nothing is lost": (5, "holds"), "never negative": (5, "holds")}


def test_example_should_be_shrunk_cleaned_and_named_when_an_invariant_breaks(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = Shop(loses=4)
    with pytest.raises(AssertionError) as broken:
        explore(stack, lambda: Selling(shop), between=shop.clear, examples=20, steps=4)
    assert set(shop.begun) == {0}
    assert shop.sold == 0
    shown = "\n".join(getattr(broken.value, "__notes__", ())) + capsys.readouterr().out
    assert "state.sell(pieces=4)" in shown
    assert shown.count("state.sell(") == 1
    states = {name: state for name, (_, state) in known(stack).items()}
    assert states == {"Nothing is lost": "broken", "never negative": "holds"}


def test_invariant_should_be_named_when_it_does_not_break_again(stack: Stack) -> None:
    shop = Shop()

    class Racing(Selling):
        @rule()
        def race(self) -> None:
            if not shop.raced:
                shop.raced = True
                self.due += 1

    with pytest.raises(Flaky):
        explore(stack, lambda: Racing(shop), between=shop.clear, examples=20, steps=4)
    assert known(stack)["Nothing is lost"][1] == "broken"
    assert known(stack)["never negative"][1] == "holds"


def test_all_that_break_should_be_named_when_there_are_several(stack: Stack) -> None:
    class Losing(Selling):
        @initialize(owes=st.booleans())
        def begin(self, owes: bool) -> None:
            """Break one or the other at once: which of them chance meets is none of this test."""
            self.due -= 100 if owes else 1

        @invariant()
        def never_negative(self) -> None:
            if self.due < -1:
                raise ValueError(self.due)

        @invariant()
        def nothing_is_lost(self) -> None:
            """Nothing is lost."""
            assert self.due < -1 or self.shop.sold == self.due

    shop = Shop(loses=4)
    with pytest.raises(BaseExceptionGroup):
        explore(stack, lambda: Losing(shop), between=shop.clear, examples=50, steps=4)
    assert {state for _, state in known(stack).values()} == {"broken"}


def test_next_run_should_begin_with_what_failed_when_it_was_kept(stack: Stack) -> None:
    with pytest.raises(AssertionError):
        explore(stack, lambda: Selling(shop), between=(shop := Shop(loses=4)).clear)
    assert list((stack.settings.state_dir / "examples").rglob("*"))
    again = Shop(loses=4)
    with pytest.raises(AssertionError):
        explore(stack, lambda: Selling(again), between=again.clear, examples=1)
    assert len(again.begun) <= len(shop.begun)
    mended = Shop()
    explore(stack, lambda: Selling(mended), between=mended.clear, examples=3)
    assert known(stack)["Nothing is lost"][1] == "holds"


def test_examples_should_be_the_same_when_it_is_ci(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    seen: list[list[int]] = []

    class Noting(Selling):
        @rule(pieces=st.integers(1, 1000))
        def note(self, pieces: int) -> None:
            seen[-1].append(pieces)

    for _ in range(2):
        seen.append([])
        shop = Shop()
        explore(stack, lambda: Noting(shop), between=shop.clear, examples=4, steps=5)  # noqa: B023
    assert seen[0] == seen[1] != []
    assert bounded().database is None


def test_error_of_the_cleaning_should_be_told_when_it_fails(stack: Stack) -> None:
    def fail() -> None:
        raise RuntimeError("the database is away")

    with pytest.raises(RuntimeError, match="the database is away"):
        explore(stack, lambda: Selling(Shop()), between=fail, examples=1)


def test_record_of_another_version_should_be_replaced_when_there_is_one(stack: Stack) -> None:
    path = path_of(stack.settings.state_dir, Properties)
    path.parent.mkdir(parents=True)
    path.write_text('{"version": 99}')
    shop = Shop()
    explore(stack, lambda: Selling(shop), between=shop.clear, examples=1)
    assert "Nothing is lost" in known(stack)


def test_settings_should_suit_a_live_stack_when_nothing_else_is_said() -> None:
    chosen = bounded(examples=7, steps=3)
    assert (chosen.max_examples, chosen.stateful_step_count, chosen.deadline) == (7, 3, None)
    assert not chosen.derandomize
    assert chosen.print_blob


@given(count=concurrency(3), latency_ms=latencies(100))
@bounded(examples=20)
def test_strategies_should_draw_within_their_bounds_when_they_are_asked(
    count: int, latency_ms: int
) -> None:
    assert count in (1, 2, 3)
    assert latency_ms in (0, 50, 100)


def test_hypothesis_should_be_asked_for_when_it_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in sys.modules if name.startswith("nomock.properties")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "nomock.adapters.hypothesis", raising=False)
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(ConfigError) as refused:
        import nomock.properties.explore  # noqa: F401
    assert str(refused.value) == (
        "examples that it is to generate: Hypothesis is not installed\n"
        "-> pip install 'nomock[hypothesis]'"
    )
