"""The record of a run: what each test came to, what it was answered, its spans, and the lines."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from nomock.errors import ConfigError
from nomock.parity.shapes import Shape, answer_shape, asked_for, merged

VERSION = 1


@dataclass(frozen=True)
class Result:
    """What one test came to."""

    outcome: str
    """passed, failed, skipped, xfailed or xpassed."""
    why: str = ""
    """Why it was skipped, or the first line of its failure."""
    answers: Mapping[str, Mapping[str, Shape]] = field(default_factory=dict)
    """What it asked for -> status -> the shape of the answers."""
    spans: Sequence[str] = field(default_factory=list)
    """Who called what: ``auth POST /register > auth INSERT``."""


@dataclass(frozen=True)
class Record:
    """What the tests of a run came to."""

    target: str
    command: str
    tests: Mapping[str, Result]
    lines: Mapping[str, Mapping[str, Sequence[str]]] | None
    """File -> line -> the tests that ran it, "" for start-up and background; None: not covered."""

    def text(self) -> str:
        """Return it as JSON."""
        return json.dumps({"version": VERSION, **asdict(self)}, indent=1) + "\n"


def read_record(path: Path) -> Record:
    """Read one that was written; raise ConfigError where it is none."""
    try:
        found = json.loads(path.read_bytes())
        if found.pop("version") != VERSION:
            raise ValueError("it is of another version of nomock")
        tests = {name: Result(**result) for name, result in found.pop("tests").items()}
        return Record(tests=tests, **found)
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise ConfigError(
            "this is no record of a run",
            where=str(path),
            seen=str(error),
            todo="nomock parity --take FILE writes that of the last run",
        ) from error


def result_of(outcome: str, why: str, evidence: Mapping[str, Any] | None) -> Result:
    """Return what a test came to, by its evidence if it left some."""
    if evidence is None:
        return Result(outcome, why)
    return Result(outcome, why, _answers(evidence["exchanges"]), _calls(evidence["trace"]))


def _answers(exchanges: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Shape]]:
    found: dict[str, dict[str, Shape]] = {}
    for exchange in exchanges:
        answers = found.setdefault(asked_for(exchange["method"], exchange["url"]), {})
        status = str(exchange["status"] or "no answer")
        answer = exchange["answer"] or {"text": None, "is_cut": False}
        shape = answer_shape(answer["text"], is_cut=answer["is_cut"])
        answers[status] = merged(answers[status], shape) if status in answers else shape
    return found


def _calls(trace: Sequence[Mapping[str, Any]]) -> list[str]:
    names = {span["span_id"]: f"{span['service']} {span['name']}" for span in trace}
    calls = (f"{names.get(s['parent_id'], 'test')} > {names[s['span_id']]}" for s in trace)
    return sorted(set(calls))
