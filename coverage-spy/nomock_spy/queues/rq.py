"""RQ: a job has a dictionary of the service's own that is kept with it.

https://python-rq.org/docs/jobs/
"""

from __future__ import annotations

from typing import Any

from nomock_spy.activities import found_server
from nomock_spy.queues import KEY, begin, complete, end


def install(module: Any) -> None:
    """Let rq.job.Job keep the baggage when it is made, and begin with it when it is done."""
    make, perform = module.Job.create.__func__, module.Job.perform

    def create(cls: Any, *arguments: Any, **named: Any) -> Any:
        job = make(cls, *arguments, **named)
        complete(job.meta)
        return job

    def perform_for_the_test(self: Any) -> Any:
        found_server("rq")
        begin(self.meta.get(KEY) or "")
        try:
            return perform(self)
        finally:
            end()

    module.Job.create = classmethod(create)
    module.Job.perform = perform_for_the_test
