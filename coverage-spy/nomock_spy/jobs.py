"""Work that no request brings: a consumer of a queue says whose job it begins to do.

It does so by Python's audit events, so that it needs nothing of ours, and without the spy nothing
happens: ``sys.audit("nomock.context", baggage)`` before the job, with the baggage header of the
request that ordered it, and ``sys.audit("nomock.context", "")`` when it is done.
"""

from __future__ import annotations

import sys
from contextvars import ContextVar

from nomock_spy.activities import NO_TEST, Activity, begin
from nomock_spy.guard import swallow

_job: ContextVar[Activity] = ContextVar("nomock_spy_job", default=NO_TEST)


def listen() -> None:
    """Listen to the audit event ``nomock.context``."""
    sys.addaudithook(_on_audit)


def _on_audit(event: str, arguments: tuple[object, ...]) -> None:
    if event != "nomock.context":
        return
    try:
        _job.get().end()
        # Direct: a job has no response before which all of it could be written at once.
        _job.set(begin(str(arguments[0]), direct=True))
    except BaseException as error:
        swallow(error)
