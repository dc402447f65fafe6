"""Selectors: which spans of a trace are meant, ``"instances POST /instances"``.

    selector  = who [what] {condition}
    who       = a service, or what it calls, or *
    what      = the name of a span, or its beginning, in whole words
    condition = "[" attribute ("=" | "~") value "]"

docs/traces.md says which attributes of OpenTelemetry's semantic conventions each part looks at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from urllib.parse import urlsplit

from nomock.errors import ConfigError
from nomock.traces.model import Span

_CONDITION = re.compile(r"\s*\[\s*([^\]=~\s]+)\s*([=~])\s*([^\]]*?)\s*\]")
_PEERS = (
    "peer.service",
    "db.system.name",
    "db.system",
    "messaging.system",
    "rpc.system",
    "server.address",
)
_CALLS = {"CLIENT", "PRODUCER"}


@dataclass(frozen=True)
class Selector:
    """A selector, parsed."""

    text: str
    who: str
    what: str
    conditions: tuple[tuple[str, str, str], ...]
    """Attribute, = or ~, and value."""

    @classmethod
    def of(cls, text: str) -> Selector:
        """Parse one; raise ConfigError where it is none."""
        begin = text.find("[")
        names, rest = (text, "") if begin < 0 else (text[:begin], text[begin:])
        who, _, what = names.strip().partition(" ")
        conditions, end = [], 0
        while match := _CONDITION.match(rest, end):
            conditions.append((match[1], match[2], match[3]))
            end = match.end()
        if not who or rest[end:].strip():
            raise ConfigError(
                "this selects no spans",
                where="trace",
                seen=repr(text),
                todo='"SERVICE NAME [ATTRIBUTE=VALUE]", such as "instances POST /instances": '
                "nomock docs traces",
            )
        return cls(text, who, " ".join(what.split()), tuple(conditions))

    def matches(self, span: Span) -> bool:
        """Tell whether a span is meant."""
        return (
            self._is_who(span)
            and any(_begins(name, self.what) for name in names_of(span))
            and all(_holds(span, *condition) for condition in self.conditions)
        )

    def among(self, spans: Iterable[Span]) -> list[Span]:
        """Return those of some spans that are meant."""
        return [span for span in spans if self.matches(span)]

    def nearest(self, spans: Iterable[Span]) -> Span | None:
        """Return the span that is most like what is meant; None where none is like it."""
        wanted = f"{self.who} {self.what}".strip()
        known = {f"{who} {name}": s for s in spans for who in _whos(s) for name in names_of(s)}
        close = get_close_matches(wanted, known, n=1, cutoff=0.5)
        return known[close[0]] if close else None

    def _is_who(self, span: Span) -> bool:
        return self.who == "*" or any(
            # PostgreSQL is `postgresql` there, while its service is mostly called postgres.
            name == self.who or (number and name.startswith(self.who))
            for number, name in enumerate(_whos(span))
        )


def names_of(span: Span) -> Iterator[str]:
    """Yield what a span may be called by: its name, and what semantic conventions say of it."""
    yield span.name
    if method := span.value("http.request.method", "http.method"):
        for path in (
            span.value("http.route"),
            span.value("url.path") or span.value("http.target").partition("?")[0],
            urlsplit(span.value("url.full", "http.url")).path,
        ):
            yield f"{method} {path}".rstrip()
    for operation, target in (
        (("db.operation.name", "db.operation"), ("db.collection.name", "db.sql.table")),
        (("messaging.operation.name", "messaging.operation"), ("messaging.destination.name",)),
    ):
        if done := span.value(*operation):
            yield f"{done} {span.value(*target)}".rstrip()


def _whos(span: Span) -> list[str]:
    """Return the service of a span; then, of one that calls something, what that is."""
    peers = [span.value(key) for key in _PEERS] if span.kind in _CALLS else []
    return [span.service, *filter(None, peers)]


def _begins(name: str, what: str) -> bool:
    return not what or name == what or name.startswith(f"{what} ")


def _holds(span: Span, key: str, operator: str, value: str) -> bool:
    if operator == "=":
        return span.has(key, value)
    found = [span.attributes, span.resource, *(event.attributes for event in span.exceptions)]
    return any(value in str(each[key]) for each in found if key in each)
