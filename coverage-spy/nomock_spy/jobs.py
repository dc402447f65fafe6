"""Work that no request brings: a consumer of a queue says whose job it begins to do.

It does so by Python's audit events, so that it needs nothing of ours, and without the spy nothing
happens: ``sys.audit("nomock.context", baggage)`` before the job, with the baggage header of the
request that ordered it, and ``sys.audit("nomock.context", "")`` when it is done.

A job for no test has no baggage, which cannot be told from the end of one: so jobs do not nest,
and the next one ends the last. One that is done in the middle of a request ends in the request.
"""

from __future__ import annotations

from contextvars import ContextVar

from nomock_spy import audit
from nomock_spy.activities import Activity, begin
from nomock_spy.contexts import Context, current


class _Job:
    """A job that is being done."""

    __slots__ = ("activity", "before", "context")

    def __init__(self, activity: Activity, context: Context, before: Context) -> None:
        self.activity = activity
        self.context = context
        self.before = before
        """The context in which the job was begun."""


_job: ContextVar[_Job | None] = ContextVar("nomock_spy_job", default=None)


def listen() -> None:
    """Listen to the audit event ``nomock.context``."""
    audit.listen("nomock.context", lambda arguments: take(arguments[0]))


def take(baggage: object) -> None:
    """End the job that was begun last, and begin one for a test, if its baggage names one."""
    _end()
    if isinstance(baggage, bytes):  # what some brokers keep headers in
        baggage = baggage.decode("latin-1")
    if isinstance(baggage, str) and baggage:
        _begin(baggage)


def _begin(baggage: str) -> None:
    before = current.get()
    # At once: a job has no response before which all of it could be written at once.
    activity = begin(baggage, write_through=True)
    _job.set(_Job(activity, current.get(), before))


def _end() -> None:
    job = _job.get()
    if job is None:
        return
    _job.set(None)
    context = current.get()
    job.activity.end()
    # A request that this thread has begun since, if it has, goes on; as does one before.
    current.set(job.before if context is job.context else context)
