"""RQ: a job has a dictionary of the service's own that is kept with it.

https://python-rq.org/docs/jobs/
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nomock_spy.activities import found_server
from nomock_spy.guard import swallow
from nomock_spy.queues import KEY, begin, complete, end
from nomock_spy.standins import known_as, replace


def install(module: Any) -> None:
    """Let rq.job.Job keep the baggage when it is made, and begin with it when it is done."""
    make = vars(module.Job)["create"].__func__
    replace(module.Job, "perform", _for_the_test)
    module.Job.create = classmethod(known_as(make, _completing(make)))


def _completing(make: Any) -> Callable[..., Any]:
    def create(cls: Any, *arguments: Any, **named: Any) -> Any:
        job = make(cls, *arguments, **named)
        complete(_meta(job))
        return job

    return create


def _for_the_test(perform: Any) -> Callable[..., Any]:
    def perform_for_the_test(self: Any, *arguments: Any, **named: Any) -> Any:
        found_server("rq")
        begin(_meta(self).get(KEY) or "")
        try:
            return perform(self, *arguments, **named)
        finally:
            end()

    return perform_for_the_test


def _meta(job: Any) -> dict[Any, Any]:
    try:
        meta = job.meta
    except BaseException as error:
        swallow(error)
        meta = None
    return meta if isinstance(meta, dict) else {}
