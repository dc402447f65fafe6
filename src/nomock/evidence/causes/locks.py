"""A cause in the database: who waited for whose lock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from nomock.evidence.causes.cause import Cause, Known, Record, cut, lines_of
from nomock.evidence.timeline import SEVERE

_LOCKED_S = 1.0
# A shorter wait for a lock is no reason of anything, however short the test is.
_LEAST_LOCKED_S = 0.1
_WIDTH_OF_STATEMENT = 80


def locked(record: Record, _: Known) -> Iterator[Cause]:
    """Look for the statement that waited longest for a lock, first of a service that complained."""
    all_waits = (record.get("database") or {}).get("lock_waits", ())
    waits = [wait for wait in all_waits if _waited_s(wait) > _LEAST_LOCKED_S]
    troubled = {
        line["service"]
        for line in lines_of(record)
        if line["whose"] == "own" and line["level"] in {*SEVERE, "warning"}
    }
    longest = max(waits, key=lambda x: (x["service"] in troubled, _waited_s(x)), default=None)
    if longest is None:
        return
    waited_s, is_most = _waited_s(longest), _waited_s(longest) * 2 > record["test"]["took_s"]
    if not (is_most or waited_s > _LOCKED_S):
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
        f"{cut(' '.join(longest['text'].split()))}"
    ]
    if longest["blocked_by_at_s"] is not None:
        proof.append(f"{holder}'s transaction was open since {longest['blocked_by_at_s']:.1f} s")
    if len(all_waits) > 1:
        proof.append(f"{len(all_waits)} statements waited for locks")
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
