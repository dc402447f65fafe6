"""A fault that is over before its block is: what it met is not told as if it had been on."""

from __future__ import annotations

from threading import Event
from time import monotonic

import pytest
from driving import ready
from proxied import left_on, proxied
from tiny import Tiny

from nomock.errors import FaultError
from nomock.faults.edge.flap import Flap
from nomock.faults.edge.latency import Latency
from nomock.faults.packets.block import PacketBlock
from nomock.faults.packets.rate import PacketRate
from nomock.faults.stack_control import StackControl


def until_undone(control: StackControl, service: str, count: int) -> None:
    """Return when the watchdog beside a service has told that it undid so many guards."""
    watchdog, deadline, pause = control.watchdog(service), monotonic() + 30, Event()
    while len(watchdog.undone) < count:
        assert watchdog.alive
        assert monotonic() < deadline
        pause.wait(0.02)


def test_a_fault_should_say_that_it_expired_when_that_was_before_its_block_ended(
    shop: Tiny,
) -> None:
    proxied(shop, "def test_it(stack): pass")
    faults = [
        Latency("shop->web", latency_ms=1, expires_s=1),
        Flap("shop->bank", period_ms=50, expires_s=1),
        PacketBlock("web", port=9, expires_s=1),
        PacketRate("web", kbit_s=512, expires_s=1),
    ]
    with ready(shop) as (_, control):
        on = [(fault, fault.prepare(control)) for fault in faults]
        try:
            begun = [fault.begin(control, state) for fault, state in on]
            flapping = control.live[on[1][1]["token"]].thread

            until_undone(control, "toxiproxy", 2)
            until_undone(control, "web", 2)
            flapping.join(30)

            assert not flapping.is_alive()
            assert left_on(shop) == []
            for (fault, state), met in zip(on, begun, strict=True):
                with pytest.raises(FaultError) as caught:
                    fault.observe_effect(control, state, met)
                assert str(caught.value) == (
                    f"fault {fault.name}: it expired after 1 s, before its block ended\n"
                    "  its watchdog healed it then\n"
                    "-> end the block sooner, or let the fault last longer: expires_s"
                )
        finally:
            for fault, state in on:
                fault.heal(control, state)


def test_a_test_should_be_an_error_with_the_reason_when_the_effect_of_its_fault_is_unknown(
    shop: Tiny,
) -> None:
    proxied(
        shop,
        """
        def lose_the_watchdog(stack, faults):
            # With it goes what it counted.
            stack.engine.kill(faults._session.control.kept("toxiproxy").id)

        def test_lost(stack, faults):
            with faults.latency("shop->web", latency_ms=1):
                through(stack, "shop->web")
                lose_the_watchdog(stack, faults)

        def test_scheduled(stack, faults):
            with faults.play([faults.latency("shop->bank", latency_ms=1).at(
                after_ms=0, lasts_ms=60_000
            )]):
                while not [text for _, text in faults.story if text.endswith(": on")]:
                    Event().wait(0.01)
                lose_the_watchdog(stack, faults)

        def test_said_so(stack, faults):
            with faults.latency("shop->web", latency_ms=1, expect_traffic=False):
                lose_the_watchdog(stack, faults)

        def test_red_anyway(stack, faults):
            with faults.latency("shop->web", latency_ms=1):
                lose_the_watchdog(stack, faults)
                assert False
        """,
    )
    result = shop.run()
    result.assert_outcomes(passed=3, failed=1, errors=2)
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_lost*",
            "faults of this test: the effect is unknown: latency shop->web",
            "  latency shop->web: edge shop->web: what passed it was not counted to the end",
            "    the watchdog that counted has ended, or Toxiproxy is another process than it was; "
            "was it restarted meanwhile?",
            "-> mend that, or say expect_traffic=False where it does not matter",
            "*ERROR at teardown of test_scheduled*",
            "faults of this test: the effect is unknown: schedule of 1 fault",
        ]
    )
    result.stdout.no_fnmatch_line("*met no*")
    assert left_on(shop) == []
