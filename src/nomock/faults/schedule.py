"""A schedule: which faults begin when and last how long, as data.

It is made from a seed, by Hypothesis or by hand, and shown as Python that plays it again:

    with faults.play(
        [
            faults.latency("instances->postgres", latency_ms=300).at(after_ms=0, lasts_ms=1200),
            faults.refused("auth->redis").at(after_ms=410, lasts_ms=250),
        ]
    ):
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, dataclass, fields
from itertools import combinations
from typing import Any, NamedTuple

from nomock.errors import ConfigError, ConflictingFaultsError
from nomock.faults.fault import Fault
from nomock.faults.service_fault import ServiceFault


@dataclass(frozen=True, repr=False)
class Step:
    """A fault at its time."""

    after_ms: int
    """When it begins, since the schedule does."""
    lasts_ms: int
    fault: Fault

    @property
    def ends_ms(self) -> int:
        """When it is healed, since the schedule began."""
        return self.after_ms + self.lasts_ms

    def conflicts_with(self, other: Step) -> bool:
        """Tell whether both would be on at once and may not."""
        one, two = self.fault, other.fault
        return self._meets(other) and (one.conflicts_with(two) or two.conflicts_with(one))

    def is_pointless_with(self, other: Step) -> bool:
        """Tell whether both would be on at once, and one of a service that is not there.

        Whether that can be begun depends on which of them is first: who says so himself may want
        just that, but what is chosen by chance is not to fail by itself.
        """
        one, two = self.fault, other.fault
        return self._meets(other) and (_masks(one, two) or _masks(two, one))

    def _meets(self, other: Step) -> bool:
        return self.after_ms < other.ends_ms and other.after_ms < self.ends_ms

    def __repr__(self) -> str:
        when = f"after_ms={self.after_ms}, lasts_ms={self.lasts_ms}"
        return f"faults.{_call(self.fault)}.at({when})"


class Moment(NamedTuple):
    """When a step of a schedule begins, or ends; in the order in which they are played."""

    at_ms: int
    begins: bool
    """Ends come first: what ends makes room for what begins."""
    number: int
    """The number of the step."""


@dataclass(frozen=True, repr=False)
class Schedule:
    """Steps in the order in which they begin; raises ConflictingFaultsError or ConfigError."""

    steps: tuple[Step, ...]
    seed: int | None = None
    """What it was made from; None for one that was not."""

    def __post_init__(self) -> None:
        in_order = sorted(self.steps, key=lambda step: step.after_ms)
        object.__setattr__(self, "steps", tuple(in_order))
        for step in in_order:
            for argument, least in (("after_ms", 0), ("lasts_ms", 1)):
                if not isinstance(value := getattr(step, argument), int) or value < least:
                    raise ConfigError(
                        f"{argument} cannot be {value!r}",
                        where=f"fault {step.fault.name} in a schedule",
                        seen=f"it is a whole number of milliseconds, {least} or more",
                    )
        for one, two in combinations(in_order, 2):
            if one.conflicts_with(two):
                raise ConflictingFaultsError(two.fault.name, one.fault.name)

    @classmethod
    def without_conflicts(cls, steps: Iterable[Step], seed: int | None = None) -> Schedule:
        """Return one without the steps that contradict an earlier one of the list, or spoil it."""
        kept: list[Step] = []
        for step in steps:
            if not any(
                step.conflicts_with(other) or step.is_pointless_with(other) for other in kept
            ):
                kept.append(step)
        return cls(tuple(kept), seed)

    @property
    def name(self) -> str:
        """How it is called in messages."""
        if self.seed is not None:
            return f"schedule of seed {self.seed}"
        return (
            "schedule of 1 fault"
            if len(self.steps) == 1
            else f"schedule of {len(self.steps)} faults"
        )

    def moments(self) -> list[Moment]:
        """Return its begins and ends in order."""
        begins = [Moment(step.after_ms, True, number) for number, step in enumerate(self.steps)]
        ends = [Moment(step.ends_ms, False, number) for number, step in enumerate(self.steps)]
        return sorted(begins + ends)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __repr__(self) -> str:
        lines = "".join(f"    {step!r},\n" for step in self.steps)
        return f"[\n{lines}]"


def _masks(one: Fault, two: Fault) -> bool:
    return isinstance(one, ServiceFault) and one.masks(two)


def _call(fault: Fault) -> str:
    """Return how the test would have made it: ``latency("a->b", latency_ms=300)``."""
    required = [f.name for f in fields(fault) if f.default is MISSING and not f.kw_only]
    words = [_written(getattr(fault, name)) for name in required]
    for field in fields(fault):
        value = getattr(fault, field.name)
        if field.name not in required and value != field.default:
            words.append(f"{field.name}={_written(value)}")
    return f"{fault.kind}({', '.join(words)})"


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
