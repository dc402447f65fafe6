"""ProcessPoolExecutor, and loky's: a worker does each piece of work for the test that gave it.

The piece that is sent to it has the baggage as an attribute, which a process without the spy takes
for nothing. What pickle runs of the app's on the way belongs to no test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nomock_spy.contexts import BACKGROUND
from nomock_spy.executors import context_of, keeping_context, within
from nomock_spy.guard import swallow
from nomock_spy.queues import baggage_of, consumed
from nomock_spy.standins import known_as, replace

_BAGGAGE = "nomock_baggage"


def install(module: Any) -> None:
    """Let concurrent.futures.process or loky.process_executor carry the test of each piece."""
    if "__slots__" in vars(module._WorkItem):  # with which it has no room for a context
        module._WorkItem = type("_WorkItem", (module._WorkItem,), {"__module__": module.__name__})
    pool, manager = module.ProcessPoolExecutor, module._ExecutorManagerThread
    for method in (pool._start_executor_manager_thread, pool._adjust_process_count):
        # What is started for the first test, threads and processes, outlives it.
        replace(pool, method.__name__, lambda start: within(start, lambda pool: BACKGROUND))
    replace(module._WorkItem, "__init__", keeping_context)
    replace(manager, "__init__", _sending_baggage)
    replace(manager, "process_result_item", _in_context)
    replace(module, "_process_worker", lambda work: consumed(work, _taken))


def _sending_baggage(initialize: Any) -> Callable[..., Any]:
    def initialize_sending(self: Any, *arguments: Any, **named: Any) -> None:
        initialize(self, *arguments, **named)
        try:
            queue, pending = self.call_queue, self.pending_work_items
            put = queue.put

            def put_with_baggage(item: Any, *arguments: Any, **named: Any) -> Any:
                try:
                    submitted = pending.get(getattr(item, "work_id", None))
                    baggage = baggage_of(context_of(submitted))
                    if baggage:
                        setattr(item, _BAGGAGE, baggage)
                except BaseException as error:
                    swallow(error)
                return put(item, *arguments, **named)

            queue.put = known_as(put, put_with_baggage)
        except BaseException as error:
            swallow(error)

    return initialize_sending


def _taken(item: Any) -> tuple[Any, str]:
    return item, getattr(item, _BAGGAGE, "")


def _in_context(process: Any) -> Callable[..., Any]:
    def process_in_context(self: Any, result_item: Any, *arguments: Any, **named: Any) -> Any:
        # It calls what is to be called when the work is done.
        item = self.pending_work_items.get(getattr(result_item, "work_id", None))
        done = within(process, lambda manager: context_of(item))
        return done(self, result_item, *arguments, **named)

    return process_in_context
