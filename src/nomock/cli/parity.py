"""``nomock parity``: what the same tests came to in two runs, and what of that differs."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from nomock.cli.show import print_table
from nomock.config import Settings
from nomock.errors import ConfigError
from nomock.parity import Difference, Record, compare, read_record, take

_MOST_WIDE = 80


def parity(settings: Settings, chosen: argparse.Namespace) -> int:
    """Compare two records, or with ``--take`` write that of the last run.

    Returns 1 where something differs for which no reason is known.
    """
    if chosen.take:
        record = take(settings)
        Path(chosen.take).write_text(record.text(), encoding="utf-8")
        lines = "lines of services" if record.lines is not None else "no lines: it was not covered"
        print(f"wrote {chosen.take}: {len(record.tests)} tests on {record.target}, {lines}")
        return 0
    if not chosen.other:
        raise ConfigError(
            "two records are compared",
            where="nomock parity",
            todo="nomock parity ONE OTHER; each was written by nomock parity --take FILE",
        )
    one, other = (read_record(Path(path)) for path in (chosen.one, chosen.other))
    found = compare(one, other, settings.parity_reasons)
    unexplained = [difference for difference in found if not difference.reason]
    if chosen.json:
        told = {"differences": [asdict(d) for d in found], "unexplained": len(unexplained)}
        print(json.dumps(told, indent=1))
    else:
        _show(one, other, found, unexplained)
    return 1 if unexplained else 0


def _show(
    one: Record, other: Record, found: list[Difference], unexplained: list[Difference]
) -> None:
    both = one.tests.keys() & other.tests.keys()
    same = [name for name in both if one.tests[name].outcome == other.tests[name].outcome]
    counts = Counter(one.tests[name].outcome for name in same)
    alike = ", ".join(f"{number} {outcome}" for outcome, number in sorted(counts.items()))
    print(f"{one.target}: {len(one.tests)} tests; {other.target}: {len(other.tests)} tests")
    print(f"the same on both: {alike or 'none'}")
    for title, differences in (
        ("differs, and why", [d for d in found if d.reason]),
        ("differs, and nobody says why", unexplained),
    ):
        if differences:
            print(f"\n{title}:")
            head = ("what", "where", one.target, other.target, "reason")
            print_table(head, [_row(d) for d in differences])
    print(f"\ndifferences: {len(found)}, without a reason: {len(unexplained)}")


def _row(d: Difference) -> tuple[str, ...]:
    return (d.what, d.where, *map(_short, (d.one, d.other, d.reason)))


def _short(text: str) -> str:
    text = text.partition("\n")[0]
    return text if len(text) <= _MOST_WIDE else f"{text[: _MOST_WIDE - 1]}…"
