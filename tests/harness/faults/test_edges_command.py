"""``nomock edges``: what the tests break in which way, and what they do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from proxied import proxied
from tiny import Tiny, idle

from nomock.faults.usage.effects import Effect, load_effects, save_effects

TESTS = """
    @pytest.mark.parametrize("ms", [1, 2])
    def test_slow(stack, faults, ms):
        with faults.latency("shop->web", latency_ms=ms):
            through(stack, "shop->web")

    def test_away(stack, faults):
        with faults.refused("shop->web"), faults.kill("bank"):
            with pytest.raises(httpx.TransportError):
                through(stack, "shop->web")

    def test_beside(stack, faults):
        with faults.slice("shop->bank", expect_traffic=False):
            through(stack, "shop->web")
"""
MATRIX = """\
                                     slow                             cut
edges: 2 of 18  latency  bandwidth  close  blackhole  reset  slice  after  refused  flap
  shop->bank          .          .      .          .      .      .      .        .     .
  shop->web           2          .      .          .      .      .      .        1     ."""
CELLS = """\
edges: shop->web
  latency           test_tiny.py::test_slow[1]
                    test_tiny.py::test_slow[2]
  refused           test_tiny.py::test_away
services: bank
  kill              test_tiny.py::test_away"""


def said(tiny: Tiny, *arguments: str) -> str:
    result = tiny.nomock("edges", *arguments)
    assert result.ret == 0, result.stderr.str()
    return tiny.plain("\n".join(result.outlines))


@pytest.mark.slow
def test_the_matrix_should_show_what_bit_when_a_parallel_run_is_over(shop: Tiny) -> None:
    proxied(shop, TESTS)
    shop.run("-n2").assert_outcomes(passed=4)

    whole = said(shop)
    assert whole.startswith(
        "stack NAME, edges as told by Toxiproxy\n\n"
        "holes: what no test breaks that way\n\n"
        "edges\n"
        "  shop->bank  everything\n"
        "  shop->web   bandwidth, slow_close, blackhole, reset, slice, cut_after, flap\n\n"
        "services\n"
        "  web   everything\n"
    )
    assert MATRIX in whole
    assert "requests on edges" not in whole  # no HTTP fault proxy
    assert "database" not in whole
    assert max(map(len, whole.splitlines())) <= 100
    assert said(shop, "--tests") == CELLS
    assert said(shop, "bank", "--tests").startswith("services: bank\n  kill              test_tiny")
    one = said(shop, "shop->bank").splitlines()
    assert one[:2] == ["edges: shop->bank", "  latency           no test"]
    unknown = shop.nomock("edges", "shop->bnak")
    assert unknown.ret == 1
    assert [shop.plain(line) for line in unknown.errlines] == [
        "stack NAME: there is no edge 'shop->bnak'",
        "  the edges are: shop->bank, shop->web",
        "-> did you mean 'shop->bank'?",
    ]

    equipment = shop.nomock("edges", "toxiproxy")
    assert [shop.plain(line) for line in equipment.errlines] == [
        "stack NAME: there is no service 'toxiproxy'",
        "  the services are: bank, web",
        "-> name one of them",
    ]

    # A newer run of a test replaces what it did; a test that is gone drops out; the others stay.
    text = (shop.path / "test_tiny.py").read_text()
    shop.tests(text.replace("def test_away", "def test_gone").replace("[1, 2]", "[2, 3]"))
    shop.run("-k", "test_slow").assert_outcomes(passed=2, deselected=2)
    shop.nomock("down")
    assert said(shop).startswith("stack NAME, edges as told by its files: it does not run\n")
    assert said(shop, "--tests") == (
        "edges: shop->web\n"
        "  latency           test_tiny.py::test_slow[1]\n"
        "                    test_tiny.py::test_slow[2]\n"
        "                    test_tiny.py::test_slow[3]"
    )


def test_tables_of_services_should_be_shown_when_a_stack_has_no_edges(tiny: Tiny) -> None:
    tiny.compose(one=idle())
    whole = said(tiny)
    assert whole.startswith(
        "stack NAME, edges as told by nobody: no service is Toxiproxy\n\n"
        "holes: what no test breaks that way\n\n"
        "services\n"
        "  everything, on each of them\n"
    )
    assert "\nedges" not in whole


def test_what_bit_should_be_as_in_the_last_run_when_a_test_ran_again_or_is_gone(
    tmp_path: Path,
) -> None:
    state_dir, file = tmp_path / "repo" / ".nomock", tmp_path / "repo" / "tests" / "test_a.py"
    file.parent.mkdir(parents=True)
    file.write_text("def test_one(): ...\nclass TheA:\n    async def test_two(self): ...\n")
    one, two = "tests/test_a.py::test_one", "tests/test_a.py::TheA::test_two[a::b-x]"
    assert load_effects(state_dir) == []

    latency, kill = ("latency", "a->b"), ("kill", "a")
    save_effects(state_dir, one, [file], {latency, kill})
    # As a test that stands in a page of the docs, which a module runs.
    save_effects(state_dir, two, [file.with_name("test_page.py"), file], {latency})
    save_effects(state_dir, "tests/test_a.py::test_on", [file], {latency})
    save_effects(state_dir, "tests/test_b.py::test_one", [file.with_name("test_b.py")], {latency})
    assert load_effects(state_dir) == [
        Effect(two, *latency),
        Effect(one, *kill),
        Effect(one, *latency),
    ]

    save_effects(state_dir, one, [file], set())
    with (state_dir / "effects.ndjson").open("a") as lines:
        lines.write('{"test": "tests/te')  # killed
    assert load_effects(state_dir) == [Effect(two, *latency)]

    (tmp_path / "repo").rename(tmp_path / "moved")
    assert load_effects(tmp_path / "moved" / ".nomock") == [Effect(two, *latency)]


def test_what_bit_should_not_grow_without_end_when_tests_run_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nomock.faults.usage.effects._MOST_BYTES", 2000)
    file = tmp_path / "test_a.py"
    file.write_text("def test_one(): ...\ndef test_two(): ...\n")
    for number in range(200):
        test = f"test_a.py::test_{'two' if number % 2 else 'one'}"
        save_effects(tmp_path / ".nomock", test, [file], {("latency", f"a->{number}")})
    assert (tmp_path / ".nomock" / "effects.ndjson").stat().st_size < 2200
    assert [effect.where for effect in load_effects(tmp_path / ".nomock")] == ["a->198", "a->199"]
