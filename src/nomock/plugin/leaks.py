"""Whether a test that failed met data of a test before it, and of which.

Of each test the values are remembered that it sent to be written: names, keys, addresses. Where
one of them stands in an answer to a later test that has not sent it, or in why that failed, it was
left behind. They are in memory only.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qsl

from nomock.adapters.exchanges import Body, Exchange

_MOST_TESTS = 200
_MOST_VALUES = 50
# A shorter value stands in many texts.
_LEAST, _MOST = 6, 200
_WRITES = {"POST", "PUT", "PATCH"}
_CONFLICT = 409


class SentBefore:
    """What the tests of one process have sent to be written."""

    def __init__(self) -> None:
        self._tests: deque[tuple[str, frozenset[str]]] = deque(maxlen=_MOST_TESTS)

    def add(self, test: str, exchanges: Iterable[Exchange]) -> None:
        """Remember what a test sent that is over."""
        if values := _sent(exchanges):
            self._tests.append((test, values))

    def found(self, exchanges: list[Exchange], failure: str) -> list[dict[str, Any]]:
        """Return what of it a test met: the test that sent it, the value, and where it stands."""
        own, met = _sent(exchanges), []
        for test, values in reversed(self._tests):
            for value in sorted(values):
                # What it has sent itself is its own, unless that was refused.
                if value in own and not _refused(exchanges, value):
                    continue
                if where := _where(value, exchanges, failure):
                    met.append({"test": test, "value": value, "where": where})
                    break
        return met


def _sent(exchanges: Iterable[Exchange]) -> frozenset[str]:
    values: dict[str, None] = {}
    for exchange in exchanges:
        if exchange.method in _WRITES and exchange.body.begin and len(values) < _MOST_VALUES:
            values |= dict.fromkeys(_values(exchange.body))
    return frozenset(list(values)[:_MOST_VALUES])


def _values(body: Body) -> Iterator[str]:
    text = body.begin.decode(errors="replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = dict(parse_qsl(text)) if "=" in text and "\n" not in text else {}
    yield from (value for value in _texts(found) if _is_distinct(value))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def _is_distinct(value: str) -> bool:
    """Tell whether a value is one of data, and no word of an interface: ``authorization_code``."""
    is_word = value.replace("_", "").replace("-", "").isalpha() and value.islower()
    return _LEAST <= len(value) <= _MOST and not is_word and not value.startswith("http")


def _refused(exchanges: Iterable[Exchange], value: str) -> bool:
    return any(x.status == _CONFLICT and value in _text(x.body) for x in exchanges)


def _where(value: str, exchanges: Iterable[Exchange], failure: str) -> str:
    for exchange in exchanges:
        asked = f"{exchange.method} {exchange.url.partition('//')[2].partition('/')[2]}"
        if exchange.answer and value in _text(exchange.answer):
            return f"the answer to {asked}"
        if exchange.status == _CONFLICT and value in _text(exchange.body):
            return f"{asked}, which was refused with 409"
    return "why it failed" if value in failure else ""


def _text(body: Body) -> str:
    return body.begin.decode(errors="replace")
