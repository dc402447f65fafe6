"""A service is cut off, from all others or from one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nomock.faults.edge.blackhole import Blackhole
from nomock.faults.fault import Fault, State, wrong
from nomock.faults.reach import ARROW, proxies
from nomock.faults.service.apart import Apart
from nomock.faults.service.common import OnService
from nomock.faults.service.cut_off import CutOff

if TYPE_CHECKING:
    from nomock.faults.ground import Ground


@dataclass(frozen=True)
class Isolate(OnService):
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

    def check(self, ground: Ground) -> None:
        """Refuse what is not two services that can be parted."""
        super().check(ground)
        if self.from_ is not None:
            ground.service(self.from_)
        if self.from_ == self.service:
            raise wrong(self, "from_", self.from_, "it is another service")
        for part in self._parts(self._wheres(ground)):
            part.check(ground)

    def takes(self, ground: Ground) -> frozenset[str]:
        """Take the edges between the two, or what loses its network."""
        parts = self._parts(self._wheres(ground))
        return frozenset().union(*(part.takes(ground) for part in parts))

    def clashes(self, other: Fault) -> bool:
        """Contradict the same parting, and what takes the service away as this does."""
        if isinstance(other, Isolate) and self.from_ is not None and other.from_ is not None:
            return {self.service, self.from_} == {other.service, other.from_}
        return super().clashes(other)

    @property
    def takes_away(self) -> bool:
        """Whether nobody reaches it: not where it is parted from one."""
        return self.from_ is None

    def prepare(self, ground: Ground) -> State:
        """Note what parts the two, and how that is undone."""
        wheres = self._wheres(ground)
        parts = self._parts(wheres)
        return {
            "wheres": wheres,
            "states": [part.prepare(ground) for part in parts],
        }

    def begin(self, ground: Ground, state: State) -> None:
        """Part them."""
        for part, its in self._of(state):
            part.begin(ground, its)

    def seen(self, ground: Ground, state: State) -> str:
        """Say what each part met."""
        return ", ".join(filter(None, (part.seen(ground, its) for part, its in self._of(state))))

    def heal(self, ground: Ground, state: State) -> None:
        """Let them reach each other again."""
        for part, its in self._of(state):
            part.heal(ground, its)

    def _of(self, state: State) -> Iterable[tuple[Fault, State]]:
        return zip(self._parts(state["wheres"]), state["states"], strict=True)

    def _wheres(self, ground: Ground) -> list[str]:
        """Return the edges between the two, or the service where there are none."""
        if self.from_ is None or not proxies(ground.project):
            return [self.service]
        ways = (self.service, self.from_), (self.from_, self.service)
        return [e for e in map(ARROW.join, ways) if e in ground.edges] or [self.service]

    def _parts(self, wheres: Iterable[str]) -> list[Fault]:
        return [self._part(where) for where in wheres]

    def _part(self, where: str) -> Fault:
        if where != self.service:
            return Blackhole(where, expires_s=self.expires_s)
        if self.from_ is None:
            return CutOff(self.service)
        return Apart(self.service, other=self.from_, expires_s=self.expires_s)
