"""What evidence.json holds of one test; docs/evidence.md has the schema."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from nomock.adapters.exchanges import Body, Exchange, Headers
from nomock.adapters.pages import PageSeen
from nomock.evidence.folder import VERSION
from nomock.evidence.mishaps import Mishap
from nomock.evidence.pages import pages_json
from nomock.evidence.redact import Redactor
from nomock.evidence.statements import MOST_TEXT, Activity
from nomock.evidence.timeline import LogLine, Timeline
from nomock.evidence.window import Span, Window
from nomock.moments import Moment
from nomock.target import Container, names_of

_MOST_TEXT = 200_000
"""Characters of a failure: pytest shows whole values where it is asked to."""
_MOST_FAILURES = 10
_REQUEST_IDS = {"x-request-id", "x-correlation-id", "request-id"}
# What curl sends by itself, or must count anew.
_CURLS_OWN = {"host", "accept", "accept-encoding", "connection", "user-agent", "content-length"}


@dataclass
class Seen:
    """What was seen of the stack in a test's window."""

    stack: str = ""
    window: Window | None = None
    """None where the test used no stack."""
    containers: Sequence[Container] = ()
    logs: Timeline = field(default_factory=Timeline)
    mishaps: Sequence[Mishap] = ()
    faults_of_others: Sequence[Mapping[str, str]] = ()
    """What other tests and runs had on it: name and test of each fault."""
    trace: Sequence[Mapping[str, Any]] = ()
    """The spans of the test's trace, as docs/evidence.md has them."""
    database: Activity | None = None
    """What its database did; None where that was not looked at."""
    missing: list[str] = field(default_factory=list)
    """What could not be looked at, and why."""


@dataclass
class Found:
    """What was seen of the stack, and what took the secrets out of it."""

    seen: Seen
    redactor: Redactor


