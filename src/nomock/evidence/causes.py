"""Why a test failed, by its evidence: the likeliest cause first, each with its proof.

Each cause looks for one thing, and says how sure it is; none knows of the others. What they share
is the order: what befell a service explains more than what it answered, and that more than that
something was changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from textwrap import dedent
from typing import Any

from nomock.evidence.timeline import SEVERE

Record = Mapping[str, Any]

_SLOW_S = 1.0
_LOCKED_S = 1.0
# A shorter wait for a lock is no reason of anything, however short the test is.
_LEAST_LOCKED_S = 0.1
_WIDTH_OF_STATEMENT = 80
_MOST_PROOF = 4
_WIDTH = 240
_TIMEOUT = re.compile(r"(?i)time-?d? ?-?out|deadline exceeded")
# What a TraceAssertionError says first, and the lines of its tree.
_OF_TRACE = re.compile(r"(?:Failed: |nomock\.errors\.TraceAssertionError: )?trace: (.+)")
_OF_TREE = re.compile(r"[└├│]|<-- ")
_MOST_TREE = 12
_DEATH = re.compile(r": (exited|ended|restarted|one of its processes was killed)")


@dataclass(frozen=True)
class Cause:
    """What may have made a test fail."""

    kind: str
    """died, unhealthy, fault, locked, unreachable, slow, error, trace, leaked, flaky, changed or
    assertion."""
    text: str
    """One line: what happened."""
    proof: Sequence[str]
    """What of the evidence shows it."""
    sure: int
    """From 0 to 100; only to compare causes of one test."""

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**asdict(self), "proof": list(self.proof)}


@dataclass(frozen=True)
class Known:
    """What is known of a test beside its own evidence."""

    passed_with_same_files: str = ""
    """When it passed and failed though nothing was changed, in words."""
    changed: Sequence[str] = field(default_factory=list)
    """What changed since it was green, of what it runs, or of all where that is not known."""
    ran_changed: bool = False
    """Whether the test is known to run what changed."""


def causes_of(record: Record, known: Known) -> list[Cause]:
    """Return the causes of a test's failure, the likeliest first; there is always one."""
    if not record["failures"]:
        return []
    found = [cause for look in _LOOKS for cause in look(record, known)]
    return sorted(found, key=lambda cause: -cause.sure)


def _died(record: Record, _: Known) -> Iterator[Cause]:
    for event in record["events"]:
        if event["is_asked"]:
            continue
        death = _DEATH.search(event["text"])
        lines = [event["text"], *event["details"]][: _MOST_PROOF + 2]
        if death:
            early = 100 if event["at_s"] >= 0 else 96
            yield Cause("died", f"service {event['text']}", lines, early)
        else:
            yield Cause("unhealthy", f"service {event['text']}", lines, 85)


def _left_faults(record: Record, _: Known) -> Iterator[Cause]:
    for fault in record.get("faults_of_others", ()):
        where = f"by {fault['test']}" if fault["test"] else "by another run"
        yield Cause(
            "fault",
            f"the fault {fault['name']} was on, put there {where}",
            ["it is in the journal of faults, and not healed: nomock heal"],
            95,
        )


def _own_faults(record: Record, _: Known) -> Iterator[Cause]:
    bad = [exchange for exchange in record["exchanges"] if _is_bad(exchange)]
    for fault in record["faults"]:
        met = [x for x in bad if _overlaps(x, fault)]
        story = [s["text"] for s in record["fault_story"] if s["text"].startswith(fault["name"])]
        if met:
            proof = [*map(_said, met[-2:]), *story]
            yield Cause(
                "fault",
                f"the test's own fault {fault['name']} was on when {_said(met[-1])}",
                proof[:_MOST_PROOF],
                90,
            )
        elif fault["until_s"] is None:
            text = f"the test's own fault {fault['name']} was still on when it failed"
            yield Cause("fault", text, story[:_MOST_PROOF], 45)


