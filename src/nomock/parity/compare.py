"""Two records, and what differs: each difference with the reason that is known, or with none."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from nomock.parity.record import Record, Result
from nomock.parity.shapes import Shape, alike

_PASSED = "passed"


@dataclass(frozen=True)
class Difference:
    """Something that is not the same."""

    what: str
    """outcome, status, shape, spans or lines."""
    where: str
    """The test, or the source file."""
    one: str
    """How it is in the first record."""
    other: str
    reason: str = ""
    """Why it differs, where that is known; "" is a failure of parity."""


def compare(one: Record, other: Record, reasons: Mapping[str, str]) -> list[Difference]:
    """Return what differs, tests first.

    ``reasons`` are those that are declared: a pattern of tests or source files -> the reason. Found
    is that a test was skipped on one target, with its reason, and that only such tests ran a line,
    or no test at all.
    What a test was answered, and its spans, are compared where it passed on both.
    """
    found = [*_of_tests(one, other), *_of_lines(one, other)]
    return [_with_reason(difference, reasons) for difference in found]


def _with_reason(difference: Difference, reasons: Mapping[str, str]) -> Difference:
    declared = next(
        (why for pattern, why in reasons.items() if _is_meant(difference.where, pattern)), ""
    )
    d = difference
    return Difference(d.what, d.where, d.one, d.other, declared or d.reason)


def _is_meant(where: str, pattern: str) -> bool:
    # Ids of tests have brackets, which are no pattern.
    return where == pattern or fnmatchcase(where, pattern.replace("[", "[[]"))


def _of_tests(one: Record, other: Record) -> Iterator[Difference]:
    nothing = Result("not run")
    for name in dict.fromkeys((*one.tests, *other.tests)):
        ours, theirs = one.tests.get(name, nothing), other.tests.get(name, nothing)
        if ours.outcome != theirs.outcome:
            skipped = [
                f"skipped on {record.target}: {result.why}"
                for record, result in ((one, ours), (other, theirs))
                if result.outcome == "skipped"
            ]
            yield Difference(
                "outcome", name, _told(ours), _told(theirs), skipped[0] if skipped else ""
            )
        elif ours.outcome == _PASSED:
            yield from _of_answers(name, ours, theirs)
            yield from _of_spans(name, ours, theirs)


def _of_answers(test: str, ours: Result, theirs: Result) -> Iterator[Difference]:
    for asked in sorted({*ours.answers, *theirs.answers}):
        here, there = ours.answers.get(asked, {}), theirs.answers.get(asked, {})
        if here.keys() != there.keys():
            statuses = (", ".join(sorted(found)) or "not asked" for found in (here, there))
            yield Difference("status", test, *(f"{asked}: {told}" for told in statuses))
        for status in sorted(here.keys() & there.keys()):
            if not alike(here[status], there[status]):
                shapes = (f"{asked}: {status} {_short(s[status])}" for s in (here, there))
                yield Difference("shape", test, *shapes)


def _of_spans(test: str, ours: Result, theirs: Result) -> Iterator[Difference]:
    here, there = set(ours.spans), set(theirs.spans)
    if here != there:
        yield Difference("spans", test, *(_listed(sorted(s)) for s in (here - there, there - here)))


def _of_lines(one: Record, other: Record) -> Iterator[Difference]:
    if one.lines is None or other.lines is None:
        return
    for file in sorted({*one.lines, *other.lines}):
        sides = [(one, other), (other, one)]
        only, reasons = [], []
        for ours, theirs in sides:
            assert ours.lines is not None and theirs.lines is not None, "asked above"
            here, there = ours.lines.get(file, {}), theirs.lines.get(file, {})
            lines = sorted(map(int, here.keys() - there.keys()))
            only.append(_listed(map(str, lines)))
            reasons += [_why_not(here[str(line)], theirs) for line in lines]
        if reasons:
            reason = "; ".join(dict.fromkeys(reasons)) if all(reasons) else ""
            yield Difference("lines", file, only[0], only[1], reason)


def _why_not(tests: Sequence[str], elsewhere: Record) -> str:
    """Return why a line that some tests ran did not run elsewhere; "" where that is not known."""
    if set(tests) == {""}:
        return "for no test, at start-up or in the background"
    outcomes = {test: elsewhere.tests.get(test, Result("not run")).outcome for test in tests}
    if not outcomes or _PASSED in outcomes.values() or "" in outcomes:
        return ""
    return f"only tests run it that are {' or '.join(sorted(set(outcomes.values())))} there"


def _told(result: Result) -> str:
    return f"{result.outcome}: {result.why}" if result.why else result.outcome


def _short(shape: Shape) -> str:
    return shape if isinstance(shape, str) else json.dumps(shape)


def _listed(words: Sequence[str] | Iterator[str] | map[str]) -> str:
    return ", ".join(words)
