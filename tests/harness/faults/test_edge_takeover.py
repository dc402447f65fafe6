"""An edge that a run left broken: who breaks it next, and what heals it when it is gone."""

from __future__ import annotations

import os
from dataclasses import replace
from threading import Thread

import pytest
from driving import ready, run_elsewhere
from proxied import left_on, proxied
from tiny import Tiny, ask, until_gone

from nomock.adapters.engine import Engine
from nomock.adapters.engine.beside import OWNER
from nomock.errors import FaultError
from nomock.faults.edge.latency import Latency
from nomock.faults.edge.refused import Refused
from nomock.faults.fault import State


def test_an_edge_should_stay_closed_when_the_watchdog_of_a_killed_run_opens_it_late(
    shop: Tiny,
) -> None:
    proxied(shop, "def test_it(stack): pass")
    refused = Refused("shop->web", expect_traffic=False)
    with ready(shop) as (_, control):
        own = control.watchdog("toxiproxy")
        there = Engine().beside(own.container_id, OWNER).keys()  # of tests before, perhaps
        killed = run_elsewhere(shop.path, refused, refused.prepare(control), "begin")
        assert killed.stdout is not None
        assert killed.stdout.readline() == "done\n"
        [late] = Engine().beside(own.container_id, OWNER).keys() - there
        ask("POST", f"/containers/{late}/pause")
        # Its parent has not asked yet how it ended, as a controller may not of its worker.
        killed.kill()
        os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)
        state: State = {}

        def prepare_and_begin() -> None:
            state.update(refused.prepare(control))
            refused.begin(control, state)

        begin = Thread(target=prepare_and_begin)
        try:
            begin.start()
            begin.join(0.3)  # time enough to close it already, as it must not
            ask("POST", f"/containers/{late}/unpause")
            until_gone(late)
            begin.join()

            assert left_on(shop) == ["shop->web"]
        finally:
            refused.heal(control, state)
            killed.communicate()
    assert left_on(shop) == []


def test_a_fault_should_be_healed_when_its_edge_is_not_there_any_more(shop: Tiny) -> None:
    proxied(shop, "def test_it(stack): pass")
    with ready(shop) as (_, control):
        for fault in (Latency("shop->moon", latency_ms=1), Refused("shop->moon")):
            fault.heal(control, {"token": "nomock-left", "proxy": "toxiproxy"})


def test_an_effect_should_be_unknown_when_toxiproxy_is_another_process_than_it_was(
    shop: Tiny,
) -> None:
    proxied(shop, "def test_it(stack): pass")
    fault = Latency("shop->web", latency_ms=1)
    with ready(shop) as (_, control):
        state = fault.prepare(control)
        begun = fault.begin(control, state)
        try:
            assert fault.observe_effect(control, state, begun) == ""
            # In a pod the watchdog lives on, and what it counts from then on met nothing.
            earlier = replace(begun, proxy_began="2026-11-30T07:00:00Z")
            with pytest.raises(FaultError, match="Toxiproxy is another process than it was"):
                fault.observe_effect(control, state, earlier)
        finally:
            fault.heal(control, state)
