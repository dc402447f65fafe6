"""A fault while it is active, and what the faults of one test have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from threading import RLock
from time import monotonic
from types import TracebackType
from typing import Any

from nomock import baggage
from nomock.errors import (
    ConflictingFaultsError,
    EffectUnknownError,
    FaultError,
    NotHealedError,
    NoTrafficError,
)
from nomock.evidence import Span
from nomock.faults.fault import Fault, NoState, State
from nomock.faults.journal import Journal
from nomock.faults.locking.claims import Claims
from nomock.faults.schedule import Step
from nomock.faults.stack_control import StackControl


@dataclass
class FaultSession:
    """The faults of one test: which are active, and what is known of those that have ended."""

    control: StackControl
    claims: Claims
    journal: Journal
    test: str
    """The test's node id."""
    admit: Callable[[Fault], None] = lambda fault: None
    """Raises where a fault may not begin at all."""
    active: list[ActiveFault] = field(default_factory=list)
    """The faults that are active now, the oldest first."""
    without_effect: list[str] = field(default_factory=list)
    """The names of faults that had no effect."""
    effect_unknown: dict[str, str] = field(default_factory=dict)
    """Faults whose effect cannot be told: name -> the reason."""
    not_healed: dict[str, str] = field(default_factory=dict)
    """Faults that could not be healed: name -> the reason."""
    left: list[ActiveFault] = field(default_factory=list)
    """What this process may heal later: what could not be healed, of this test and earlier ones."""
    story: list[tuple[float, str]] = field(default_factory=list)
    """What was done when, by the monotonic clock, for the evidence."""
    spans: list[Span] = field(default_factory=list)
    """When each fault was active, for the evidence."""
    seeds: list[int] = field(default_factory=list)
    """The seeds of the schedules that were played, in their order."""
    replayed: Iterator[int] = field(default_factory=lambda: iter(()))
    """The seeds of the schedules of a test that is replayed."""
    effective: set[tuple[str, str]] = field(default_factory=set)
    """Kind and place of each fault that had an effect."""
    turn: RLock = field(default_factory=RLock)
    """Faults begin and end one at a time: those of a schedule do so in a thread of their own."""

    def tell(self, text: str) -> None:
        """Add a line to the story."""
        self.story.append((monotonic(), text))

    def name_active_in_requests(self) -> None:
        """Have the test's requests name the faults that are active now."""
        baggage.set_current_faults(active.fault.name for active in self.active)

    def note_no_effect(self, name: str, unknown: str) -> None:
        """Note that a fault or a schedule had no effect, or why that cannot be told."""
        if unknown:
            self.effect_unknown[name] = unknown
        else:
            self.without_effect.append(name)

    def finish(self) -> FaultError | None:
        """Heal what is still active, the newest first.

        Return an error for what did not heal, for effects that are unknown, or for faults without
        effect, in this order; None where there is nothing of these.
        """
        for active in reversed(self.active.copy()):
            active.end()
        if self.not_healed:
            return NotHealedError(self.not_healed)
        if self.effect_unknown:
            return EffectUnknownError(self.effect_unknown)
        return NoTrafficError(self.without_effect) if self.without_effect else None


class ActiveFault:
    """A fault as a ``with`` block: active while the block runs, healed when it ends in any way.

    Where blocks do not fit, as for faults that overlap, ``begin`` and ``end`` do the same.
    """

    def __init__(self, session: FaultSession, fault: Fault) -> None:
        self.fault = fault
        self.effect = ""
        """What showed its effect, once it has ended; "" for none."""
        self.effect_unknown = ""
        """Why that cannot be told."""
        self._session = session
        self._state: State = NoState()
        self._begun: Any = None
        self._number = 0

    def __repr__(self) -> str:
        return f"<fault {self.fault.name}>"

    def __enter__(self) -> ActiveFault:
        self.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end(failed=error is not None)

    @property
    def test(self) -> str:
        """The node id of the test whose fault it is."""
        return self._session.test

    def at(self, *, after_ms: int, lasts_ms: int) -> Step:
        """Return the fault as a step of a schedule, for ``faults.play``; it does not begin here."""
        return Step(after_ms, lasts_ms, self.fault)

    def begin(self) -> None:
        """Begin the fault; where that raises, nothing of it stays."""
        with self._session.turn:
            self._begin()

    def end(self, *, failed: bool = False) -> None:
        """Observe the fault's effect, then heal it; ``failed``: the test is red already.

        A fault without effect, or one that does not heal, is an error at the end of the test.
        """
        with self._session.turn:
            if self in self._session.active:
                self._end(failed)

    def heal_again(self) -> None:
        """Heal a fault that could not be healed at its end; raises what keeps it from that."""
        self.fault.heal(self._session.control, self._state)
        self._session.journal.off(self._number)
        self._session.left.remove(self)

    def _begin(self) -> None:
        session, fault = self._session, self.fault
        session.admit(fault)
        for other in session.active:
            if fault.conflicts_with(other.fault) or other.fault.conflicts_with(fault):
                raise ConflictingFaultsError(fault.name, other.fault.name)
        held = session.claims.alone
        parts = fault.exclusive_parts(session.control)
        session.claims.acquire_exclusive(parts, f"{fault.name} of {session.test}")
        try:
            # Not before: what another test has broken would seem to have nothing to break.
            fault.validate(session.control)
            self._state = fault.prepare(session.control)
            engine = session.control.engine_id
            self._number = session.journal.on(fault, self._state, session.test, engine=engine)
        except BaseException:
            session.claims.give_back(session.claims.alone - held)
            raise
        session.active.append(self)
        session.spans.append(Span(fault.name, fault.where, monotonic()))
        try:
            self._begun = fault.begin(session.control, self._state)
        except BaseException:
            self._heal()
            raise
        session.tell(f"{fault.name}: on")
        session.name_active_in_requests()

    def _end(self, failed: bool) -> None:
        session, fault = self._session, self.fault
        try:
            self._observe_effect()
            if self.effect:
                session.effective.add((fault.kind, fault.where))
            elif fault.expect_traffic and not failed:
                session.note_no_effect(fault.name, self.effect_unknown)
        finally:
            self._heal()

    def _observe_effect(self) -> None:
        session, name = self._session, self.fault.name
        try:
            self.effect = self.fault.observe_effect(session.control, self._state, self._begun)
        except Exception as error:  # whatever it is, the fault is to be healed
            self.effect_unknown = str(error) or type(error).__name__
            session.tell(f"{name}: its effect is unknown: {self.effect_unknown}")
        else:
            session.tell(f"{name}: {self.effect or 'had no effect'}")

    def _heal(self) -> None:
        session = self._session
        try:
            self.fault.heal(session.control, self._state)
        except Exception as error:  # the others are healed, too, and the journal keeps this one
            session.not_healed[self.fault.name] = str(error) or type(error).__name__
            session.left.append(self)
            session.tell(f"{self.fault.name}: not healed: {error}")
        else:
            session.journal.off(self._number)
            session.tell(f"{self.fault.name}: healed")
        finally:
            session.active.remove(self)
            session.spans = [self._ended(span) for span in session.spans]
            session.name_active_in_requests()

    def _ended(self, span: Span) -> Span:
        is_own = span.name == self.fault.name and span.ended_s is None
        return replace(span, ended_s=monotonic()) if is_own else span
