"""The results that all reports are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from nomock.mutation.mutant import Mutant
from nomock.mutation.verdict import Status, Verdict


@dataclass(frozen=True)
class Results:
    """What the tests said of the mutants of some files."""

    verdicts: tuple[Verdict, ...]
    sources: Mapping[str, str]
    """The text of each file that the mutants were made from, by its path."""
    when: str
    """ISO 8601, in UTC, with seconds."""
    left: tuple[Mutant, ...] = ()
    """Those that were not tried: the time was over."""

    def of(self, *statuses: Status) -> list[Verdict]:
        """Return the verdicts of some kinds, by file and line."""
        found = [verdict for verdict in self.verdicts if verdict.status in statuses]
        return sorted(found, key=_place)

    def by_file(self) -> Iterator[tuple[str, list[Verdict]]]:
        """Yield each file with its verdicts, by line; those without a mutant are not there."""
        for path, verdicts in groupby(
            sorted(self.verdicts, key=_place), lambda verdict: verdict.mutant.path
        ):
            yield path, list(verdicts)


def _place(verdict: Verdict) -> tuple[str, int, int, str]:
    mutant = verdict.mutant
    return mutant.path, mutant.line, mutant.column, mutant.id
