"""How many mutants were noticed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from nomock.mutation.report.results import Results
from nomock.mutation.verdict import Status, Verdict
from nomock.quality.left import MutatedFile, Mutation


@dataclass(frozen=True)
class Figures:
    """How many mutants ended how."""

    killed: int
    """Those of which the service hung are among them."""
    timed_out: int
    survived: int
    no_coverage: int
    aside: int
    error: int
    """Those of which it could not be found out, and those that do not compile."""

    @property
    def score(self) -> float | None:
        """The share of those that tests run that was noticed, 0 to 1; None where none is run."""
        return _share(self.killed, self.killed + self.survived)

    @property
    def score_of_all(self) -> float | None:
        """The same with those that no test runs, as other tools count them."""
        return _share(self.killed, self.killed + self.survived + self.no_coverage)


def figures_of(verdicts: Iterable[Verdict]) -> Figures:
    """Count verdicts."""
    counts = Counter(verdict.status for verdict in verdicts)
    return Figures(
        killed=counts[Status.KILLED] + counts[Status.TIMED_OUT],
        timed_out=counts[Status.TIMED_OUT],
        survived=counts[Status.SURVIVED],
        no_coverage=counts[Status.NO_COVERAGE],
        aside=counts[Status.SET_ASIDE],
        error=counts[Status.ERROR] + counts[Status.NOT_COMPILED],
    )


def figures_by_file(results: Results) -> dict[str, Figures]:
    """Count the verdicts of each file."""
    return {path: figures_of(verdicts) for path, verdicts in results.by_file()}


def record_of(results: Results) -> Mutation:
    """Return what is left for the page of all metrics: ``nomock.quality.left.leave`` writes it."""
    total = figures_of(results.verdicts)
    files = (
        MutatedFile(path, of.killed, of.survived, of.no_coverage, of.aside)
        for path, of in figures_by_file(results).items()
    )
    return Mutation(
        when=results.when,
        score=total.score,
        killed=total.killed,
        timed_out=total.timed_out,
        survived=total.survived,
        no_coverage=total.no_coverage,
        aside=total.aside,
        error=total.error,
        left=len(results.left),
        files=tuple(files),
    )


def percent(share: float | None) -> str:
    """Return a share as a whole percentage; 0 % and 100 % are said of none and all alone.

    >>> percent(0.999), percent(1.0), percent(0.001), percent(None)
    ('99 %', '100 %', '1 %', '-')
    """
    if share is None:
        return "-"
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    return f"{min(99, max(1, int(100 * share)))} %"


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
