"""A state machine over the live stack, cleaned between its examples."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from time import monotonic

from nomock.adapters.hypothesis import (
    INVARIANT_MARKER,
    RuleBasedStateMachine,
    run_state_machine_as_test,
)
from nomock.baggage import current_test
from nomock.properties.bounded import bounded
from nomock.properties.outcome import Outcome, note
from nomock.stack import Stack


def explore(
    stack: Stack,
    machine: Callable[[], RuleBasedStateMachine],
    *,
    between: Callable[[], object],
    examples: int = 20,
    steps: int = 15,
) -> None:
    """Run Hypothesis' state machines on the live stack, each on a clean state.

    Args:
        stack: The fixture: what its machines ask through it carries the test.
        machine: Makes a new machine for each example: a function without arguments.
        between: Takes away what an example made, before the next one and at the end, also after
            one that failed: ``snapshot.restore``, ``undo.close`` of an ExitStack, your own.
        examples: How many machines at the most, if none fails.
        steps: How many rules each plays at the most.

    What failed is shrunk to the fewest steps, printed as a program, and kept: the next run begins
    with it (``bounded`` has the settings). The first lines of the docstrings of its invariants go
    into ``.nomock/quality/properties.json``, for ``nomock quality``.

    Raises ConfigError without ``pip install 'nomock[hypothesis]'``.
    """
    made: list[RuleBasedStateMachine] = []

    def fresh() -> RuleBasedStateMachine:
        if made:
            between()
        made.append(machine())
        return made[-1]

    # By its name Hypothesis finds the examples of this test again.
    fresh.__name__ = fresh.__qualname__ = current_test() or machine.__name__
    began, failure = monotonic(), None
    try:
        # It calls what it is given; its type wants a class.
        run_state_machine_as_test(fresh, settings=bounded(examples, steps))  # type: ignore[arg-type]
    except BaseException as error:
        failure = error
        raise
    finally:
        try:
            between()
        finally:
            broken = _run_by(failure)
            outcomes = _outcomes(made, broken)
            note(stack.settings.state_dir, outcomes, len(made), monotonic() - began)


def _outcomes(made: list[RuleBasedStateMachine], broken: set[object]) -> list[Outcome]:
    if not made:
        return []
    invariants = [
        marked.function
        for _, member in inspect.getmembers(type(made[0]))
        if (marked := getattr(member, INVARIANT_MARKER, None)) is not None
    ]
    return [Outcome(_said(function), function.__code__ not in broken) for function in invariants]


def _said(function: Callable[..., object]) -> str:
    first = (inspect.getdoc(function) or "").partition("\n")[0].rstrip(".")
    return first or function.__name__.replace("_", " ")


def _run_by(failure: BaseException | None) -> set[object]:
    """Return the code that ran when it failed.

    Hypothesis raises several failures as a group. One that does not come again, as a race does
    not, is within what it raises of that.
    """
    found: set[object] = set()
    left, known = [failure], set[int]()
    while left:
        if (error := left.pop()) is None or id(error) in known:
            continue
        known.add(id(error))
        left += [error.__cause__, error.__context__, *getattr(error, "exceptions", ())]
        found |= {frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)}
    return found
