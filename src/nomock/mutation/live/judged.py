"""What a run of mutants came to, and how it is kept for whoever asks later."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nomock.errors import MutationError
from nomock.mutation import Mutant, Status, Verdict, decoded
from nomock.mutation.aside import Aside
from nomock.mutation.live.plan import Plan
from nomock.mutation.live.results import Result
from nomock.mutation.report import Results
from nomock.project.store import write_or_lose

_VERSION = 1


def judged(plan: Plan, found: Mapping[str, Result], asides: Sequence[Aside]) -> Results:
    """Return the verdicts of the mutants of a plan; those of which nothing is known are left."""
    reasons = {aside.id: aside.reason for aside in asides}
    verdicts: list[Verdict] = []
    left: list[Mutant] = []
    sources: dict[str, str] = {}
    for one in plan.planned:
        mutant = one.mutant
        if mutant.path not in sources:
            sources[mutant.path] = decoded(one.file.read_bytes())
        result = found.get(mutant.id)
        if mutant.id in reasons:
            verdicts.append(Verdict(mutant, Status.SET_ASIDE, note=reasons[mutant.id]))
        elif result is None or not plan.is_of_now(result, one):
            left.append(mutant)
        else:
            status, note = result.status, result.note
            if waiting := plan.left(result, one):
                note = f"{len(waiting)} of its tests are still to run"
            elif status is Status.SURVIVED and not result.reached:
                status, note = Status.NO_COVERAGE, "no request of these tests ran its function"
            covered_by = one.tests.line or result.ran
            about = (result.killed_by, covered_by, result.seconds, note)
            verdicts.append(Verdict(mutant, status, *about))
    when = datetime.now(UTC).isoformat(timespec="seconds")
    return Results(tuple(verdicts), sources, when, tuple(left))


def keep_last(state_dir: Path, results: Results) -> None:
    """Keep the results for ``last``."""
    told = {
        "version": _VERSION,
        "when": results.when,
        "sources": results.sources,
        "verdicts": [asdict(verdict) for verdict in results.verdicts],
        "left": [asdict(mutant) for mutant in results.left],
    }
    write_or_lose(_file(state_dir), json.dumps(told))


def last(state_dir: Path) -> Results:
    """Return what the last run came to; raise MutationError where there was none."""
    file = _file(state_dir)
    todo = "try the mutants: nomock test-mutation"
    try:
        told = json.loads(file.read_bytes())
        if told["version"] != _VERSION:
            seen = f"version {told['version']} of its form, this is {_VERSION}"
            raise MutationError(
                "what was found out about mutants has another form",
                where=str(file),
                seen=seen,
                todo=todo,
            )
        return Results(
            tuple(_verdict(verdict) for verdict in told["verdicts"]),
            told["sources"],
            told["when"],
            tuple(Mutant(**mutant) for mutant in told["left"]),
        )
    except FileNotFoundError:
        raise MutationError("no mutant was tried yet", where=str(file), todo=todo) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MutationError(
            "what was found out about mutants cannot be read",
            where=str(file),
            seen=repr(error),
            todo=todo,
        ) from error


def _verdict(told: dict[str, Any]) -> Verdict:
    found: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in told.items()
    }
    found["mutant"] = Mutant(**told["mutant"])
    found["status"] = Status(told["status"])
    return Verdict(**found)


def _file(state_dir: Path) -> Path:
    return state_dir / "mutation" / "last.json"
