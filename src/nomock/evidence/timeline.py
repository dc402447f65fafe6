"""What the services logged in a test's window: on one time axis, read, and whose line each is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from heapq import merge
from typing import Any
from urllib.parse import quote

from nomock import baggage
from nomock.evidence.redact import Redactor
from nomock.target import Container, Target, names_of

# The engine reads a log from its end: fast however long the stack has been running.
_MOST_READ = 10_000
MOST_KEPT = 2_000
"""How many lines evidence keeps, over all services."""
_MOST_BYTES = 4 * 1024
_MOST_READ_BYTES = 8 * 1024 * 1024
# What the engine puts around each line counts, too, but is not in the text.
_FRAMES_BYTES = 8 * _MOST_READ + 20 * 1024
# Of a log that is larger: the engine cuts lines at 16 kB.
_FEW = 500

OWN, OTHERS, NOBODYS = "own", "others", ""

_TIMES = {"time", "timestamp", "ts", "@timestamp", "asctime", "datetime", "t"}
_LEVELS = ("level", "lvl", "severity", "levelname", "log.level", "loglevel")
_MESSAGES = ("message", "msg", "event", "text")
_SAID = re.compile(r"\b(DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|FATAL|CRITICAL|PANIC|LOG)\b")
_LOGFMT = re.compile(r"([\w.@\-]+)=(\"(?:[^\"\\]|\\.)*\"|\S*)")
_WORDS = {"warn": "warning", "err": "error", "crit": "critical", "log": "info", "notice": "info"}
# As pino and bunyan write them.
_NUMBERS = {10: "trace", 20: "debug", 30: "info", 40: "warning", 50: "error", 60: "fatal"}
SEVERE = frozenset({"error", "critical", "fatal", "panic", "exception", "emergency", "alert"})
"""The levels of lines that are shown also where they name no test."""


@dataclass(frozen=True)
class LogLine:
    """A line that a service logged."""

    at_s: float
    """By the engine's clock, in seconds since the epoch."""
    service: str
    """``web``, or ``web-2`` where it has several containers."""
    text: str
    """As it was logged, but for its secrets."""
    whose: str
    """``own`` names this test, ``others`` another one, "" none."""
    level: str = ""
    """In lower case; "" where it says none."""
    message: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Timeline:
    """The lines of a window in order of time, and for how many there was no room."""

    lines: Sequence[LogLine] = ()
    cut: int = 0
    """At least: of one service no more than its newest lines are read."""

    @property
    def own(self) -> list[LogLine]:
        """The lines that name this test."""
        return [line for line in self.lines if line.whose == OWN]


def timeline(
    target: Target,
    containers: Sequence[Container],
    *,
    since_s: float,
    names: TestNames,
    redactor: Redactor,
) -> Timeline:
    """Read what all services logged since a moment; of too many lines those that name the test."""
    services, logs, cut = names_of(containers), [], 0
    for container in containers:
        text, is_whole = _read(target, container.id, since_s)
        cut += not is_whole
        logs.append([_stamped(line, services[container.id]) for line in text.splitlines()])
    found = [(*line, names.whose(line[2])) for line in merge(*logs)]
    kept = found
    if len(found) > MOST_KEPT:
        own = [line for line in found if line[3] == OWN][-MOST_KEPT:]
        others = [line for line in found if line[3] != OWN]
        rest = others[len(others) - (MOST_KEPT - len(own)) :] if len(own) < MOST_KEPT else []
        kept = sorted([*own, *rest], key=lambda line: line[0])
        cut += len(found) - len(kept)
    # All at once, which is ten times as fast: no rule takes a line away.
    joined = "\n".join(line[2][:_MOST_BYTES] for line in kept)
    texts = redactor.text(joined).split("\n") if kept else []
    return Timeline(
        [
            read_stamped(stamp, service, text, whose)
            for (stamp, service, _, whose), text in zip(kept, texts, strict=True)
        ],
        cut,
    )


class TestNames:
    """How lines name a test: as its id, in the forms that logs write it, or by what it sent."""

    __test__ = False

    def __init__(self, test: str, marks: Iterable[str] = (), run: str = baggage.RUN) -> None:
        """``marks`` are ids of traces and requests that only this test sent or got.

        ``run``: the process that runs it, as its requests name it; "" where that is not known.
        """
        short = baggage.short(test)
        forms = {short, json.dumps(short)[1:-1], quote(short, safe=""), quote(short)}
        ids = "|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True))
        # Not the begin of a longer name: test_a is in test_a_b, and in test_a[1].
        self._own = re.compile(rf"(?:{ids})(?![\w\[:]|%5B|%3A)")
        self._marks = [mark for mark in marks if len(mark) >= 16]
        self._run = f"{baggage.RUN_KEY}={run}"

    def whose(self, line: str) -> str:
        """Tell whose a line is."""
        if self._own.search(line):
            # The same test may run in another run at the same time.
            elsewhere = f"{baggage.RUN_KEY}=" in line and self._run not in line
            return OTHERS if elsewhere else OWN
        if any(mark in line for mark in self._marks):
            return OWN
        return OTHERS if baggage.TEST_KEY in line else NOBODYS


def _read(target: Target, container_id: str, since_s: float) -> tuple[str, bool]:
    """Return the newest lines since a moment, and whether these are all: few, if they are huge."""
    text = target.logs(container_id, since_s=since_s, tail=_MOST_READ, most_bytes=_MOST_READ_BYTES)
    if len(text.encode(errors="replace")) > _MOST_READ_BYTES - _FRAMES_BYTES:
        return target.logs(container_id, since_s=since_s, tail=_FEW), False
    return text, text.count("\n") < _MOST_READ


def _stamped(line: str, service: str) -> tuple[str, str, str]:
    stamp, _, rest = line.partition(" ")
    return stamp, service, rest


def read_stamped(stamp: str, service: str, text: str, whose: str) -> LogLine:
    """Return a line of a log, read; ``stamp`` is the engine's, before it."""
    try:
        at_s = datetime.fromisoformat(stamp).timestamp()
    except ValueError:  # the begin of what was read
        at_s = 0.0
    level, message, fields = read_line(text, service.rpartition("-")[0] or service, service)
    return LogLine(at_s, service, text, whose, level, message, fields)


def read_line(text: str, *services: str) -> tuple[str, str, dict[str, str]]:
    """Return level, message and the other fields of a line: JSON, logfmt, or any text.

    What the reader knows anyway is left out: the time, the service, the test.
    """
    if text.startswith("{"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            return _of_fields(found, services)
    pairs = dict(_LOGFMT.findall(text)) if "level=" in text and "msg=" in text else {}
    if pairs:
        return _of_fields({name: value.strip('"') for name, value in pairs.items()}, services)
    said = _SAID.search(text[:100])
    return (_level(said[1]) if said else ""), text, {}


def _of_fields(found: dict[str, Any], services: tuple[str, ...]) -> tuple[str, str, dict[str, str]]:
    level = next((found.pop(name) for name in _LEVELS if name in found), "")
    message = next((found.pop(name) for name in _MESSAGES if found.get(name)), "")
    fields = {}
    for name, value in found.items():
        if name.lower() in _TIMES or name in {baggage.TEST_KEY, "baggage"} or value is None:
            continue
        if name == "service" and value in services:
            continue
        fields[name] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    told = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)
    return _level(level), told, fields


def _level(said: object) -> str:
    if isinstance(said, int):
        return _NUMBERS.get(said, str(said))
    word = str(said).lower()
    return _WORDS.get(word, word)
