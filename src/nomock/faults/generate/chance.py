"""Which faults a schedule may be made of, how harsh each may be, and one made from a seed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from nomock.errors import ConfigError
from nomock.faults.edge.bandwidth import Bandwidth
from nomock.faults.edge.blackhole import Blackhole
from nomock.faults.edge.common import EdgeFault
from nomock.faults.edge.cut_after import CutAfter
from nomock.faults.edge.flap import Flap
from nomock.faults.edge.latency import Latency
from nomock.faults.edge.refused import Refused
from nomock.faults.edge.reset import Reset
from nomock.faults.edge.slice import Slice
from nomock.faults.edge.slow_close import SlowClose
from nomock.faults.fault import Fault
from nomock.faults.packets.loss import PacketLoss
from nomock.faults.packets.rate import PacketRate
from nomock.faults.schedule import Schedule, Step
from nomock.faults.service.isolate import Isolate
from nomock.faults.service.kill import Kill
from nomock.faults.service.pause import Pause
from nomock.faults.service.restart import Restart
from nomock.faults.service.stop import Stop

LEAST_MS = 100
"""How long a fault lasts at the least, if nothing else is said."""
_MOST_S = 600.0
_MOST_STEPS = 100
_MOST_SEED = 2**64 - 1

# Each argument from its mildest value to its harshest; the kinds themselves go the same way.
_RANGES: Mapping[type[Fault], Mapping[str, tuple[int, int]]] = {
    Latency: {"latency_ms": (10, 1000), "jitter_ms": (0, 200)},
    Slice: {"size_bytes": (1000, 1), "delay_us": (0, 5000)},
    Bandwidth: {"kb_s": (1000, 5)},
    SlowClose: {"delay_ms": (10, 1000)},
    CutAfter: {"after_bytes": (100_000, 0)},
    Reset: {"after_ms": (1000, 0)},
    Flap: {"period_ms": (1000, 100)},
    Refused: {},
    Blackhole: {},
    PacketRate: {"kbit_s": (10_000, 50)},
    PacketLoss: {"percent": (1, 50)},
    Isolate: {},
    Pause: {},
    Restart: {},
    Stop: {},
    Kill: {},
}


@dataclass(frozen=True)
class FaultTemplate:
    """Makes the faults of one kind on one edge or service."""

    kind: type[Any]
    where: str

    @property
    def parameters(self) -> int:
        """How many arguments it has that can be milder or harsher."""
        return len(_RANGES[self.kind])

    def make(self, harshness: Sequence[float]) -> Fault:
        """Return a fault; ``harshness`` is a number from 0 to 1 for each of these arguments."""
        ranges = _RANGES[self.kind].items()
        values = {
            argument: round(mildest + (harshest - mildest) * harsh)
            for (argument, (mildest, harshest)), harsh in zip(ranges, harshness, strict=True)
        }
        fault: Fault = self.kind(self.where, **values)
        return fault


def templates(
    edges: Iterable[str], services: Iterable[str], kinds: Iterable[str] | None
) -> list[FaultTemplate]:
    """Return what a schedule on these edges and services is made of, the mildest kinds first.

    Raises ConfigError for a kind that has no place in a schedule, and where nothing is left.
    """
    known = {fault.kind: fault for fault in _RANGES}
    chosen = list(known if kinds is None else kinds)
    for kind in chosen:
        if kind not in known:
            raise ConfigError(
                f"a schedule cannot have the kind {kind!r}",
                where="schedule of faults",
                seen=f"it can have: {', '.join(known)}",
                todo="put it on around the schedule: with faults.…, faults.schedule(…):",
            )
    edges, services = list(edges), list(services)
    found = [
        FaultTemplate(fault, where)
        for kind, fault in known.items()
        if kind in chosen
        for where in (edges if issubclass(fault, EdgeFault) else services)
    ]
    if not found:
        raise ConfigError(
            "there is nothing that it could break",
            where="schedule of faults",
            seen=f"edges: {', '.join(edges) or 'none'}; services: {', '.join(services) or 'none'}; "
            f"kinds: {', '.join(chosen) or 'none'}",
            todo="name edges for faults on edges, services for faults on services",
        )
    return found


def from_seed(
    seed: int | None,
    among: Sequence[FaultTemplate],
    *,
    lasts_s: float,
    most_steps: int,
    least_ms: int = LEAST_MS,
) -> Schedule:
    """Return the schedule of a seed, the same on every Python; of a new one where it is None.

    It ends after ``lasts_s``, and each fault lasts ``least_ms`` at the least. Raises ConfigError
    for a number that cannot be.
    """
    if seed is None:
        seed = int.from_bytes(os.urandom(4))
    _check("seed", seed, least=0, most=_MOST_SEED)
    _check("steps", most_steps, least=1, most=_MOST_STEPS)
    whole_ms = milliseconds(lasts_s, least_ms)
    # The one method of which Python promises that it stays as it is:
    # https://docs.python.org/3/library/random.html#notes-on-reproducibility
    chance = Random(seed).random

    def step() -> Step:
        template = among[int(chance() * len(among))]
        fault = template.make([chance() for _ in range(template.parameters)])
        after_ms = int(chance() * (whole_ms - least_ms))
        lasts_ms = least_ms + int(chance() * (whole_ms - least_ms) / 2)
        return Step(after_ms, min(lasts_ms, whole_ms - after_ms), fault)

    return Schedule.without_conflicts([step() for _ in range(most_steps)], seed)


def milliseconds(lasts_s: float, least_ms: int) -> int:
    """Return how long a schedule lasts; raise ConfigError for times that cannot be."""
    least_s = LEAST_MS / 1000
    if not isinstance(lasts_s, (int, float)) or not least_s <= lasts_s <= _MOST_S:
        raise _wrong("lasts_s", lasts_s, f"a number of seconds from {least_s:g} to {_MOST_S:g}")
    whole_ms = round(lasts_s * 1000)
    _check("least_ms", least_ms, least=1, most=whole_ms)
    return whole_ms


def _check(name: str, value: int, *, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise _wrong(name, value, f"a whole number from {least} to {most}")


def _wrong(name: str, value: object, rule: str) -> ConfigError:
    return ConfigError(
        f"{name} cannot be {value!r}", where="schedule of faults", seen=f"it is {rule}"
    )
