"""A steady state: checked before a fault, watched during it, and found again after it.

    with steady(lambda: stack["instances"].http.get("/health"), within_s=2) as watch:
        with faults.kill("redis"):
            ...
        watch.recovers_within(5)

Before and after as in Chaos Toolkit's steady-state hypothesis; during, because a service that
hangs and one that says no in time are not the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic

from nomock.context import current_fault
from nomock.errors import NotSteadyError
from nomock.faults.answers import described, is_good

Probe = Callable[[], object]
"""Asks the system once. Its answer is good when it is truthy; one over HTTP when it is a 2xx."""

EVERY_S = 0.05
# A thread cannot be ended from outside: its last question gets longer than nomock's client waits.
_LAST_ANSWER_S = 35.0


@dataclass(frozen=True)
class Answer:
    """What one question brought."""

    at_s: float
    """When it was asked, in seconds since the watch began."""
    took_s: float
    good: bool
    seen: str
    fault: str
    """The faults that were on when it was asked; "" for none."""

    def __str__(self) -> str:
        under = f" under {self.fault}" if self.fault else ""
        return f"{self.seen}, asked at {self.at_s:.2f} s{under}, after {self.took_s:.2f} s"


class Watch:
    """Asks a probe again and again, from a thread of its own, and keeps what it answers."""

    def __init__(self, probe: Probe, *, within_s: float, every_s: float) -> None:
        self.answers: list[Answer] = []
        self._probe = probe
        self._within_s = within_s
        self._every_s = every_s
        self._began_s = monotonic()
        self._ended = Event()
        self._thread = Thread(target=self._run, name=f"steady {_named(probe)}", daemon=True)

    @property
    def failed(self) -> list[Answer]:
        """The answers that were not good."""
        return [answer for answer in self.answers if not answer.good]

    @property
    def longest(self) -> Answer | None:
        """The answer that took the longest; None where nothing was asked."""
        return max(self.answers, key=lambda answer: answer.took_s, default=None)

    def __str__(self) -> str:
        failed = self.failed
        lines = [f"asked {len(self.answers)} times: {len(self.answers) - len(failed)} good"]
        lines[0] += f", {len(failed)} failed"
        if failed:
            lines.append(f"first failed: {failed[0]}")
        if len(failed) > 1:
            lines.append(f"last failed: {failed[-1]}")
        if longest := self.longest:
            lines.append(f"longest: {longest}")
        return "\n".join(lines)

    def recovers_within(self, seconds: float, *, in_a_row: int = 3) -> float:
        """Return after how many seconds it answers well again; to be called right after healing.

        The questions are new ones: one that was asked during the fault may hang for long.
        Raises NotSteadyError unless ``in_a_row`` good answers in a row have come by then.
        """
        return recovers_within(self._probe, seconds, in_a_row=in_a_row, every_s=self._every_s)

    def begin(self) -> None:
        """Ask once, then go on asking in the background; raise NotSteadyError for a bad answer."""
        answer = _ask(self._probe, self._began_s)
        if not answer.good or answer.took_s > self._within_s:
            raise NotSteadyError(
                "not steady to begin with",
                where=_where(self._probe),
                seen=str(answer),
                todo="it must answer well, and in time, before anything is broken",
            )
        self._thread.start()

    def end(self) -> None:
        """Stop asking, and wait for the answer that is on its way."""
        self._ended.set()
        self._thread.join(_LAST_ANSWER_S)

    def check(self, allowed_failures: int | None) -> None:
        """Raise NotSteadyError for an answer that came too late, and for too many failed ones."""
        late = [answer for answer in self.answers if answer.took_s > self._within_s]
        if self._thread.is_alive():
            what = f"an answer did not come at all: {_LAST_ANSWER_S:.0f} s were not enough"
        elif late:
            what = f"{len(late)} of {len(self.answers)} answers took more than {self._within_s} s"
        elif allowed_failures is not None and len(self.failed) > allowed_failures:
            what = f"{len(self.failed)} answers failed, {allowed_failures} were allowed"
        else:
            return
        raise NotSteadyError(
            what,
            where=_where(self._probe),
            seen=str(self),
            todo="a service that cannot answer should say so in time: give it a shorter time-out",
        )

    def _run(self) -> None:
        while not self._ended.is_set():
            self.answers.append(_ask(self._probe, self._began_s))
            self._ended.wait(self._every_s)


@contextmanager
def steady(
    probe: Probe, *, within_s: float, every_s: float = EVERY_S, allowed_failures: int | None = None
) -> Iterator[Watch]:
    """Watch a probe for as long as the block runs: every answer must come within ``within_s``.

    It must be good before the block begins. In it answers may be bad, as long as they come in
    time: a service under a fault may say no; ``allowed_failures`` says how many times.
    Raises NotSteadyError; an error of the block itself gets what was seen as a note.
    """
    watch = Watch(probe, within_s=within_s, every_s=every_s)
    watch.begin()
    try:
        yield watch
    except BaseException as error:
        watch.end()
        error.add_note(f"{_where(probe)} meanwhile: {watch}")
        raise
    watch.end()
    watch.check(allowed_failures)


def recovers_within(
    probe: Probe, seconds: float, *, in_a_row: int = 3, every_s: float = EVERY_S
) -> float:
    """Return after how many seconds a probe answers well again; to be called right after healing.

    That is when the first of ``in_a_row`` good answers in a row was asked for.
    Raises NotSteadyError unless the last of them has come within ``seconds``.
    """
    began_s, pause = monotonic(), Event()
    answers: list[Answer] = []
    row: list[Answer] = []
    while len(row) < in_a_row:
        answers.append(_ask(probe, began_s))
        row = [*row, answers[-1]] if answers[-1].good else []
        if monotonic() - began_s > seconds:
            raise NotSteadyError(
                f"not {in_a_row} good answers in a row within {seconds} s",
                where=_where(probe),
                seen=f"asked {len(answers)} times, good in a row at the end: {len(row)}\n"
                + "\n".join(f"{a}" for a in answers if not a.good)[-1000:],
                todo="what it needs may not have come back: nomock logs",
            )
        pause.wait(every_s)
    return row[0].at_s


def _ask(probe: Probe, began_s: float) -> Answer:
    fault, asked_s = current_fault(), monotonic()
    answer: object
    try:
        answer = probe()
    except Exception as error:
        answer = error
    took_s = monotonic() - asked_s
    return Answer(asked_s - began_s, took_s, is_good(answer), described(answer), fault)


def _where(probe: Probe) -> str:
    return f"probe {_named(probe)}"


def _named(probe: Probe) -> str:
    code = getattr(probe, "__code__", None)
    name = getattr(probe, "__name__", type(probe).__name__)
    if code is None:
        return str(name)
    place = f"{code.co_filename.rpartition('/')[2]}:{code.co_firstlineno}"
    return place if name == "<lambda>" else f"{name} ({place})"
