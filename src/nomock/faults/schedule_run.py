"""A schedule while it is played: in the background, while the body of the test goes on."""

from __future__ import annotations

from dataclasses import replace
from threading import Event, Thread
from types import TracebackType

from nomock.faults.active import ActiveFault, FaultSession
from nomock.faults.schedule import Schedule


class ScheduleRun:
    """A ``with`` block that begins and ends the faults of a schedule at their times.

    Whatever is on when the block ends is healed then. What the schedule may break is claimed
    before it begins, so that nothing waits in the middle. Its clock stands still while a fault is
    being put on or healed, so that each is on for its time, also where that is slow.
    """

    def __init__(self, session: FaultSession, schedule: Schedule, *, expect_traffic: bool) -> None:
        self.schedule = schedule
        self._session = session
        self._expect_traffic = expect_traffic
        self._stop = Event()
        self._over = Event()
        self._begun: dict[int, ActiveFault] = {}
        self._error: Exception | None = None
        self._thread = Thread(target=self._play, name=schedule.name, daemon=True)

    def __repr__(self) -> str:
        return f"<{self.schedule.name}>"

    @property
    def is_over(self) -> bool:
        """Whether all its faults have come and gone: ``while not playing.is_over: …``."""
        return self._over.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Return when it is over, or after timeout_s; tell whether it is."""
        return self._over.wait(timeout_s)

    def __enter__(self) -> ScheduleRun:
        session, schedule = self._session, self.schedule
        for step in schedule:
            session.admit(step.fault)
        control = session.control
        parts = frozenset[str]().union(*(s.fault.exclusive_parts(control) for s in schedule))
        held = session.claims.alone
        session.claims.acquire_exclusive(parts, f"{schedule.name} of {session.test}")
        try:
            for step in schedule:
                step.fault.validate(control)
        except BaseException:
            session.claims.give_back(session.claims.alone - held)
            raise
        session.tell(f"{schedule.name}; to play it again: with faults.play({schedule!r}):")
        if schedule.seed is not None:
            session.seeds.append(schedule.seed)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        if error is not None:
            return  # the test is red already
        if self._error is not None:
            raise self._error
        if self._expect_traffic and not any(active.effect for active in self._begun.values()):
            unknown = "\n".join(
                active.effect_unknown for active in self._begun.values() if active.effect_unknown
            )
            self._session.note_no_effect(self.schedule.name, unknown)

    def _play(self) -> None:
        now_ms = 0
        try:
            for moment in self.schedule.moments():
                if self._stop.wait((moment.at_ms - now_ms) / 1000):
                    break
                now_ms = moment.at_ms
                if moment.begins:
                    self._begin(moment.number)
                else:
                    self._begun[moment.number].end()
        except Exception as error:  # raised where the block ends
            self._error = error
            self._tell(f"went no further: {type(error).__name__}: {error}")
        finally:
            for active in reversed(self._begun.values()):
                active.end()
            if left := len(self.schedule.steps) - len(self._begun):
                self._tell(f"{left} of {len(self.schedule.steps)} faults had not begun at its end")
            self._over.set()

    def _begin(self, number: int) -> None:
        # The effect is asked of the schedule as a whole.
        fault = replace(self.schedule.steps[number].fault, expect_traffic=False)
        active = ActiveFault(self._session, fault)
        active.begin()
        self._begun[number] = active

    def _tell(self, text: str) -> None:
        self._session.tell(f"{self.schedule.name}: {text}")
