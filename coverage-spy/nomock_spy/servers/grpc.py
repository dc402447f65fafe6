"""gRPC: a call has metadata, and a handler of up to four kinds, by which of the two are streams.

The threaded server finds the handler by a function of its own, that of asyncio asks interceptors:
ours is the outermost. What interceptors of the service do belongs to the test as well.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from inspect import isasyncgenfunction, iscoroutinefunction
from typing import Any

from nomock_spy.activities import Activity, begin, found_framework
from nomock_spy.contexts import current
from nomock_spy.guard import swallow
from nomock_spy.standins import called_as, replace, replace_argument, stand_in


def install(module: Any) -> None:
    """Let the handler that grpc._server or grpc.aio._server has found for a call be an activity."""
    if module.__name__ == "grpc._server":
        replace(module, "_find_method_handler", _found)
    else:
        replace_argument(
            module.Server, "__init__", "interceptors", lambda own: _with_ours(own, module)
        )


def _found(find: Any) -> Callable[..., Any]:
    def find_and_wrap(event: Any, *arguments: Any, **named: Any) -> Any:
        return _wrapped(find(event, *arguments, **named), event)

    return find_and_wrap


def _with_ours(interceptors: Any, module: Any) -> list[Any]:
    class Outermost(module.ServerInterceptor):  # type: ignore[misc]  # grpc asks for this class
        async def intercept_service(self, find: Any, details: Any) -> Any:
            return _wrapped(await find(details), details)

    return [Outermost(), *(interceptors or ())]


def _wrapped(handler: Any, call: Any) -> Any:
    """Return the handler of a call as one that begins an activity where the call is of a test."""
    try:
        found_framework("grpc")
        baggage = ",".join(v for k, v in call.invocation_metadata or () if k == "baggage")
        if handler is None or not baggage:
            return handler
        streamed = "stream" if handler.response_streaming else "unary"
        kind = f"{'stream' if handler.request_streaming else 'unary'}_{streamed}"
        handle = getattr(handler, kind)
        spied = called_as(handle, _in_activity(handle, baggage, streamed == "stream"))
        return stand_in(handler, **{kind: spied})
    except BaseException as error:
        swallow(error)
        return handler


def _in_activity(handle: Any, baggage: str, is_streamed: bool) -> Callable[..., Any]:
    # At once: a handler of asyncio may send parts of its answer itself.
    if isasyncgenfunction(handle):

        async def each_later(*arguments: Any) -> AsyncIterator[Any]:
            activity, context = begin(baggage, write_through=True), current.get()
            try:
                async for part in handle(*arguments):
                    activity.flush()
                    yield part
            finally:
                _end(activity, context)

        return each_later

    if iscoroutinefunction(handle):

        async def handled(*arguments: Any) -> Any:
            activity = begin(baggage, write_through=True)
            try:
                return await handle(*arguments)
            finally:
                activity.end()

        return handled

    def answer(*arguments: Any) -> Any:
        activity = begin(baggage, write_through=True)
        try:
            answered = handle(*arguments)
        finally:
            activity.end()
        return _each(answered, baggage) if is_streamed and answered is not None else answered

    return answer


def _each(parts: Iterator[Any], baggage: str) -> Iterator[Any]:
    activity, context = begin(baggage, write_through=True), current.get()
    try:
        while True:
            try:
                part = next(parts)
            except StopIteration:
                return
            activity.flush()
            yield part
    finally:
        _end(activity, context)


def _end(activity: Activity, own: Any) -> None:
    """End an activity of a stream, which somebody may give up who does something else by now."""
    found = current.get()
    activity.end()
    if found is not own:
        current.set(found)
