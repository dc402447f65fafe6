"""Which tests may notice a mutant: those that ran the lines that it changes, by covered runs."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nomock.baggage import short, test_and_fault
from nomock.config import Settings
from nomock.coverage.affected import CoveredRun, digest_of, load_baseline
from nomock.coverage.affected.blocks import parse
from nomock.coverage.session import data_dir
from nomock.errors import MutationError
from nomock.mutation.live.likeness import Likeness, words_of
from nomock.mutation.mutant import Mutant
from nomock.mutation.sourcetext import decoded
from nomock.project import Store

_UNKNOWN_S = 1.0
"""What a test is taken to last of which no run says it."""
_EACH_S = 0.3
"""What is added to that: fixtures, and the next test's."""
_QUICK = 2
"""How many are asked first for no other reason than that they are quick."""


@dataclass(frozen=True)
class Tests:
    """The tests that may notice a mutant, by node id."""

    line: tuple[str, ...]
    """Those that ran a line that it changes; the likeliest to notice it first."""
    others: tuple[str, ...]
    """Those beside them that ran anything of its function; all of one that an import runs."""
    in_background: bool
    """Whether its lines ran for no test, too: at the start, or in a loop of the service's own."""


class Choice:
    """What covered runs know of some files as they are now."""

    def __init__(self, settings: Settings, files: Iterable[Path]) -> None:
        """Raise CoverageError without a covered run, MutationError for a file no run had so."""
        runs = load_baseline(data_dir(settings))
        known = Store(settings.state_dir, "tests").read()
        self._seconds = {test: float(how[0]) for test, how in known.items()}
        self._of_file = {file: _known(settings.root, file, runs) for file in files}
        self._by_line: dict[Path, Mapping[int, set[str]]] = {}
        self._lines: dict[Path, list[str]] = {}
        self._statements: dict[Path, list[tuple[int, int]]] = {}
        self.suite = runs[0].suite
        self._likeness = Likeness(
            self.suite.root,
            {t for known in self._of_file.values() for run in known for t in run.passed},
        )

    def seconds(self, test: str) -> float:
        """Return how long a test took when it ran last."""
        return self._seconds.get(test, _UNKNOWN_S)

    def tests(self, file: Path, mutant: Mutant) -> Tests:
        """Return the tests that may notice a mutant of a file."""
        runs = self._of_file[file]
        if file not in self._by_line:
            self._by_line[file] = _by_line(file, runs)
            self._statements[file] = _statements(file)
        lines = set(range(mutant.line, mutant.end_line + 1))
        around = [s for s in self._statements[file] if s[0] <= mutant.line <= s[1]]
        if around:  # of one that goes over several lines only some are told
            first, last = min(around, key=lambda s: s[1] - s[0])
            lines |= set(range(first, last + 1))
        ran = self._ran(file, lines)
        by_name = {short(test): test for run in runs for test in run.passed}
        line = {by_name[name] for name in ran if name in by_name}
        others = set(by_name.values()) - line
        if mutant.qualname:  # what an import makes others use, too, wherever they are
            of_function = self._ran(file, _lines_of(runs[0], file, mutant.qualname))
            others &= {by_name[name] for name in of_function if name in by_name}
        words = self._words(file, mutant)
        return Tests(self._likely_first(line, words), self._likely_first(others, words), "" in ran)

    def _ran(self, file: Path, lines: Iterable[int]) -> set[str]:
        by_line = self._by_line[file]
        return {test_and_fault(c)[0] for line in lines for c in by_line.get(line, ())}

    def _words(self, file: Path, mutant: Mutant) -> frozenset[str]:
        """Return the words of what a mutant changes, and of where that is."""
        if file not in self._lines:
            self._lines[file] = decoded(file.read_bytes()).splitlines()
        lines = self._lines[file][mutant.line - 1 : mutant.end_line]
        return words_of(" ".join([file.stem, mutant.qualname, *lines]))

    def _likely_first(self, tests: Iterable[str], words: frozenset[str]) -> tuple[str, ...]:
        """Put the quickest first, as any test may see a crash; then those that speak of it."""
        quick = sorted(tests, key=lambda test: (self.seconds(test), test))

        def worth(test: str) -> float:
            return (self._likeness.of(test, words) + 1) / (self.seconds(test) + _EACH_S)

        return (*quick[:_QUICK], *sorted(quick[_QUICK:], key=worth, reverse=True))


def _by_line(file: Path, runs: Sequence[CoveredRun]) -> Mapping[int, set[str]]:
    """Return who ran each line in any of some runs: a run of a few tests adds to what is known."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    for run in runs:
        for line, contexts in run.contexts.by_line(file).items():
            found[line] |= contexts
    return found


def runs_of(file: Path, runs: Iterable[CoveredRun]) -> list[CoveredRun]:
    """Return the runs that had a file as it is now, the latest first."""
    now = digest_of(file)
    return [run for run in runs if run.digests.get(file) == now and run.passed]


def _known(root: Path, file: Path, runs: tuple[CoveredRun, ...]) -> list[CoveredRun]:
    if found := runs_of(file, runs):
        return found
    shown = file.relative_to(root) if file.is_relative_to(root) else file
    is_known = any(file in run.digests for run in runs)
    raise MutationError(
        "the file changed since the last covered run" if is_known else "no covered service ran it",
        where=str(shown),
        seen=f"covered runs that are kept: {len(runs)}",
        todo="run the tests under the spy, then again: pytest --nomock-sidecar-coverage",
    )


def _lines_of(run: CoveredRun, file: Path, qualname: str) -> set[int]:
    blocks = run.state.sources[file]
    found = [blocks[qualname]] if qualname in blocks else list(blocks.values())
    return {
        line for block in found for first, last in block.lines for line in range(first, last + 1)
    }


def _statements(file: Path) -> list[tuple[int, int]]:
    """Return the lines of each statement; of one with a body those in front of that."""
    found: dict[tuple[int, int], None] = {}
    for node in ast.walk(parse(file.read_bytes())):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            last = node.end_lineno or node.lineno
            if isinstance(body, list) and body:
                last = max(node.lineno, body[0].lineno - 1)
            found[node.lineno, last] = None
    return list(found)
