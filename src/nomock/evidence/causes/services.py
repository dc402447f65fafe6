"""Causes that befell the services: one died, or a fault was on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from nomock.evidence.causes.cause import MOST_PROOF, SLOW_S, Cause, Known, Record, said

_DEATH = re.compile(r": (exited|ended|restarted|one of its processes was killed)")


def died(record: Record, _: Known) -> Iterator[Cause]:
    """Look for services that ended or got unhealthy though nobody asked for it."""
    for event in record["events"]:
        if event["is_asked"]:
            continue
        death = _DEATH.search(event["text"])
        lines = [event["text"], *event["details"]][: MOST_PROOF + 2]
        if death:
            sure = 100 if event["at_s"] >= 0 else _sure_of_earlier(event["service"], record)
            yield Cause("died", f"service {event['text']}", lines, sure)
        else:
            yield Cause("unhealthy", f"service {event['text']}", lines, 85)


def _sure_of_earlier(service: str, record: Record) -> int:
    """Return how sure it is that a death before the test made it fail, by what the test met of it.

    One of many services may be dead for the rest of a run, and tests fail that do not need it.
    """
    name = re.compile(rf"(?<![\w-]){re.escape(service)}(?![\w-])")
    if any(name.search(failure["message"]) for failure in record["failures"]):
        return 96
    # Of a request that went wrong its own fault, or a lock, says more; what services log says less.
    return 82 if any(map(_is_bad, record["exchanges"])) else 61


def left_faults(record: Record, _: Known) -> Iterator[Cause]:
    """Look for faults of other tests and runs."""
    for fault in record.get("faults_of_others", ()):
        where = f"by {fault['test']}" if fault["test"] else "by another run"
        yield Cause(
            "fault",
            f"the fault {fault['name']} was on, put there {where}",
            ["it is in the journal of faults, and not healed: nomock heal"],
            95,
        )


def own_faults(record: Record, _: Known) -> Iterator[Cause]:
    """Look for the test's own faults that were on while a request failed."""
    bad = [exchange for exchange in record["exchanges"] if _is_bad(exchange)]
    for fault in record["faults"]:
        met = [x for x in bad if _overlaps(x, fault)]
        story = [s["text"] for s in record["fault_story"] if s["text"].startswith(fault["name"])]
        if met:
            proof = [*map(said, met[-2:]), *story]
            yield Cause(
                "fault",
                f"the test's own fault {fault['name']} was on when {said(met[-1])}",
                proof[:MOST_PROOF],
                90,
            )
        elif fault["until_s"] is None:
            text = f"the test's own fault {fault['name']} was still on when it failed"
            yield Cause("fault", text, story[:MOST_PROOF], 45)


def _is_bad(exchange: Mapping[str, Any]) -> bool:
    late = (exchange["took_s"] or 0) >= SLOW_S
    return bool(exchange["error"]) or (exchange["status"] or 0) >= 500 or late


def _overlaps(exchange: Mapping[str, Any], fault: Mapping[str, Any]) -> bool:
    ended_s = exchange["at_s"] + (exchange["took_s"] or 0)
    until_s = fault["until_s"]
    return bool(fault["at_s"] <= ended_s and (until_s is None or exchange["at_s"] <= until_s))
