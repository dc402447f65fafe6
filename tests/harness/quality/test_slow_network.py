"""A run of a hunt has a slow network: beside the faults of its tests, while it lasts."""

from __future__ import annotations

import pytest
from proxied import BEGIN, left_on, proxied
from tiny import Tiny

from nomock.hunting import CONDITIONS, Conditions

TESTS = (
    BEGIN
    + """
    from nomock.adapters.toxiproxy import Toxiproxy
    from nomock.adapters.toxiproxy.endpoints import CONTROL_PORT

    def latencies(stack):
        found = Toxiproxy(*stack["toxiproxy"].address(CONTROL_PORT)).edges()
        return {n: sorted(t.attributes["latency"] for t in e.toxics) for n, e in found.items()}

    def test_each_edge_is_slow(stack):
        assert latencies(stack) == {"shop->web": [50], "shop->bank": [50]}

    def test_a_fault_is_beside_it(stack, faults):
        with faults.latency("shop->web", latency_ms=7):
            assert latencies(stack) == {"shop->web": [7, 50], "shop->bank": [50]}
            through(stack, "shop->web")
        assert latencies(stack) == {"shop->web": [50], "shop->bank": [50]}
"""
)


@pytest.mark.slow
def test_edges_should_be_slow_only_when_a_run_of_a_hunt_goes_on(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxied(tiny, TESTS)
    monkeypatch.setenv(CONDITIONS, Conditions(latency_ms=50).told())
    tiny.run("-n2", "--lanes=shared").assert_outcomes(passed=2)  # once, though there are two
    assert left_on(tiny) == []
    assert not list((tiny.path / ".nomock/faults").rglob("*.ndjson"))
