"""Causes that the failure itself shows: its trace, data of another test, or nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from textwrap import dedent

from nomock.evidence.causes.cause import MOST_PROOF, Cause, Known, Record, cut

# What a TraceAssertionError says first, and the lines of its tree.
_OF_TRACE = re.compile(r"(?:Failed: |nomock\.errors\.TraceAssertionError: )?trace: (.+)")
_OF_TREE = re.compile(r"[└├│]|<-- ")
_MOST_TREE = 12


def trace(record: Record, _: Known) -> Iterator[Cause]:
    """Look whether the trace was not as the test expects."""
    for failure in record["failures"]:
        if found := _OF_TRACE.match(failure["message"]):
            lines = failure["text"].splitlines()
            lines = [line[1:] for line in lines if line.startswith("E ")] or lines
            tree = [line for line in dedent("\n".join(lines)).splitlines() if _OF_TREE.search(line)]
            yield Cause("trace", cut(found[1]), tree[:_MOST_TREE], 68)
            return


def leaked(record: Record, _: Known) -> Iterator[Cause]:
    """Look for data that an earlier test left."""
    for leak in record.get("leaks", ()):
        text = f"data of {leak['test']} was there: {leak['value']!r}"
        proof = [f"{leak['test']} sent {leak['value']!r}", f"it stands in {leak['where']}"]
        yield Cause("leaked", text, proof, 70)


def assertion(record: Record, _: Known) -> Iterator[Cause]:
    """Say what the test itself says, which is always known."""
    failure = record["failures"][0]
    text = f"nothing but the test itself ({failure['phase']}): {cut(failure['message'])}"
    said = [line[1:].strip() for line in failure["text"].splitlines() if line.startswith("E ")]
    said = [line for line in said if line and not line.startswith("Use -v")]
    yield Cause("assertion", text, said[:MOST_PROOF] or [cut(failure["message"])], 10)
