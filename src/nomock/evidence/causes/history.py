"""Causes in what is known from earlier runs: the test is flaky, or something was changed."""

from __future__ import annotations

from collections.abc import Iterator

from nomock.evidence.causes.cause import Cause, Known, Record


def flaky(_: Record, known: Known) -> Iterator[Cause]:
    """Look whether it fails now and then though nothing was changed."""
    if known.passed_with_same_files:
        text = f"the test is known to be flaky: {known.passed_with_same_files}"
        yield Cause("flaky", text, [known.passed_with_same_files], 60)


def changed(_: Record, known: Known) -> Iterator[Cause]:
    """Look for what changed since it was green."""
    if known.changed:
        first = "; ".join(known.changed[:3])
        more = f" and {len(known.changed) - 3} more" if len(known.changed) > 3 else ""
        how = "what it runs was changed" if known.ran_changed else "something was changed"
        text = f"{how} since it was green: {first}{more}"
        yield Cause("changed", text, known.changed[:8], 62 if known.ran_changed else 35)
