"""``nomock edges`` and ``nomock heal``: what the tests break, and what killed runs left."""

from __future__ import annotations

import signal

from conftest import Tiny
from proxied import left_on, proxied

from nomock.faults.bites import Bite, recall, remember

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
HOLES = [
    "holes: what no test breaks that way",
    "",
    "edges",
    "  shop->bank  everything",
]


def said(tiny: Tiny, *arguments: str) -> list[str]:
    result = tiny.nomock("edges", *arguments)
    assert result.ret == 0, result.stderr.str()
    return [tiny.plain(line) for line in result.outlines]


def test_holes_and_tests_should_be_shown_when_a_run_had_faults(tiny: Tiny) -> None:
    proxied(tiny, TESTS)
    tiny.run("-n2").assert_outcomes(passed=4)
    lines = said(tiny)
    print("\n".join(lines))
    assert 0
