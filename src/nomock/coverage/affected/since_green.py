"""Which lines a test ran that it did not run when it was green last, and the reverse."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nomock.baggage import short, test_and_fault
from nomock.coverage.affected.baseline import CoveredRun
from nomock.coverage.affected.state import digest_of
from nomock.coverage.harvest.contexts import Contexts

Lines = Mapping[Path, Collection[int]]


@dataclass(frozen=True)
class SinceGreen:
    """What is not as it was in the last covered run in which a test passed."""

    run: str
    """The name of that run."""
    only_now: Lines = field(default_factory=dict)
    only_then: Lines = field(default_factory=dict)
    changed: tuple[Path, ...] = ()
    """The files that the test ran and that are not as they were: their lines cannot be compared."""


def since_green(
    now: Contexts, runs: Iterable[CoveredRun], tests: Collection[str]
) -> dict[str, SinceGreen]:
    """Return it for each of the tests that a covered run saw pass.

    ``runs`` are those before this one; of no test are two of them its last green one. Raises
    CoverageError where data cannot be read.
    """
    found = {}
    ran_now = _by_test(now, tests)
    for run in runs:
        own = [test for test in tests if test in run.green]
        ran_then = _by_test(run.contexts, own) if own else {}
        for test in own:
            found[test] = _compared(run, ran_now.get(test, {}), ran_then.get(test, {}))
    return found


def _compared(run: CoveredRun, now: Lines, then: Lines) -> SinceGreen:
    files = sorted(now.keys() | then.keys())
    changed = [file for file in files if run.digests.get(file) != digest_of(file)]
    only_now, only_then = {}, {}
    for file in files:
        lines_now, lines_then = set(now.get(file, ())), set(then.get(file, ()))
        if file not in changed and lines_now != lines_then:
            only_now[file] = sorted(lines_now - lines_then)
            only_then[file] = sorted(lines_then - lines_now)
    return SinceGreen(run.name, only_now, only_then, tuple(changed))


def _by_test(contexts: Contexts, tests: Collection[str]) -> dict[str, dict[Path, set[int]]]:
    """Return the lines that each of some tests ran, by file, with and without a fault."""
    ids = {short(test): test for test in tests}
    known = contexts.all()
    wanted = {c: ids[name] for c in known if (name := test_and_fault(c)[0]) in ids}
    found: dict[str, dict[Path, set[int]]] = defaultdict(lambda: defaultdict(set))
    for file in contexts.files if wanted else ():
        for line, ran_in in contexts.by_line(file).items():
            for context in ran_in & wanted.keys():
                found[wanted[context]][file].add(line)
    return found
