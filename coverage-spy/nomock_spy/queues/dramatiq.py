"""Dramatiq: a message has options, which go with it to the worker, to a retry and past a delay.

The baggage is one of them on the way alone: in a process with the spy a message keeps it beside
its options, so that no middleware and no actor sees it. Without the spy it is an option that nobody
asks for. https://dramatiq.io/reference.html#dramatiq.Message
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nomock_spy.activities import found_framework
from nomock_spy.contexts import current
from nomock_spy.guard import swallow
from nomock_spy.queues import baggage_of, begin, end
from nomock_spy.standins import known_as, replace

_BAGGAGE = "nomock_baggage"


def install(module: Any) -> None:
    """Let dramatiq.message.Message carry the baggage, or a worker begin with it."""
    if module.__name__ == "dramatiq.worker":
        replace(module._WorkerThread, "process_message", _for_the_test)
        return
    decode = vars(module.Message)["decode"].__func__
    replace(module.Message, "copy", _keeping)
    replace(module.Message, "encode", _sending)
    module.Message.decode = classmethod(known_as(decode, _receiving(decode)))


def _sending(encode: Any) -> Callable[..., Any]:
    def encode_with_baggage(self: Any, *arguments: Any, **named: Any) -> Any:
        sent = self
        try:
            # One that is sent again keeps its test, as where a consumer has waited for its time.
            baggage = vars(self).get(_BAGGAGE) or baggage_of(current.get())
            if baggage:
                sent = self.copy(options={_BAGGAGE: baggage})
        except BaseException as error:
            swallow(error)
        return encode(sent, *arguments, **named)

    return encode_with_baggage


def _receiving(decode: Any) -> Callable[..., Any]:
    def decode_and_keep(cls: Any, *arguments: Any, **named: Any) -> Any:
        message = decode(cls, *arguments, **named)
        try:
            baggage = message.options.pop(_BAGGAGE, "")
            if baggage:
                vars(message)[_BAGGAGE] = baggage
        except BaseException as error:
            swallow(error)
        return message

    return decode_and_keep


def _keeping(copy: Any) -> Callable[..., Any]:
    def copy_and_keep(self: Any, *arguments: Any, **named: Any) -> Any:
        message = copy(self, *arguments, **named)
        try:
            if _BAGGAGE in vars(self):
                vars(message)[_BAGGAGE] = vars(self)[_BAGGAGE]
        except BaseException as error:
            swallow(error)
        return message

    return copy_and_keep


def _for_the_test(process: Any) -> Callable[..., Any]:
    def process_for_the_test(self: Any, message: Any, *arguments: Any, **named: Any) -> Any:
        found_framework("dramatiq")
        begin(getattr(message, _BAGGAGE, ""))
        try:
            # What middleware does afterwards, too: it sends retries and what is next in a pipeline.
            return process(self, message, *arguments, **named)
        finally:
            end()

    return process_for_the_test
