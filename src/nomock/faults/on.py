"""One fault while it is on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import RLock
from time import monotonic
from types import TracebackType

from nomock import context
from nomock.errors import (
    ClashingFaultsError,
    FaultError,
    NotHealedError,
    NoTrafficError,
    NotSeenError,
)
from nomock.evidence import Span
from nomock.faults.claims import Claims
from nomock.faults.fault import Fault, State
from nomock.faults.ground import Ground
from nomock.faults.journal import Journal
from nomock.faults.schedule import Step


@dataclass
class Test:
    """What the faults of one test have in common."""

    ground: Ground
    claims: Claims
    journal: Journal
    name: str
    admit: Callable[[Fault], None] = lambda fault: None
    """Raises where no fault may be put on at all."""
    on: list[On] = field(default_factory=list)
    unmet: list[str] = field(default_factory=list)
    """The faults that met nothing."""
    unseen: dict[str, str] = field(default_factory=dict)
    """Those of which that cannot be told, each with the reason."""
    not_healed: dict[str, str] = field(default_factory=dict)
    left: list[On] = field(default_factory=list)
    """The same, and those of tests before: what this process may heal later."""
    story: list[tuple[float, str]] = field(default_factory=list)
    """What was done when, by the monotonic clock, for the evidence."""
    spans: list[Span] = field(default_factory=list)
    """When each fault was on, for the evidence."""
    bit: set[tuple[str, str]] = field(default_factory=set)
    """Kind and place of each fault that bit."""
    turn: RLock = field(default_factory=RLock)
    """Faults begin and end one at a time: those of a schedule do so in a thread of their own."""

    def tell(self, text: str) -> None:
        """Add to the story."""
        self.story.append((monotonic(), text))

    def changed(self) -> None:
        """Name the faults that are on in the requests of the test."""
        context.set_current_faults(on.fault.name for on in self.on)

    def missed(self, name: str, unseen: str) -> None:
        """Note what was to meet something: that it did not, or why that cannot be told."""
        if unseen:
            self.unseen[name] = unseen
        else:
            self.unmet.append(name)

    def finish(self) -> FaultError | None:
        """Heal what is still on, the newest first; then return what did not heal or bite."""
        for on in reversed(self.on.copy()):
            on.end()
        if self.not_healed:
            return NotHealedError(self.not_healed)
        if self.unseen:
            return NotSeenError(self.unseen)
        return NoTrafficError(self.unmet) if self.unmet else None


class On:
    """A fault as a ``with`` block: on while the block runs, healed when it ends, however it ends.

    ``begin`` and ``end`` do the same where blocks do not fit, as for faults that overlap.
    """

    def __init__(self, test: Test, fault: Fault) -> None:
        self.fault = fault
        self.met = ""
        """What showed that it bit, once it has ended."""
        self.unseen = ""
        """Why that cannot be told."""
        self._test = test
        self._state: State = {}
        self._number = 0

    def __repr__(self) -> str:
        return f"<fault {self.fault.name}>"

    def __enter__(self) -> On:
        self.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end(failed=error is not None)

    def at(self, *, after_ms: int, lasts_ms: int) -> Step:
        """Return it as a step of a schedule, for ``faults.play``, instead of putting it on."""
        return Step(after_ms, lasts_ms, self.fault)

    def begin(self) -> None:
        """Put the fault on; when that raises, nothing of it is left on."""
        with self._test.turn:
            self._begin()

    def end(self, *, failed: bool = False) -> None:
        """Look whether the fault bit, and heal it; ``failed``: the test is red already.

        What did not heal or bite is said at the end of the test.
        """
        with self._test.turn:
            if self in self._test.on:
                self._end(failed)

    def heal_again(self) -> None:
        """Heal what could not be healed at its end; raises what keeps it from that."""
        self.fault.heal(self._test.ground, self._state)
        self._test.journal.off(self._number)
        self._test.left.remove(self)

    def _begin(self) -> None:
        test, fault = self._test, self.fault
        test.admit(fault)
        for other in test.on:
            if fault.clashes(other.fault) or other.fault.clashes(fault):
                raise ClashingFaultsError(fault.name, other.fault.name)
        held = test.claims.alone
        test.claims.take(fault.takes(test.ground), f"{fault.name} of {test.name}")
        try:
            # Not before: what another test has broken would seem to have nothing to break.
            fault.ensure(test.ground)
            self._state = fault.prepare(test.ground)
            engine = test.ground.engine_id
            self._number = test.journal.on(fault, self._state, test.name, engine=engine)
        except BaseException:
            test.claims.give_back(test.claims.alone - held)
            raise
        test.on.append(self)
        test.spans.append(Span(fault.name, fault.where, monotonic()))
        try:
            fault.begin(test.ground, self._state)
        except BaseException:
            self._heal()
            raise
        test.tell(f"{fault.name}: on")
        test.changed()

    def _end(self, failed: bool) -> None:
        test, fault = self._test, self.fault
        try:
            self._look()
            if self.met:
                test.bit.add((fault.kind, fault.where))
            elif fault.expect_traffic and not failed:
                test.missed(fault.name, self.unseen)
        finally:
            self._heal()

    def _look(self) -> None:
        test, name = self._test, self.fault.name
        try:
            self.met = self.fault.seen(test.ground, self._state)
        except Exception as error:  # whatever it is, the fault is to be healed
            self.unseen = str(error) or type(error).__name__
            test.tell(f"{name}: whether it bit cannot be told: {self.unseen}")
        else:
            test.tell(f"{name}: {self.met or 'met nothing'}")

    def _heal(self) -> None:
        test = self._test
        try:
            self.fault.heal(test.ground, self._state)
        except Exception as error:  # the others are healed, too, and the journal keeps this one
            test.not_healed[self.fault.name] = str(error) or type(error).__name__
            test.left.append(self)
            test.tell(f"{self.fault.name}: not healed: {error}")
        else:
            test.journal.off(self._number)
            test.tell(f"{self.fault.name}: healed")
        finally:
            test.on.remove(self)
            test.spans = [self._ended(span) for span in test.spans]
            test.changed()

    def _ended(self, span: Span) -> Span:
        is_own = span.name == self.fault.name and span.ended_s is None
        return replace(span, ended_s=monotonic()) if is_own else span