def _locked(record: Record, _: Known) -> Iterator[Cause]:
    waits = (record.get("database") or {}).get("lock_waits", ())
    longest = max(waits, key=_waited_s, default=None)
    if longest is None:
        return
    waited_s, is_most = _waited_s(longest), _waited_s(longest) * 2 > record["test"]["took_s"]
    if waited_s <= _LEAST_LOCKED_S or not (is_most or waited_s > _LOCKED_S):
        return
    held = ""
    if holder := longest["blocked_by"]:
        held = f", held by {holder}"
        if longest["blocked_by_state"].startswith("idle"):
            held += f", {longest['blocked_by_state']} after"
        if ran := _statement(longest["blocked_by_text"]):
            held += f": {ran}"
    proof = [
        f"from {longest['at_s']:.1f} s to {longest['until_s']:.1f} s {longest['service']} waited: "
        f"{_cut(' '.join(longest['text'].split()))}"
    ]
    if longest["blocked_by_at_s"] is not None:
        proof.append(f"{holder}'s transaction was open since {longest['blocked_by_at_s']:.1f} s")
    if len(waits) > 1:
        proof.append(f"{len(waits)} statements waited for locks")
    what = f"{longest['service']}'s {_statement(longest['text'])}"
    yield Cause(
        "locked", f"waited {waited_s:.1f} s for a lock: {what}{held}", proof, 83 if is_most else 74
    )


def _waited_s(wait: Mapping[str, Any]) -> float:
    """Return for how long it waited in the test's time."""
    return float(wait["until_s"]) - max(0.0, float(wait["at_s"]))


