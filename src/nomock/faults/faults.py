"""The faults that a test can put on, one method a kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, ParamSpec

from nomock.faults.database.end_backends import EndBackends
from nomock.faults.database.fill_slots import FillSlots
from nomock.faults.database.lock_table import LockTable
from nomock.faults.edge.bandwidth import Bandwidth
from nomock.faults.edge.blackhole import Blackhole
from nomock.faults.edge.cut_after import CutAfter
from nomock.faults.edge.flap import Flap
from nomock.faults.edge.latency import Latency
from nomock.faults.edge.refused import Refused
from nomock.faults.edge.reset import Reset
from nomock.faults.edge.slice import Slice
from nomock.faults.edge.slow_close import SlowClose
from nomock.faults.fault import Fault
from nomock.faults.http.delay import HttpDelay
from nomock.faults.http.half import HttpHalf
from nomock.faults.http.status import HttpStatus
from nomock.faults.http.twice import HttpTwice
from nomock.faults.none import Nothing
from nomock.faults.on import On, Test
from nomock.faults.service.kill import Kill
from nomock.faults.service.pause import Pause
from nomock.faults.service.restart import Restart
from nomock.faults.service.stop import Stop

Arguments = ParamSpec("Arguments")


class Kind(Generic[Arguments]):
    """A method of ``Faults`` that makes a fault of one kind, with the arguments of its class."""

    def __init__(self, fault: Callable[Arguments, Fault]) -> None:
        self.fault = fault

    def __get__(self, faults: Faults, owner: type[Faults]) -> Callable[Arguments, On]:
        def on(*args: Arguments.args, **kwargs: Arguments.kwargs) -> On:
            return faults.on(self.fault(*args, **kwargs))

        return on


class Faults:
    """What a test does to the stack: ``with faults.latency("a->b", latency_ms=800): …``.

    Each is healed when its block ends. One that met nothing makes the test an error, unless it
    says ``expect_traffic=False``.
    """

    none = Kind(Nothing)
    # on an edge
    latency = Kind(Latency)
    bandwidth = Kind(Bandwidth)
    slow_close = Kind(SlowClose)
    blackhole = Kind(Blackhole)
    reset = Kind(Reset)
    slice = Kind(Slice)
    cut_after = Kind(CutAfter)
    refused = Kind(Refused)
    flap = Kind(Flap)
    # on the HTTP requests of an edge
    http_status = Kind(HttpStatus)
    http_delay = Kind(HttpDelay)
    http_half = Kind(HttpHalf)
    http_twice = Kind(HttpTwice)
    # on a service
    kill = Kind(Kill)
    stop = Kind(Stop)
    pause = Kind(Pause)
    restart = Kind(Restart)
    # on the database
    end_backends = Kind(EndBackends)
    lock_table = Kind(LockTable)
    fill_slots = Kind(FillSlots)

    def __init__(self, test: Test) -> None:
        self._test = test

    def on(self, fault: Fault) -> On:
        """Return the block of a fault that was made elsewhere."""
        return On(self._test, fault)

    @property
    def edges(self) -> list[str]:
        """The names of the edges that can be broken."""
        return sorted(self._test.ground.edges)

    @property
    def story(self) -> list[tuple[float, str]]:
        """What was done when, in seconds since the epoch."""
        return self._test.story


def kinds() -> Mapping[str, Any]:
    """Return the class of each kind of fault by its name."""
    return {name: kind.fault for name, kind in vars(Faults).items() if isinstance(kind, Kind)}
