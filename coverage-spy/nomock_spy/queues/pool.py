"""multiprocessing.Pool, and its ThreadPool: a worker does each task for the test that gave it.

A task is a tuple that begins with the number of its job. On the way to a worker the number is a
pair, with the baggage or, between threads, the context. A worker without the spy returns the pair.
What pickle runs of the app's on the way belongs to no test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from nomock_spy.contexts import BACKGROUND, Context, current
from nomock_spy.executors import context_of, keeping_context, within
from nomock_spy.guard import swallow
from nomock_spy.queues import baggage_of, consumed
from nomock_spy.standins import known_as, replace


def install(module: Any) -> None:
    """Let multiprocessing.pool carry the test of each task."""
    pool, results = module.Pool, (module.ApplyResult, module.MapResult, module.IMapIterator)
    send, receive = pool._handle_tasks, pool._handle_results
    # What is started, threads and processes, outlives the test that needed it first.
    replace(pool, "__init__", lambda start: within(start, lambda pool: BACKGROUND))
    replace(module.ApplyResult, "__init__", keeping_context)
    replace(module.IMapIterator, "__init__", keeping_context)
    for result in results:  # which call what is to be called when the work is done
        replace(result, "_set", lambda done: within(done, context_of))
    replace(pool, "_guarded_task_generation", _made_in_context)
    pool._handle_tasks = staticmethod(known_as(send, _sending_baggage(send)))
    pool._handle_results = staticmethod(known_as(receive, _receiving_numbers(receive)))
    replace(module, "worker", lambda work: consumed(work, _taken))


def _made_in_context(generate: Any) -> Callable[..., Any]:
    """Return what makes tasks of the items of the app, one by one in another thread."""

    def generate_in_context(*arguments: Any, **named: Any) -> Iterator[Any]:
        tasks = generate(*arguments, **named)
        context = current.get()
        return tasks if context is BACKGROUND else _each_in(context, tasks)

    return generate_in_context


def _each_in(context: Context, tasks: Iterator[Any]) -> Iterator[Any]:
    following = within(next, lambda tasks: context)
    while True:
        try:
            task = following(tasks)
        except StopIteration:
            return
        yield task


def _sending_baggage(handle: Any) -> Callable[..., Any]:
    def handle_tasks(taskqueue: Any, put: Any, outqueue: Any, pool: Any, cache: Any) -> Any:
        between_processes = hasattr(outqueue, "_reader")

        def put_with_baggage(task: Any) -> Any:
            sent = task
            try:
                if task is not None:
                    context = context_of(cache.get(task[0]))
                    carried = baggage_of(context) if between_processes else context
                    if carried and context is not BACKGROUND:
                        sent = ((task[0], carried), *task[1:])
            except BaseException as error:
                swallow(error)
            return put(sent)

        return handle(taskqueue, put_with_baggage, outqueue, pool, cache)

    return handle_tasks


def _receiving_numbers(handle: Any) -> Callable[..., Any]:
    def handle_results(outqueue: Any, get: Any, cache: Any) -> Any:
        return handle(outqueue, lambda: _taken(get())[0], cache)

    return handle_results


def _taken(task: Any) -> tuple[Any, str | Context]:
    if type(task) is tuple and type(task[0]) is tuple:
        number, carried = task[0]
        return (number, *task[1:]), carried
    return task, ""
