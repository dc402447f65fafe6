"""A service is cut off, from all others or from one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypedDict

from nomock.faults.edge.blackhole import Blackhole
from nomock.faults.fault import Fault, State, wrong
from nomock.faults.packets.cut import Cut
from nomock.faults.packets.partition import Partition
from nomock.faults.service.disconnect import Disconnect
from nomock.faults.service_fault import ServiceFault
from nomock.faults.stack_control import StackControl
from nomock.faults.topology import ARROW, proxies


class PartsState(TypedDict):
    """What parts two services, or a service from all."""

    wheres: list[str]
    """Edges, or the service."""
    states: list[State]
    """The state of the fault at each of these places."""


@dataclass(frozen=True)
class Isolate(ServiceFault):
    """Nothing passes between it and one other service, or any at all, this machine too.

    From one other: the edges between the two swallow what is sent, in either direction; where
    there are none, the packets between their containers are dropped.
    """

    kind = "isolate"

    from_: str | None = None

    @property
    def name(self) -> str:
        """From whom, too."""
        return super().name + (f" from {self.from_}" if self.from_ is not None else "")

    def validate_kind(self, control: StackControl) -> None:
        """Refuse what is not two services that can be parted."""
        super().validate_kind(control)
        if self.from_ is not None:
            control.service(self.from_)
        if self.from_ == self.service:
            raise wrong(self, "from_", self.from_, "it is another service")
        for part in self._parts(control, self._wheres(control)):
            part.validate_kind(control)

    def exclusive_parts(self, control: StackControl) -> frozenset[str]:
        """Take the edges between the two, or what loses its network."""
        parts = self._parts(control, self._wheres(control))
        return frozenset().union(*(part.exclusive_parts(control) for part in parts))

    def conflicts_with(self, other: Fault) -> bool:
        """Contradict the same parting, and what takes the service away as this does."""
        if isinstance(other, Isolate) and self.from_ is not None and other.from_ is not None:
            return {self.service, self.from_} == {other.service, other.from_}
        return super().conflicts_with(other)

    @property
    def takes_away(self) -> bool:
        """Whether nobody reaches it: not where it is parted from one."""
        return self.from_ is None

    def prepare(self, control: StackControl) -> PartsState:
        """Note what parts the two, and how that is undone."""
        wheres = self._wheres(control)
        parts = self._parts(control, wheres)
        return {
            "wheres": wheres,
            "states": [part.prepare(control) for part in parts],
        }

    def begin(self, control: StackControl, state: PartsState) -> list[Any]:
        """Part them."""
        return [part.begin(control, its) for part, its in self._of(control, state)]

    def observe_effect(self, control: StackControl, state: PartsState, begun: list[Any]) -> str:
        """Say what each part met."""
        effects = (
            part.observe_effect(control, its, of_part)
            for (part, its), of_part in zip(self._of(control, state), begun, strict=True)
        )
        return ", ".join(filter(None, effects))

    def heal(self, control: StackControl, state: PartsState) -> None:
        """Let them reach each other again."""
        for part, its in self._of(control, state):
            part.heal(control, its)

    def _of(self, control: StackControl, state: PartsState) -> Iterable[tuple[Fault, State]]:
        return zip(self._parts(control, state["wheres"]), state["states"], strict=True)

    def _wheres(self, control: StackControl) -> list[str]:
        """Return the edges between the two, or the service where there are none."""
        if self.from_ is None or not proxies(control.project):
            return [self.service]
        ways = (self.service, self.from_), (self.from_, self.service)
        return [e for e in map(ARROW.join, ways) if e in control.edges] or [self.service]

    def _parts(self, control: StackControl, wheres: Iterable[str]) -> list[Fault]:
        return [self._part(control, where) for where in wheres]

    def _part(self, control: StackControl, where: str) -> Fault:
        if where != self.service:
            return Blackhole(where, expires_s=self.expires_s)
        if self.from_ is None and control.has_engine:
            return Disconnect(self.service)
        if self.from_ is None:
            return Cut(self.service, expires_s=self.expires_s)
        return Partition(self.service, other=self.from_, expires_s=self.expires_s)
