"""arq: a job is a dictionary that is pickled, of which a worker takes what it knows by name.

So the baggage is one member more, which a worker without the spy does not ask for, and which stays
in the job however often it is tried. https://arq-docs.helpmanuel.io
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from nomock_spy.activities import found_framework
from nomock_spy.contexts import current
from nomock_spy.guard import swallow
from nomock_spy.queues import baggage_of, begin, end
from nomock_spy.standins import check_is_async, replace

_BAGGAGE = "nomock_baggage"


def install(module: Any) -> None:
    """Let arq.connections send the baggage with a job, or arq.worker begin with it."""
    if module.__name__ == "arq.connections":
        replace(module, "serialize_job", _sending)
    else:
        replace(module, "deserialize_job_raw", _beginning)
        replace(module.Worker, "run_job", _ending)


def _sending(serialize: Any) -> Callable[..., Any]:
    def serialize_with_baggage(*arguments: Any, serializer: Any = None, **named: Any) -> Any:
        baggage = ""
        try:
            baggage = baggage_of(current.get())
        except BaseException as error:
            swallow(error)
        if not baggage:
            return serialize(*arguments, serializer=serializer, **named)
        dump = pickle.dumps if serializer is None else serializer

        def dump_with_baggage(job: Any) -> Any:
            try:
                return dump({**job, _BAGGAGE: baggage})
            except Exception:
                return dump(job)  # it takes no other members, or cannot be dumped, as it says then

        return serialize(*arguments, serializer=dump_with_baggage, **named)

    return serialize_with_baggage


def _beginning(deserialize: Any) -> Callable[..., Any]:
    def deserialize_and_begin(*arguments: Any, deserializer: Any = None, **named: Any) -> Any:
        load = pickle.loads if deserializer is None else deserializer

        def load_and_begin(data: Any) -> Any:
            job = load(data)
            found_framework("arq")
            begin(job.get(_BAGGAGE, "") if isinstance(job, dict) else "")
            return job

        return deserialize(*arguments, deserializer=load_and_begin, **named)

    return deserialize_and_begin


def _ending(run: Any) -> Callable[..., Any]:
    check_is_async(run)

    async def run_and_end(self: Any, *arguments: Any, **named: Any) -> Any:
        try:
            return await run(self, *arguments, **named)
        finally:
            end()

    return run_and_end
