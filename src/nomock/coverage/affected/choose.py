"""Which tests a change needs, and why: those that ran what changed, and every one in doubt."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nomock.adapters.git import Revision
from nomock.baggage import short, test_and_fault
from nomock.config import Settings
from nomock.coverage.affected.baseline import Baseline, load_baseline
from nomock.coverage.affected.blocks import Range
from nomock.coverage.affected.changes import Change, changes
from nomock.coverage.affected.state import state_at, state_now
from nomock.coverage.harvest.contexts import Contexts
from nomock.project import resolve


@dataclass(frozen=True)
class Reason:
    """Why tests are chosen; without tests: a change that needs none."""

    text: str
    tests: frozenset[str]


@dataclass(frozen=True)
class Choice:
    """The tests that are needed, each for at least one reason."""

    reasons: tuple[Reason, ...]
    """Why tests are needed; the reason with the most tests first."""

    @cached_property
    def tests(self) -> frozenset[str]:
        """The ids of the chosen tests."""
        return frozenset().union(*(reason.tests for reason in self.reasons))

    def why(self, test: str) -> list[str]:
        """Return the reasons of one test."""
        return [reason.text for reason in self.reasons if test in reason.tests]


class Affected:
    """What changed since the last covered run, and since a revision if one is named.

    With a revision the change since the covered run counts all the same: where a block is another
    one than the tests had run, what they run now is not known.
    """

    def __init__(self, settings: Settings, data_dir: Path, since: str | None = None) -> None:
        """Compare; raise ConfigError for a revision there is not, CoverageError without data."""
        self._root = settings.root
        self._contexts = Contexts.of(data_dir)
        self._by_line: dict[Path, Mapping[int, frozenset[str]]] = {}
        self._memory: Baseline = load_baseline(data_dir)
        old, suite = self._memory.state, self._memory.suite
        project = resolve(settings)
        now = state_now(settings, project, suite).with_sources(old.sources)
        found = list(changes(old, now))
        if since is not None:
            then = state_at(Revision(settings.root, since), now, old.sources, project, suite)
            found += changes(then, now)
        self._changes = list(dict.fromkeys(found))

    def choose(self, tests: Collection[str], on_stack: Collection[str]) -> Choice:
        """Choose among tests by their ids; ``on_stack`` are those of them that use the stack."""
        all_ = frozenset(tests)
        seen = all_ & self._memory.passed
        credited = {test_and_fault(context)[0] for context in self._contexts.all()}
        # Whatever lost its lines: what it needs is not known. One without a stack has none.
        lost = frozenset(
            test for test in seen.intersection(on_stack) if short(test) not in credited
        )
        reasons = [
            Reason("not seen to pass in the last covered run", all_ - seen),
            Reason("no line was credited to it in the last covered run", lost),
            *(self._reason(change, all_) for change in self._changes),
        ]
        shown = [r for r in reasons if r.tests or r not in reasons[:2]]
        return Choice(tuple(sorted(shown, key=lambda r: -len(r.tests))))

    def _reason(self, change: Change, tests: frozenset[str]) -> Reason:
        text = f"{self._shown(change.where)}: {change.what}" if change.where else change.what
        if change.below is not None:
            below = change.below
            return Reason(
                text, frozenset(t for t in tests if self._file_of(t).is_relative_to(below))
            )
        if change.where is None or change.function is None:
            return Reason(text, tests)
        block = self._memory.state.sources.get(change.where, {}).get(change.function)
        if block is None and not change.is_new:
            return Reason(f"{text}; the last covered run did not have it", tests)
        ran = self._ran(change.where, block.lines if block else ())
        if "" in ran:
            return Reason(f"{text}; it runs at start-up or in the background", tests)
        chosen = frozenset(test for test in tests if short(test) in ran)
        return Reason(text if chosen else f"{text}; none of the tests ran it", chosen)

    def _ran(self, source: Path, lines: Iterable[Range]) -> set[str]:
        """Return the tests, as contexts name them, that ran any of some lines; "" for none."""
        if source not in self._by_line:
            self._by_line[source] = self._contexts.by_line(source)
        by_line = self._by_line[source]
        return {
            test_and_fault(context)[0]
            for first, last in lines
            for line in range(first, last + 1)
            for context in by_line.get(line, ())
        }

    def _file_of(self, test: str) -> Path:
        return self._memory.suite.root / test.partition("::")[0]

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(self._root) if path.is_relative_to(self._root) else path)
