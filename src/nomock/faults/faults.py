"""The faults that a test can put on, one method a kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, ParamSpec

from nomock.evidence import Span
from nomock.faults.chance import LEAST_MS, from_seed, makers
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
from nomock.faults.packets.block import PacketBlock
from nomock.faults.packets.corrupt import PacketCorrupt
from nomock.faults.packets.delay import PacketDelay
from nomock.faults.packets.duplicate import PacketDuplicate
from nomock.faults.packets.loss import PacketLoss
from nomock.faults.packets.rate import PacketRate
from nomock.faults.packets.reorder import PacketReorder
from nomock.faults.playing import Playing
from nomock.faults.schedule import Schedule, Step
from nomock.faults.service.isolate import Isolate
from nomock.faults.service.kill import Kill
from nomock.faults.service.pause import Pause
from nomock.faults.service.restart import Restart
from nomock.faults.service.skew import Skew
from nomock.faults.service.squeeze import Squeeze
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
    isolate = Kind(Isolate)
    squeeze = Kind(Squeeze)
    skew = Kind(Skew)
    # on the packets of a service
    packet_loss = Kind(PacketLoss)
    packet_block = Kind(PacketBlock)
    packet_rate = Kind(PacketRate)
    packet_delay = Kind(PacketDelay)
    packet_duplicate = Kind(PacketDuplicate)
    packet_corrupt = Kind(PacketCorrupt)
    packet_reorder = Kind(PacketReorder)
    # on the database
    end_backends = Kind(EndBackends)
    lock_table = Kind(LockTable)
    fill_slots = Kind(FillSlots)

    def __init__(self, test: Test) -> None:
        self._test = test

    def on(self, fault: Fault) -> On:
        """Return the block of a fault that was made elsewhere."""
        return On(self._test, fault)

    def schedule(
        self,
        seed: int | None = None,
        *,
        edges: Sequence[str] = (),
        services: Sequence[str] = (),
        kinds: Iterable[str] | None = None,
        lasts_s: float = 3.0,
        steps: int = 4,
        least_ms: int = LEAST_MS,
        expect_traffic: bool = True,
    ) -> Playing:
        """Return the block of a random sequence of faults, the same for the same arguments.

        On these edges and services, where none is named on all edges; of these kinds (None: all
        that suit). At most so many ``steps``, less those that contradict others; all have ended
        after ``lasts_s``, and each lasts ``least_ms`` at the least. Without a seed it is another
        one each time. A failing test says how to play it again.
        """
        among = makers(edges if edges or services else self.edges, services, kinds)
        made = from_seed(seed, among, lasts_s=lasts_s, most_steps=steps, least_ms=least_ms)
        return Playing(self._test, made, expect_traffic=expect_traffic)

    def play(self, steps: Schedule | Iterable[Step], *, expect_traffic: bool = True) -> Playing:
        """Return the block of a sequence of faults: ``play([faults.refused("a->b").at(…), …])``.

        One of them at least must have met something, unless it says ``expect_traffic=False``.
        """
        schedule = steps if isinstance(steps, Schedule) else Schedule(tuple(steps))
        return Playing(self._test, schedule, expect_traffic=expect_traffic)

    @property
    def edges(self) -> list[str]:
        """The names of the edges that can be broken."""
        return sorted(self._test.ground.edges)

    @property
    def story(self) -> list[tuple[float, str]]:
        """What was done when, by the monotonic clock."""
        return self._test.story

    @property
    def spans(self) -> list[Span]:
        """When each of them was on."""
        return self._test.spans


def kinds() -> Mapping[str, Any]:
    """Return the class of each kind of fault by its name."""
    return {name: kind.fault for name, kind in vars(Faults).items() if isinstance(kind, Kind)}
