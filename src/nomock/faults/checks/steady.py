"""A steady state: checked before a fault, watched during it, and found again after it.

    with steady(lambda: stack["instances"].http.get("/health"), within_s=2) as watch:
        with faults.kill("redis"):
            ...
        watch.recovers_within(5)

Before and after as in Chaos Toolkit's steady-state hypothesis; during, because a service that
hangs is worse than one that says no in time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread
from time import monotonic

from nomock.baggage import current_fault
from nomock.errors import NotSteadyError
from nomock.faults.checks.answers import described, is_good
from nomock.faults.locking.waited import waited_between

Probe = Callable[[], object]
"""Asks the system once. Its answer is good when it is truthy; an HTTP response when it is a 2xx."""

EVERY_S = 0.05
IN_A_ROW = 3
# No thread can be ended from outside: its last question may take what nomock's clients wait for.
_LAST_ANSWER_S = 35.0


@dataclass(frozen=True)
class SteadyAnswer:
    """What a probe answered once."""

    asked_s: float
    """By the monotonic clock."""
    took_s: float
    good: bool
    """Whether it said yes, and in time."""
    seen: str
    fault: str
    """The faults that were on when it was asked; "" for none."""

    @property
    def is_disturbed(self) -> bool:
        """Whether this process waited for another test meanwhile, whose fault it may have met."""
        return waited_between(self.asked_s, self.asked_s + self.took_s) > 0


class SteadyWatch:
    """Asks a probe again and again, in a thread of its own, for as long as the block runs."""

    def __init__(self, probe: Probe, *, within_s: float, every_s: float) -> None:
        self._probe = probe
        self._within_s = within_s
        self._every_s = every_s
        self._began_s = monotonic()
        self._asked: list[SteadyAnswer] = []
        self._ended = Event()
        self._thread = Thread(target=self._run, name=f"steady {_named(probe)}", daemon=True)

    @property
    def answers(self) -> list[SteadyAnswer]:
        """What was answered so far."""
        return [answer for answer in self._asked if not answer.is_disturbed]

    @property
    def failed(self) -> list[SteadyAnswer]:
        """The answers that were not good, or came too late."""
        return [answer for answer in self.answers if not answer.good]

    def __str__(self) -> str:
        return _summary(self.answers, self._began_s)

    def recovers_within(self, seconds: float, *, in_a_row: int = IN_A_ROW) -> float:
        """Do as the function of this name; a good answer is one that comes within_s, too.

        It asks anew: a question from before the healing may hang on for long.
        """
        return _recovers(self._probe, seconds, in_a_row, self._every_s, self._within_s)

    def begin(self) -> None:
        """Ask once, and go on in the background; raise NotSteadyError for a bad answer."""
        while (first := _ask(self._probe, self._within_s)).is_disturbed:
            pass
        if not first.good:
            what = f"no good answer within {self._within_s:g} s before anything was broken"
            raise _not_steady(what, self._probe, [first], self._began_s)
        self._thread.start()

    def end(self) -> None:
        """Stop asking, and wait for the answer that is on its way."""
        self._ended.set()
        self._thread.join(_LAST_ANSWER_S)

    def check(self, allowed_failures: int | None) -> None:
        """Raise NotSteadyError for an answer that came too late, and for too many failed ones."""
        answers, failed = self.answers, self.failed
        late = [answer for answer in answers if answer.took_s > self._within_s]
        if self._thread.is_alive():
            what = f"no answer at all for {_LAST_ANSWER_S:g} s"
        elif late:
            what = f"{len(late)} of {len(answers)} answers took longer than {self._within_s:g} s"
        elif allowed_failures is not None and len(failed) > allowed_failures:
            what = f"{len(failed)} of {len(answers)} answers failed, {allowed_failures} may"
        elif not answers:
            what = "nothing was asked but while another test broke the stack"
        else:
            return
        raise _not_steady(what, self._probe, answers, self._began_s)

    def _run(self) -> None:
        while True:
            self._asked.append(_ask(self._probe, self._within_s))
            if self._ended.wait(self._every_s):
                return


@contextmanager
def steady(
    probe: Probe, *, within_s: float, every_s: float = EVERY_S, allowed_failures: int | None = None
) -> Iterator[SteadyWatch]:
    """Watch a probe for as long as the block runs: each answer must come within ``within_s``.

    Before the block begins it must be good. In the block it may be bad, since a service under a
    fault may say no; ``allowed_failures`` says how many times.
    Raises NotSteadyError; an error of the block itself gets a note of what was seen.
    """
    watch = SteadyWatch(probe, within_s=within_s, every_s=every_s)
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
    probe: Probe, seconds: float, *, in_a_row: int = IN_A_ROW, every_s: float = EVERY_S
) -> float:
    """Return after how many seconds a probe answers well again; to be called right after healing.

    That is when the first of ``in_a_row`` good answers came. What this test waits for another one
    does not count.
    Raises NotSteadyError unless all of them come within ``seconds``.
    """
    return _recovers(probe, seconds, in_a_row, every_s, seconds)


def _recovers(
    probe: Probe, seconds: float, in_a_row: int, every_s: float, within_s: float
) -> float:
    began_s, pause = monotonic(), Event()
    answers: list[SteadyAnswer] = []
    row: list[SteadyAnswer] = []
    while True:
        answer = _ask(probe, within_s)
        if not answer.is_disturbed:
            answers.append(answer)
            row = [*row, answer] if answer.good else []
            if _lasted(began_s, answer) > seconds:
                what = f"not {in_a_row} good answers in a row within {seconds:g} s of healing"
                raise _not_steady(what, probe, answers, began_s)
            if len(row) == in_a_row:
                return _lasted(began_s, row[0])
        pause.wait(every_s)


def _ask(probe: Probe, within_s: float) -> SteadyAnswer:
    fault, asked_s = current_fault(), monotonic()
    answer: object
    try:
        answer = probe()
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # pytest's own failures, too
        answer = error
    took_s = monotonic() - asked_s
    return SteadyAnswer(
        asked_s, took_s, is_good(answer) and took_s <= within_s, described(answer), fault
    )


def _lasted(began_s: float, answer: SteadyAnswer) -> float:
    """Return how long it was until an answer came, without waits for other tests."""
    end_s = answer.asked_s + answer.took_s
    return end_s - began_s - waited_between(began_s, end_s)


def _not_steady(
    what: str, probe: Probe, answers: Sequence[SteadyAnswer], began_s: float
) -> NotSteadyError:
    return NotSteadyError(
        what,
        where=_where(probe),
        seen=_summary(answers, began_s),
        todo="nomock logs, for what it waited for or could not reach",
    )


def _summary(answers: Sequence[SteadyAnswer], began_s: float) -> str:
    failed = [answer for answer in answers if not answer.good]
    shown = {"first bad": failed[:1], "last bad": failed[1:][-1:]}
    shown["longest"] = sorted(answers, key=lambda answer: answer.took_s)[-1:]
    lines = [f"asked {len(answers)} times, {len(failed)} bad"]
    for which, some in shown.items():
        for answer in some:
            under = f" under {answer.fault}" if answer.fault else ""
            when = f"asked at {answer.asked_s - began_s:.2f} s{under}"
            lines.append(f"{which}: {answer.seen}; {when}, took {answer.took_s:.2f} s")
    return "\n".join(lines)


def _where(probe: Probe) -> str:
    return f"probe {_named(probe)}"


def _named(probe: Probe) -> str:
    """Return the function's name and where it stands: most probes are lambdas."""
    name = getattr(probe, "__name__", type(probe).__name__)
    code = getattr(probe, "__code__", None)
    if code is None:
        return str(name)
    place = f"{code.co_filename.rpartition('/')[2]}:{code.co_firstlineno}"
    return place if name == "<lambda>" else f"{name} ({place})"
