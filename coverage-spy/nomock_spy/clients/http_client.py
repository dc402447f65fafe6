"""The standard library's client, on which urllib, requests and urllib3 are built."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nomock_spy.clients import baggage_of_the_test
from nomock_spy.guard import swallow
from nomock_spy.standins import replace

_NAME = b"baggage:"


def install(module: Any) -> None:
    """Let http.client.HTTPConnection complete the headers before it sends them.

    All of its ways of sending a request end them there. The CONNECT of a tunnel does not: it is
    for the proxy alone.
    """
    replace(module.HTTPConnection, "endheaders", _for_the_test)


def _for_the_test(endheaders: Any) -> Callable[..., Any]:
    def endheaders_for_the_test(self: Any, *arguments: Any, **named: Any) -> Any:
        try:
            _complete(self._buffer)
        except BaseException as error:
            swallow(error)
        return endheaders(self, *arguments, **named)

    return endheaders_for_the_test


def _complete(lines: list[bytes]) -> None:
    """Complete the lines that a connection holds back until the headers end."""
    if not lines:  # no request was begun, which endheaders will say
        return
    values = (line[len(_NAME) :].strip().decode("latin-1") for line in lines if _is_baggage(line))
    baggage = baggage_of_the_test(values)
    if baggage is not None:
        others = [line for line in lines if not _is_baggage(line)]
        lines[:] = [*others, _NAME + b" " + baggage.encode("latin-1")]


def _is_baggage(line: bytes) -> bool:
    return line[: len(_NAME)].lower() == _NAME
