"""``nomock risk``: what to test next, and why."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from nomock.cli.show import print_json, print_table
from nomock.config import Settings
from nomock.quality.risk import Module, Risks, risks_of

_MOST_SHOWN = 15


def risk(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print the modules of the services, that first which is to be tested next."""
    found = risks_of(settings)
    if chosen.json:
        print_json(_for_programs(found))
        return 0
    head = (
        "next",
        "module",
        "risk",
        "tested",
        "impact",
        "complexity",
        "commits",
        "tests",
        "faults",
    )
    rows = [_row(number, module) for number, module in enumerate(found.modules, 1)]
    print_table(head, rows[:_MOST_SHOWN])
    if len(rows) > _MOST_SHOWN:
        print(f"and {len(rows) - _MOST_SHOWN} more of less risk: --json has all")
    print()
    for number, module in enumerate(found.modules[:3], 1):
        print(f"{number}. {module.path}: {module.why}")
    for note in found.notes:
        print(f"-> {note}")
    return 0


def _row(number: int, module: Module) -> tuple[str, ...]:
    depth = module.depth
    return (
        str(number),
        module.path,
        f"{module.risk:.0%}",
        _share(depth.share),
        str(module.impact),
        str(module.complexity),
        _number(module.commits),
        _number(depth.tests),
        _number(depth.under_faults),
    )


def _share(share: float | None) -> str:
    return "?" if share is None else f"{share:.0%}"


def _number(number: int | None) -> str:
    return "?" if number is None else str(number)


def _for_programs(found: Risks) -> object:
    told = asdict(found)
    for module, row in zip(found.modules, told["modules"], strict=True):
        row |= {"impact": module.impact, "untested": module.untested, "why": module.why}
        row["depth"]["share"] = module.depth.share
    return told