def _statement(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDTH_OF_STATEMENT else f"{line[:_WIDTH_OF_STATEMENT]}…"


def _unreachable(record: Record, _: Known) -> Iterator[Cause]:
    for exchange in reversed(record["exchanges"]):
        if exchange["error"] and not _TIMEOUT.search(exchange["error"]):
            asked = [e["text"] for e in record["events"] if e["is_asked"]]
            text = f"no answer came: {_said(exchange)}"
            if asked:
                text += f"; {asked[0]}"
            yield Cause("unreachable", text, [_said(exchange), *asked[:2]], 80)
            return


def _slow(record: Record, _: Known) -> Iterator[Cause]:
    late = [x for x in record["exchanges"] if x["error"] and _TIMEOUT.search(x["error"])]
    took = [x for x in record["exchanges"] if not x["error"] and (x["took_s"] or 0) >= _SLOW_S]
    logged = [line for line in _lines(record) if _TIMEOUT.search(line["message"])]
    named = [f"{line['service']} logged: {_cut(line['message'])}" for line in logged[-2:]]
    if late:
        proof = [_said(late[-1]), *named]
        yield Cause("slow", f"an answer was too late: {_said(late[-1])}", proof, 75)
    elif took:
        slowest = max(took, key=lambda x: float(x["took_s"]))
        share = slowest["took_s"] / max(record["test"]["took_s"], 0.001)
        sure = 72 if logged or slowest["status"] in {408, 504} else 55 if share > 0.4 else 30
        first = f"a dependency was slow: {_said(slowest)} after {slowest['took_s']:.1f} s"
        yield Cause("slow", first, [_said(slowest), *named], sure)


def _errors(record: Record, _: Known) -> Iterator[Cause]:
    bad = [x for x in record["exchanges"] if x["status"] and x["status"] >= 500]
    lines = [line for line in _lines(record) if line["level"] in SEVERE]
    own = [line for line in lines if line["whose"] == "own"] or lines
    if bad and not own:
        own = [x for x in _lines(record) if x["whose"] == "own" and x["level"] == "warning"]
    told = [
        f"{line['service']} logged: {_cut(line['message'])}{_why(line['fields'])}"
        for line in own[-_MOST_PROOF:]
    ]
    if bad:
        first = _said(bad[-1])
        text = f"{first}; {told[-1]}" if told else first
        yield Cause("error", text, [first, *told][:_MOST_PROOF], 65 if told else 50)
    elif told:
        yield Cause("error", told[-1], told, 40)


def _trace(record: Record, _: Known) -> Iterator[Cause]:
    for failure in record["failures"]:
        if found := _OF_TRACE.match(failure["message"]):
            lines = failure["text"].splitlines()
            lines = [line[1:] for line in lines if line.startswith("E ")] or lines
            tree = [line for line in dedent("\n".join(lines)).splitlines() if _OF_TREE.search(line)]
            yield Cause("trace", _cut(found[1]), tree[:_MOST_TREE], 68)
            return


def _leaked(record: Record, _: Known) -> Iterator[Cause]:
    for leak in record.get("leaks", ()):
        text = f"data of {leak['test']} was there: {leak['value']!r}"
        proof = [f"{leak['test']} sent {leak['value']!r}", f"it stands in {leak['where']}"]
        yield Cause("leaked", text, proof, 70)


def _flaky(_: Record, known: Known) -> Iterator[Cause]:
    if known.passed_with_same_files:
        text = f"the test is known to be flaky: {known.passed_with_same_files}"
        yield Cause("flaky", text, [known.passed_with_same_files], 60)


def _changed(_: Record, known: Known) -> Iterator[Cause]:
    if known.changed:
        first = "; ".join(known.changed[:3])
        more = f" and {len(known.changed) - 3} more" if len(known.changed) > 3 else ""
        how = "what it runs was changed" if known.ran_changed else "something was changed"
        text = f"{how} since it was green: {first}{more}"
        yield Cause("changed", text, known.changed[:8], 62 if known.ran_changed else 35)


def _assertion(record: Record, _: Known) -> Iterator[Cause]:
    failure = record["failures"][0]
    text = f"nothing but the test itself ({failure['phase']}): {_cut(failure['message'])}"
    said = [line[1:].strip() for line in failure["text"].splitlines() if line.startswith("E ")]
    said = [line for line in said if line and not line.startswith("Use -v")]
    yield Cause("assertion", text, said[:_MOST_PROOF] or [_cut(failure["message"])], 10)


_LOOKS: Sequence[Callable[[Record, Known], Iterator[Cause]]] = (
    _died,
    _left_faults,
    _own_faults,
    _locked,
    _unreachable,
    _slow,
    _errors,
    _trace,
    _leaked,
    _flaky,
    _changed,
    _assertion,
)


def _lines(record: Record) -> list[Mapping[str, Any]]:
    return [line for line in record["logs"] if line["whose"] != "others" and line["at_s"] >= 0]


def _is_bad(exchange: Mapping[str, Any]) -> bool:
    late = (exchange["took_s"] or 0) >= _SLOW_S
    return bool(exchange["error"]) or (exchange["status"] or 0) >= 500 or late


def _overlaps(exchange: Mapping[str, Any], fault: Mapping[str, Any]) -> bool:
    ended_s = exchange["at_s"] + (exchange["took_s"] or 0)
    until_s = fault["until_s"]
    return bool(fault["at_s"] <= ended_s and (until_s is None or exchange["at_s"] <= until_s))


def _said(exchange: Mapping[str, Any]) -> str:
    path = re.sub(r"^[a-z]+://[^/]*", "", exchange["url"]) or "/"
    asked = f"{exchange['method']} {path}"
    if exchange["error"]:
        return f"{asked} ended with {_cut(exchange['error'])}"
    return f"{asked} was answered {exchange['status']}"


def _why(fields: Mapping[str, str]) -> str:
    """Return the last line of the traceback that a line carries."""
    for name in ("exception", "exc_info", "traceback", "error", "reason", "stack"):
        if lines := fields.get(name, "").strip().splitlines():
            return f" ({_cut(lines[-1])})"
    return ""


def _cut(text: str) -> str:
    first = text.splitlines()[0] if text else ""
    return first if len(first) <= _WIDTH else f"{first[:_WIDTH]}…"
