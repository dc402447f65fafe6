"""``nomock mutants``: what the last run of mutants came to, and mutants that are set aside."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from typing import Any

from nomock.cli.show import print_json, print_table
from nomock.config import Settings
from nomock.errors import ConfigError, MutationError
from nomock.mutation import Mutant, Verdict
from nomock.mutation.aside import FILE, add_aside, read_asides
from nomock.mutation.live.judged import last
from nomock.mutation.report import Results, figures_of, survivor_lines, table_of
from nomock.mutation.verdict import Status


def mutants(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print the last results, or set a mutant aside."""
    if chosen.aside or chosen.reason:
        return _set_aside(settings, chosen)
    results = _with_asides(settings, last(settings.state_dir))
    if chosen.json:
        print_json(_told(results))
    else:
        show(results)
    return 0


def show(results: Results) -> None:
    """Print the survivors with the tests that ran them, and how many each file has."""
    for line in survivor_lines(results):
        print(line)
    if results.verdicts:
        print()
        print_table(*table_of(results))


def _set_aside(settings: Settings, chosen: argparse.Namespace) -> int:
    if not (chosen.aside and chosen.reason):
        raise ConfigError(
            "a mutant is set aside with a reason",
            where="nomock mutants",
            todo='say both: nomock mutants --aside ID --reason "…"',
        )
    results = last(settings.state_dir)
    known = [verdict.mutant for verdict in results.verdicts] + list(results.left)
    mutant = _named(chosen.aside, known)
    add_aside(settings.root / FILE, mutant, chosen.reason)
    print(f"set aside in {FILE}: {mutant}")
    return 0


def _named(id_: str, known: list[Mutant]) -> Mutant:
    for mutant in known:
        if mutant.id == id_:
            return mutant
    raise MutationError(
        f"the last run had no mutant {id_}",
        where="nomock mutants",
        seen=f"{len(known)} mutants",
        todo="nomock mutants shows those that survived, each with its id",
    )


def _with_asides(settings: Settings, results: Results) -> Results:
    """Return results with what was set aside since."""
    reasons = {aside.id: aside.reason for aside in read_asides(settings.root / FILE)}

    def seen(verdict: Verdict) -> Verdict:
        reason = reasons.get(verdict.mutant.id)
        return verdict if reason is None else replace(verdict, status=Status.SET_ASIDE, note=reason)

    return replace(results, verdicts=tuple(map(seen, results.verdicts)))


def _told(results: Results) -> dict[str, Any]:
    of = figures_of(results.verdicts)
    verdicts = [
        {
            **asdict(v.mutant),
            "status": v.status,
            "killed_by": list(v.killed_by),
            "covered_by": list(v.covered_by),
            "seconds": v.seconds,
            "note": v.note,
        }
        for v in results.verdicts
    ]
    return {
        "when": results.when,
        "score": of.score,
        "left": len(results.left),
        "mutants": verdicts,
    }
