"""What a terminal shows of mutants."""

from __future__ import annotations

from collections.abc import Sequence

from nomock.mutation.mutant import diff
from nomock.mutation.report.figures import Figures, figures_by_file, figures_of, percent
from nomock.mutation.report.results import Results
from nomock.mutation.verdict import Status, Verdict

_HEAD = ("file", "score", "killed", "survived", "no test", "aside", "error")
_MOST_TESTS = 4


def table_of(results: Results) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Return the head and the rows of a table: the files, those with most survivors first.

    The last row is the total.
    """
    files = figures_by_file(results)
    order = sorted(files, key=lambda path: (-files[path].survived, -files[path].no_coverage, path))
    rows = [_row(path, files[path]) for path in order]
    return _HEAD, [*rows, _row("all", figures_of(results.verdicts))]


def survivor_lines(results: Results) -> list[str]:
    """Return each survivor with its diff and the tests that ran it; then what had no verdict."""
    lines: list[str] = []
    for verdict in results.of(Status.SURVIVED):
        lines += ["", *_survivor(verdict, results)]
    for verdict in results.of(Status.ERROR):
        lines += ["", f"no verdict: {_place(verdict)}", f"  {verdict.note}"]
    return lines[1:]


def _row(path: str, of: Figures) -> Sequence[str]:
    counts = (of.killed, of.survived, of.no_coverage, of.aside, of.error)
    return path, percent(of.score), *map(str, counts)


def _survivor(verdict: Verdict, results: Results) -> list[str]:
    mutant = verdict.mutant
    changed = diff(results.sources[mutant.path], mutant, context=1).split("\n")[3:]
    tests = verdict.covered_by
    shown = [f"  ran: {test}" for test in tests[:_MOST_TESTS]]
    if len(tests) > _MOST_TESTS:
        shown.append(f"  and {len(tests) - _MOST_TESTS} more tests")
    note = [f"  {verdict.note}"] if verdict.note else []
    return [f"survived: {_place(verdict)}", *(f"  {line}" for line in changed), *shown, *note]


def _place(verdict: Verdict) -> str:
    mutant = verdict.mutant
    inside = f" in {mutant.qualname}" if mutant.qualname else ""
    return f"{mutant.path}:{mutant.line}{inside}, {mutant.operator} ({mutant.id})"
