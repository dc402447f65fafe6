"""gRPC's channels, of threads and of asyncio: behind the interceptors of the service."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nomock_spy.clients import baggage_of_the_test
from nomock_spy.guard import swallow
from nomock_spy.standins import known_as, replace_argument, stand_in

_KEY = "baggage"


def install(module: Any) -> None:
    """Let grpc._channel or grpc.aio._call complete the metadata of each call."""
    if module.__name__ == "grpc._channel":
        # What each kind of call asks last for what it sends, compressed or not.
        augment = module._compression.augment_metadata
        spied = known_as(augment, _for_the_test(augment))
        module._compression = stand_in(module._compression, augment_metadata=spied)
    else:
        replace_argument(module.Call, "__init__", "metadata", _completed)


def _for_the_test(augment: Any) -> Callable[..., Any]:
    def augment_for_the_test(*arguments: Any, **named: Any) -> Any:
        return _completed(augment(*arguments, **named))

    return augment_for_the_test


def _completed(metadata: Any) -> Any:
    """Return metadata, pairs of a key and a value, with the baggage of the test."""
    try:
        pairs = () if metadata is None else tuple(metadata)
        baggage = baggage_of_the_test([value for key, value in pairs if key == _KEY])
        if baggage is None:
            return metadata
        return (*(pair for pair in pairs if pair[0] != _KEY), (_KEY, baggage))
    except BaseException as error:
        swallow(error)
        return metadata
