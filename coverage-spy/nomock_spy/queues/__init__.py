"""Where each library of queues lets a job keep the baggage of its test; one file each.

A pool is a queue, too, whose consumers are its workers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nomock_spy import jobs
from nomock_spy.baggage import with_origin
from nomock_spy.clients import baggage_of_the_test
from nomock_spy.contexts import BACKGROUND, Context, current
from nomock_spy.guard import swallow
from nomock_spy.standins import stand_in

KEY = "baggage"
"""What the baggage is called in a job's headers, as in those of a request."""


def complete(headers: Any) -> None:
    """Add the baggage of the test that queues a job to the job's headers, a dictionary."""
    try:
        existing = headers.get(KEY, "")
        if not isinstance(existing, str):
            return  # the service has something of its own there
        baggage = baggage_of_the_test([existing] if existing else [])
        if baggage is not None:
            headers[KEY] = baggage
    except BaseException as error:
        swallow(error)


def begin(baggage: object) -> None:
    """Begin a job for the test that its baggage names."""
    try:
        jobs.take(baggage)
    except BaseException as error:
        swallow(error)


def end() -> None:
    """End the job that this thread or task has begun."""
    begin("")


def baggage_of(context: Context | None) -> str:
    """Return the baggage that names a context's test; empty where it has none."""
    return "" if context is None or context.origin is None else with_origin("", context.origin)


def consumed(work: Any, taken: Callable[[Any], tuple[Any, str | Context]]) -> Callable[..., Any]:
    """Return the main function of a pool's worker, which does each piece of work for its test.

    It begins with a queue as its argument. ``taken`` returns what it is to get of that, and whose
    it is: baggage, or a context of this process, empty for no test.
    """

    def work_for_tests(queue: Any, *arguments: Any, **named: Any) -> Any:
        get = queue.get

        def get_and_begin(*arguments: Any, **named: Any) -> Any:
            end()
            current.set(BACKGROUND)
            piece, carried = taken(get(*arguments, **named))
            if isinstance(carried, Context):
                current.set(carried)
            elif carried:
                begin(carried)
            return piece

        try:
            queue = stand_in(queue, get=get_and_begin)
        except BaseException as error:
            swallow(error)
        return work(queue, *arguments, **named)

    return work_for_tests
