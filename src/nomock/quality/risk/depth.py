"""How deeply each module is tested: by its mutants, and by the tests of the last covered run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nomock.baggage import test_and_fault
from nomock.coverage.harvest.contexts import Contexts, statements
from nomock.quality.left import MutatedFile
from nomock.quality.risk.assessing import Depth
from nomock.quality.risk.complexity import Function

_MOST_NAMED = 3


def depth_of(
    file: Path,
    functions: Sequence[Function],
    contexts: Contexts | None,
    mutated: MutatedFile | None,
) -> Depth:
    """Return what is known of a file; raise CoverageError where the covered run cannot be read."""
    score = mutated.score if mutated else None
    if contexts is None:
        return Depth(mutation_score=score)
    by_line = contexts.by_line(file)
    lines = {line: _by_tests(ran) for line, ran in by_line.items()}
    executable = statements(file)
    # What an import runs is run by every start: only what is in functions tells of tests.
    inside = {
        line
        for function in functions
        if function.name
        for line in range(function.first, function.last + 1)
        if line in executable
    }
    ran = {line for line in inside if lines.get(line)}
    tests = {test for line in ran for test, _ in lines[line]}
    faulted = {test for line in ran for test, fault in lines[line] if fault}
    not_run = [
        function
        for function in functions
        if function.name and not ran.intersection(range(function.first, function.last + 1))
    ]
    worst_first = sorted(not_run, key=lambda function: -function.complexity)
    return Depth(
        mutation_score=score,
        ran=len(ran) / len(inside) if inside else None,
        tests=len(tests),
        under_faults=len(faulted),
        not_run=tuple(function.name for function in worst_first[:_MOST_NAMED]),
    )


def _by_tests(contexts: frozenset[str]) -> list[tuple[str, str]]:
    return [(test, fault) for test, fault in map(test_and_fault, contexts) if test]