@dataclass
class Record:
    """The evidence of one test, while it is put together; ``text`` is the file."""

    test: str
    began: Moment
    redactor: Redactor
    about: Mapping[str, Any] = field(default_factory=dict)
    """More of the test: worker, order, seeds, outcome."""
    run: Mapping[str, Any] = field(default_factory=dict)
    """What all tests of the run have in common."""
    failures: list[dict[str, str]] = field(default_factory=list)
    """Phase, message and text of each failure."""
    seen: Seen = field(default_factory=Seen)
    exchanges: Sequence[Exchange] = ()
    exchanges_cut: int = 0
    pages: Sequence[PageSeen] = ()
    """The pages of its browser, when it failed."""
    spans: Sequence[Span] = ()
    story: Sequence[tuple[float, str]] = ()
    leaks: Sequence[Mapping[str, str]] = ()
    """Data of earlier tests that it met: test, value and where that stood."""
    left: Sequence[Mapping[str, str]] = ()
    """What tests of its process have left, itself too, where that was looked at: test and text."""

    def text(self, ended_s: float) -> str:
        """Return the file's text, without secrets; ``ended_s`` is of the monotonic clock."""
        redactor, database = self.redactor, self.seen.database
        value = {
            "version": VERSION,
            "test": {
                "id": self.test,
                "began": datetime.fromtimestamp(self.began.wall_s, UTC).isoformat(),
                "began_s": self.began.wall_s,
                "took_s": self._at(ended_s),
                "stack": self.seen.stack,
                **self.about,
            },
            "run": self.run,
            "failures": [self._failure(failure, redactor) for failure in self.failures],
            "services": self._services(),
            "exchanges": [self._exchange(exchange, redactor) for exchange in self.exchanges],
            "exchanges_cut": self.exchanges_cut,
            "pages": pages_json(self.pages, self._at, redactor),
            "logs": [self._line(line) for line in self.seen.logs.lines],
            "logs_cut": self.seen.logs.cut,
            "faults": [self._fault(span) for span in self.spans],
            "fault_story": [
                {"at_s": self._at(at_s), "text": redactor.text(text)} for at_s, text in self.story
            ],
            "faults_of_others": list(self.seen.faults_of_others),
            "leaks": [
                {name: redactor.text(value) for name, value in leak.items()} for leak in self.leaks
            ],
            "left": [
                {name: redactor.text(value) for name, value in one.items()} for one in self.left
            ],
            "events": [self._event(mishap, redactor) for mishap in self.seen.mishaps],
            "trace": [self._span(span, redactor) for span in self.seen.trace],
            "database": database and database.as_json(self._at, redactor.sql),
            "lines": None,  # known once the run has been harvested
            "missing": self.seen.missing,
        }
        # Node ids may hold what is no UTF-8: as JSON's own escapes.
        return redactor.known(json.dumps(value, indent=1))

    def _at(self, at_s: float) -> float:
        return round(at_s - self.began.monotonic_s, 4)

    def _failure(self, failure: Mapping[str, str], redactor: Redactor) -> dict[str, str]:
        return {name: redactor.code(text[:_MOST_TEXT]) for name, text in failure.items()}

    def _services(self) -> list[dict[str, Any]]:
        names = names_of(self.seen.containers)
        return [
            {
                "name": names[container.id],
                "service": container.service,
                "image": container.image,
                "image_id": container.image_id,
                "state": container.state,
                "health": container.health,
            }
            for container in self.seen.containers
        ]

    def _exchange(self, exchange: Exchange, redactor: Redactor) -> dict[str, Any]:
        began_s, answered_s, ended_s = exchange.began_s, exchange.answered_s, exchange.ended_s
        url, headers = redactor.url(exchange.url), redactor.headers(exchange.headers)
        body = _body(exchange.body, exchange.headers, redactor)
        answer = exchange.answer and _body(exchange.answer, exchange.answer_headers, redactor)
        return {
            "at_s": self._at(began_s),
            "answered_after_s": None if answered_s is None else round(answered_s - began_s, 4),
            "took_s": None if ended_s is None else round(ended_s - began_s, 4),
            "method": exchange.method,
            "url": url,
            "status": exchange.status,
            "error": redactor.text(exchange.error),
            "headers": headers,
            "body": body,
            "answer_headers": redactor.headers(exchange.answer_headers),
            "answer": answer,
            "curl": _curl(exchange.method, url, headers, body),
        }

    def _line(self, line: LogLine) -> dict[str, Any]:
        began_s = self.seen.window.began_s if self.seen.window else line.at_s
        return {
            "at_s": round(line.at_s - began_s, 4),
            "service": line.service,
            "whose": line.whose,
            "level": line.level,
            "message": line.message,
            "fields": line.fields,
        }

    def _fault(self, span: Span) -> dict[str, Any]:
        return {
            "name": span.name,
            "where": span.where,
            "at_s": self._at(span.began_s),
            "until_s": None if span.ended_s is None else self._at(span.ended_s),
        }

    @staticmethod
    def _span(span: Mapping[str, Any], redactor: Redactor) -> dict[str, Any]:
        statement = redactor.sql(str(span["statement"])[:MOST_TEXT])
        return {**span, "name": redactor.text(str(span["name"])), "statement": statement}

    def _event(self, mishap: Mishap, redactor: Redactor) -> dict[str, Any]:
        began_s = self.seen.window.began_s if self.seen.window else mishap.at_s
        return {
            "at_s": round(mishap.at_s - began_s, 4),
            "service": mishap.service,
            "text": redactor.text(mishap.line),
            "is_asked": mishap.is_asked,
            "is_of_a_fault": mishap.is_of_a_fault,
            "details": [redactor.text(detail) for detail in mishap.details],
        }


def marks_of(exchanges: Iterable[Exchange]) -> set[str]:
    """Return the ids of traces and requests by which logs may name these exchanges."""
    found = set()
    for exchange in exchanges:
        for name, value in (*exchange.headers, *exchange.answer_headers):
            if name.lower() == "traceparent":
                found.add(value.split("-")[1:2][0] if "-" in value else value)
            elif name.lower() in _REQUEST_IDS:
                found.add(value)
    return found


def _body(body: Body, headers: Headers, redactor: Redactor) -> dict[str, Any]:
    """Return a body: its text, None where it is none or nobody read it, and how long it is."""
    content_type = next((value for name, value in headers if name.lower() == "content-type"), "")
    cut = body.length is not None and body.length > len(body.begin)
    text = _text(body.begin)
    return {
        "text": None if text is None or body.length is None else redactor.body(text, content_type),
        "bytes": body.length,
        "is_cut": cut,
        "is_binary": text is None,
    }


def _text(content: bytes) -> str | None:
    """Return the text of a body; None where it is none: some bytes that are no UTF-8 may be."""
    text = content.decode(errors="replace")
    strange = sum(c == "\ufffd" or (c < " " and c not in "\t\r\n\f\x1b") for c in text)
    return None if strange > 4 and strange * 20 > len(text) else text


def _curl(method: str, url: str, headers: Sequence[Sequence[str]], body: Mapping[str, Any]) -> str:
    words = ["curl", "-i", "-X", method, url]
    for name, value in headers:
        if name.lower() not in _CURLS_OWN:
            words += ["-H", f"{name}: {value}"]
    if body["text"]:
        words += ["--data-raw", body["text"]]
    return shlex.join(words)
