"""A service has little to run on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import isclose
from typing import Any, TypedDict

from nomock.adapters.engine import Limits
from nomock.errors import ConfigError, NotPossibleError
from nomock.faults.fault import whole_number, wrong
from nomock.faults.service_fault import ServiceFault, existing
from nomock.faults.stack_control import StackControl

_LEAST_CPUS = 0.01
_LEAST_MEMORY_MB = 6
_MB = 1024 * 1024


class LimitsState(TypedDict):
    """What the containers of a service had."""

    before: dict[str, dict[str, Any]]
    """Container id -> its limits."""
    throttled_before: dict[str, int]
    """Container id -> how often it had to wait for CPU."""


@dataclass(frozen=True, kw_only=True)
class Squeeze(ServiceFault):
    """It may use so many CPUs and so much memory (in MiB, none of it swapped) at the most.

    Where it needs more memory than that already, the engine refuses (cgroup v1) or the kernel
    kills it (v2).
    """

    kind = "squeeze"

    cpus: float | None = None
    memory_mb: int | None = None

    def validate_kind(self, control: StackControl) -> None:
        """Refuse what is no squeeze."""
        super().validate_kind(control)
        if not control.has_engine:
            raise NotPossibleError(
                "a pod that runs keeps the limits that it is given: they could not be taken back",
                where=f"fault {self.name}",
                todo="run it on compose, or declare limits in the compose file",
            )
        if self.cpus is None and self.memory_mb is None:
            raise ConfigError(
                "there is nothing to squeeze", where=f"fault {self.name}", todo="cpus=, memory_mb="
            )
        machine = control.engine.machine()
        for _, now in self._now(control):
            has_cpus = now.cpus or machine.cpus
            has_mb = (now.memory_bytes or machine.memory_bytes) // _MB
            if self.cpus is not None and not _is_between(_LEAST_CPUS, self.cpus, has_cpus):
                rule = f"it is a number from {_LEAST_CPUS}, and less than {has_cpus:g}, as it has"
                raise wrong(self, "cpus", self.cpus, rule)
            if self.memory_mb is not None:
                whole_number(self, "memory_mb", least=_LEAST_MEMORY_MB, most=has_mb - 1)

    def prepare(self, control: StackControl) -> LimitsState:
        """Note what it has, and how often it had to wait before."""
        before = {id_: asdict(limits) for id_, limits in self._now(control)}
        throttled = {id_: control.engine.pressure(id_).throttled_periods for id_ in before}
        return {"before": before, "throttled_before": throttled}

    def begin(self, control: StackControl, state: LimitsState) -> None:
        """Take it away."""
        for id_ in state["before"]:
            if self.cpus is not None:
                control.engine.limit_cpus(id_, self.cpus)
            if self.memory_mb is not None:
                control.engine.limit_memory(id_, self.memory_mb * _MB, self.memory_mb * _MB)

    def observe_effect(self, control: StackControl, state: LimitsState, begun: object) -> str:
        """Say how often it had to wait for CPU, and what it took of its memory."""
        said = []
        for id_, throttled_before in state["throttled_before"].items():
            limits = control.engine.limits(id_)
            if limits is None or not self._are_these(limits):
                continue
            pressure = control.engine.pressure(id_)
            throttled = pressure.throttled_periods
            # Where it was started again it is counted from zero.
            throttled -= throttled_before if throttled >= throttled_before else 0
            if self.cpus is not None and throttled:
                said.append(f"it used up its share of CPU {throttled} times")
            if self.memory_mb is not None:
                taken_mb = round(pressure.memory_bytes / _MB)
                said.append(f"it takes {taken_mb} MiB of its {self.memory_mb} MiB")
        return ", ".join(said)

    def heal(self, control: StackControl, state: LimitsState) -> None:
        """Give it back what it had; a container that was made since has its own."""
        for id_, before in state["before"].items():
            if control.engine.container_state(id_) is None:
                continue
            limits = Limits(**before)
            if self.cpus is not None:
                control.engine.limit_cpus(id_, limits.cpus)
            if self.memory_mb is not None:
                control.engine.limit_memory(id_, limits.memory_bytes, limits.with_swap_bytes)

    def _now(self, control: StackControl) -> Iterator[tuple[str, Limits]]:
        for container in existing(control, self.service):
            limits = control.engine.limits(container.id)
            if limits is not None:
                yield container.id, limits

    def _are_these(self, limits: Limits) -> bool:
        # The kernel counts in whole microseconds of a period.
        has_cpus = self.cpus is None or isclose(limits.cpus or 0, self.cpus, abs_tol=0.001)
        return has_cpus and self.memory_mb in {None, (limits.memory_bytes or 0) // _MB}


def _is_between(least: float, value: float, below: float) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and least <= value < below
