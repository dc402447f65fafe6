"""Causes in what the services answered: nothing, too late, or an error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from nomock.evidence.causes.cause import (
    MOST_PROOF,
    SLOW_S,
    Cause,
    Known,
    Record,
    cut,
    lines_of,
    said,
)
from nomock.evidence.timeline import SEVERE

_TIMEOUT = re.compile(r"(?i)time-?d? ?-?out|deadline exceeded")


def unreachable(record: Record, _: Known) -> Iterator[Cause]:
    """Look for a request that got no answer."""
    for exchange in reversed(record["exchanges"]):
        if exchange["error"] and not _TIMEOUT.search(exchange["error"]):
            asked = [e["text"] for e in record["events"] if e["is_asked"]]
            text = f"no answer came: {said(exchange)}"
            if asked:
                text += f"; {asked[0]}"
            yield Cause("unreachable", text, [said(exchange), *asked[:2]], 80)
            return


def slow(record: Record, _: Known) -> Iterator[Cause]:
    """Look for an answer that came late, or too late."""
    late = [x for x in record["exchanges"] if x["error"] and _TIMEOUT.search(x["error"])]
    took = [x for x in record["exchanges"] if not x["error"] and (x["took_s"] or 0) >= SLOW_S]
    logged = [line for line in lines_of(record) if _TIMEOUT.search(line["message"])]
    named = [f"{line['service']} logged: {cut(line['message'])}" for line in logged[-2:]]
    if late:
        proof = [said(late[-1]), *named]
        yield Cause("slow", f"an answer was too late: {said(late[-1])}", proof, 75)
    elif took:
        slowest = max(took, key=lambda x: float(x["took_s"]))
        share = slowest["took_s"] / max(record["test"]["took_s"], 0.001)
        sure = 72 if logged or slowest["status"] in {408, 504} else 55 if share > 0.4 else 30
        first = f"a dependency was slow: {said(slowest)} after {slowest['took_s']:.1f} s"
        yield Cause("slow", first, [said(slowest), *named], sure)


def errors(record: Record, _: Known) -> Iterator[Cause]:
    """Look for an answer of 5xx, and for the errors that services logged."""
    bad = [x for x in record["exchanges"] if x["status"] and x["status"] >= 500]
    lines = [line for line in lines_of(record) if line["level"] in SEVERE]
    own = [line for line in lines if line["whose"] == "own"] or lines
    if bad and not own:
        own = [x for x in lines_of(record) if x["whose"] == "own" and x["level"] == "warning"]
    told = [
        f"{line['service']} logged: {cut(line['message'])}{_why(line['fields'])}"
        for line in own[-MOST_PROOF:]
    ]
    if bad:
        first = said(bad[-1])
        text = f"{first}; {told[-1]}" if told else first
        yield Cause("error", text, [first, *told][:MOST_PROOF], 65 if told else 50)
    elif told:
        yield Cause("error", told[-1], told, 40)


def _why(fields: Mapping[str, str]) -> str:
    """Return the last line of the traceback that a line carries."""
    for name in ("exception", "exc_info", "traceback", "error", "reason", "stack"):
        if lines := fields.get(name, "").strip().splitlines():
            return f" ({cut(lines[-1])})"
    return ""
