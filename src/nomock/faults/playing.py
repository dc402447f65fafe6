"""A schedule while it is played: in the background, while the body of the test goes on."""

from __future__ import annotations

from dataclasses import replace
from threading import Event, Thread
from types import TracebackType

from nomock.faults.on import On, Test
from nomock.faults.schedule import Schedule


class Playing:
    """A ``with`` block that begins and ends the faults of a schedule at their times.

    Whatever is on when the block ends is healed then. What the schedule may break is claimed
    before it begins, so that nothing waits in the middle. Its clock stands still while a fault is
    being put on or healed, so that each is on for its time, also where that is slow.
    """

    def __init__(self, test: Test, schedule: Schedule, *, expect_traffic: bool) -> None:
        self.schedule = schedule
        self._test = test
        self._expect_traffic = expect_traffic
        self._stop = Event()
        self._over = Event()
        self._begun: dict[int, On] = {}
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

    def __enter__(self) -> Playing:
        test, schedule = self._test, self.schedule
        for step in schedule:
            test.admit(step.fault)
        parts = frozenset[str]().union(*(s.fault.takes(test.ground) for s in schedule))
        held = test.claims.alone
        test.claims.take(parts, f"{schedule.name} of {test.name}")
        try:
            for step in schedule:
                step.fault.ensure(test.ground)
        except BaseException:
            test.claims.give_back(test.claims.alone - held)
            raise
        test.tell(f"{schedule.name}; to play it again: with faults.play({schedule!r}):")
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
        if self._expect_traffic and not any(on.met for on in self._begun.values()):
            unseen = "\n".join(on.unseen for on in self._begun.values() if on.unseen)
            self._test.missed(self.schedule.name, unseen)

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
            for on in reversed(self._begun.values()):
                on.end()
            if left := len(self.schedule.steps) - len(self._begun):
                self._tell(f"{left} of {len(self.schedule.steps)} faults had not begun at its end")
            self._over.set()

    def _begin(self, number: int) -> None:
        # Whether the schedule met something is asked of it as a whole.
        fault = replace(self.schedule.steps[number].fault, expect_traffic=False)
        on = On(self._test, fault)
        on.begin()
        self._begun[number] = on

    def _tell(self, text: str) -> None:
        self._test.tell(f"{self.schedule.name}: {text}")
