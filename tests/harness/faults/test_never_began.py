"""A fault that cannot begin leaves nothing; one that never began heals without what it needs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from socket import gethostname
from typing import Any

import pytest
from proxied import left_on, proxied
from refusing import Refusals, refusing
from tiny import NO_PYTHON_IMAGE, Tiny, ask, docker, until_gone

from nomock.adapters.engine import Engine
from nomock.adapters.engine.beside import OWNER
from nomock.errors import (
    ConfigError,
    EngineError,
    EngineMissingError,
    NomockError,
    NotPossibleError,
    NotReadyError,
    WatchdogError,
)
from nomock.faults.active import ActiveFault, FaultSession
from nomock.faults.database.lock_table import LockTable
from nomock.faults.edge.latency import Latency
from nomock.faults.edge.refused import Refused
from nomock.faults.fault import Fault
from nomock.faults.http.status import HttpStatus
from nomock.faults.janitor import heal_orphaned
from nomock.faults.journal import Journal
from nomock.faults.locking.claims import Claims
from nomock.faults.packets.block import PacketBlock
from nomock.faults.packets.delay import PacketDelay
from nomock.faults.packets.loss import PacketLoss
from nomock.faults.packets.rate import PacketRate
from nomock.faults.service.isolate import Isolate
from nomock.faults.service.kill import Kill
from nomock.faults.service.pause import Pause
from nomock.faults.service.skew import Skew
from nomock.faults.service.squeeze import Squeeze
from nomock.faults.stack_control import StackControl
from nomock.stack import Stack

NO_IMAGE = "nomock-t/no-such-image:1"
EDGE = "shop->web"


@dataclass
class Place:
    """A stack, and a test on it that breaks something."""

    shop: Tiny
    stack: Stack
    control: StackControl

    @property
    def journals(self) -> list[Path]:
        return list((self.shop.path / ".nomock/faults" / self.shop.name).glob("*"))

    def test(self) -> FaultSession:
        state_dir = self.shop.path / ".nomock"
        claims = Claims(state_dir, self.stack.name, patience_s=5)
        return FaultSession(self.control, claims, Journal(state_dir, self.stack.name), "test_it")

    def with_image(self, image: str) -> None:
        """Let faults be made of another image from now on."""
        self.stack.settings = replace(self.stack.settings, tools_image=image)

    def watchdogs(self) -> list[str]:
        """Return the states of the containers of this process that stand beside services."""
        mine = f"{gethostname()}:{os.getpid()}"
        filters = json.dumps({"label": [f"{OWNER}={mine}"]})
        return [c["State"] for c in ask("GET", "/containers/json", all="1", filters=filters)]


@pytest.fixture
def place(shop: Tiny) -> Iterator[Place]:
    proxied(shop, "def test_it(stack): pass")
    stack = shop.stack()
    stack.prepare()
    stack.close()
    with closing(StackControl(stack)) as control:
        try:
            yield Place(shop, stack, control)
        finally:
            stack.target = Engine()
            for service, state in shop.states().items():
                if state != "running":
                    stack[service].start()


def nothing(place: Place) -> None:
    pass


def no_image(place: Place) -> None:
    place.with_image(NO_IMAGE)


def another_image(place: Place) -> None:
    place.with_image(NO_PYTHON_IMAGE)


def no_engine(place: Place) -> None:
    place.stack.target = Engine("unix:///nowhere.sock")


def down(service: str) -> Callable[[Place], None]:
    def stop(place: Place) -> None:
        place.stack[service].kill()

    return stop


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "faults", "error"),
    [
        (
            no_image,
            [
                Latency(EDGE, latency_ms=1),
                Refused(EDGE),
                PacketBlock("web", port=1),
                PacketRate("web", kbit_s=9),
                PacketDelay("web", delay_ms=1),
                Isolate("web", from_="bank"),
            ],
            WatchdogError,
        ),
        (another_image, [Refused(EDGE), PacketBlock("web", port=1)], WatchdogError),
        (no_engine, [Kill("web"), PacketBlock("web", port=1)], EngineMissingError),
        (
            down("web"),
            [
                Kill("web"),
                Pause("web"),
                Isolate("web"),
                Squeeze("web", cpus=0.5),
                Skew("web", offset_s=60),
                PacketLoss("web", percent=1),
            ],
            NotReadyError,
        ),
        (down("toxiproxy"), [Latency(EDGE, latency_ms=1)], NotReadyError),
        (nothing, [HttpStatus(EDGE), LockTable("orders")], ConfigError),
        (nothing, [Skew("web", offset_s=60)], NotPossibleError),
    ],
    ids=["no image", "another image", "no engine", "no service", "no proxy", "none", "no library"],
)
def test_nothing_should_be_left_when_what_a_fault_needs_is_not_there(
    place: Place, spoil: Callable[[Place], None], faults: list[Fault], error: type[NomockError]
) -> None:
    spoil(place)
    before = place.shop.states()
    for fault in faults:
        test = place.test()
        with pytest.raises(error):
            ActiveFault(test, fault).begin()
        assert place.journals == [], fault.name
        assert (test.active, test.claims.alone) == ([], frozenset()), fault.name
        test.claims.release()
    assert place.watchdogs() == []
    assert place.shop.states() == before
    if before["toxiproxy"] == "running":
        assert left_on(place.shop) == []


def test_nothing_should_be_left_when_the_engine_refuses_the_fault_itself(place: Place) -> None:
    test = place.test()
    refusals = Refusals("/pause", 500, "cannot toggle freezer: cgroups not configured", times=9)
    with refusing(refusals) as address:
        place.stack.target = Engine(address)
        with pytest.raises(EngineError, match="cannot toggle"):
            ActiveFault(test, Pause("web")).begin()
    assert place.journals == []
    assert set(place.shop.states().values()) == {"running"}


def test_what_a_test_held_before_should_stay_its_own_when_another_fault_cannot_begin(
    place: Place,
) -> None:
    test = place.test()
    with ActiveFault(test, Pause("web")):
        with pytest.raises(NotPossibleError):
            ActiveFault(test, Skew("bank", offset_s=60)).begin()
        assert test.claims.alone == {"web"}
    test.claims.release()


def left(place: Place, fault: Fault, state: dict[str, Any]) -> Path:
    """A journal of a process that was killed after it had written it."""
    folder = place.shop.path / ".nomock/faults" / place.shop.name
    folder.mkdir(parents=True, exist_ok=True)
    told = {"on": 1, "kind": fault.kind, "name": fault.name, "arguments": fault.arguments}
    path = folder / "1.ndjson"
    path.write_text(json.dumps({**told, "state": state, "test": "test_left"}) + "\n")
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [
        Latency(EDGE, latency_ms=1),
        Refused(EDGE),
        PacketBlock("web", port=8000),
        PacketRate("web", kbit_s=9),
        Pause("web"),
        Kill("web"),
        Isolate("web"),
        Squeeze("web", memory_mb=100),
    ],
    ids=lambda fault: fault.kind,
)
def test_a_fault_that_never_began_should_heal_when_what_it_needs_is_gone(
    place: Place, fault: Fault
) -> None:
    fault.validate(place.control)
    path = left(place, fault, fault.prepare(place.control))
    place.control.close()  # as when its process ends
    place.with_image(NO_IMAGE)
    assert heal_orphaned(place.stack, print, starts=True) == 1
    assert not path.exists()
    assert set(place.shop.states().values()) == {"running"}


def test_packets_should_pass_again_when_neither_the_watchdog_nor_its_image_is_there_to_heal_them(
    place: Place,
) -> None:
    fault = PacketBlock("web", port=8000)
    fault.validate(place.control)
    state = fault.prepare(place.control)
    fault.begin(place.control, state)
    watchdog = place.control.watchdog("web").id
    docker("kill", watchdog)
    until_gone(watchdog)
    path = left(place, fault, json.loads(json.dumps(state)))
    place.with_image(NO_IMAGE)
    said: list[str] = []
    assert heal_orphaned(place.stack, said.append, starts=True) == 1
    assert said[-1] == "starting web anew, since there is no watchdog to heal it"
    assert not path.exists()
    assert place.stack["web"].http.get("/").status_code == 200

    # What its network has known is over with that: nothing is started anew for it once more.
    path = left(place, fault, json.loads(json.dumps(state)))
    said.clear()
    assert heal_orphaned(place.stack, said.append, starts=True) == 1
    assert said == ["healing packet_block web:8000, left by test_left"]
    assert not path.exists()


def test_an_edge_should_be_healed_when_its_proxy_was_started_again_by_somebody_else(
    place: Place,
) -> None:
    test = place.test()
    with ActiveFault(test, Latency(EDGE, latency_ms=1, expect_traffic=False)):
        docker("restart", place.shop.containers()["toxiproxy"])
    assert test.not_healed == {}
    assert place.journals == []
    place.control.forget("toxiproxy")
    place.stack.wait_ready("toxiproxy")
    assert left_on(place.shop) == []
