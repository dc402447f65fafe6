"""Which tests a change needs, and why: those that ran what changed, and every one in doubt."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from nomock.adapters.git import Revision
from nomock.baggage import short, test_and_fault
from nomock.config import Settings
from nomock.coverage.affected.baseline import CoveredRun, load_baseline
from nomock.coverage.affected.blocks import MODULE, Range
from nomock.coverage.affected.changes import Change, changes
from nomock.coverage.affected.state import State, Suite, state_at, state_now
from nomock.coverage.affected.ties import ties
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
    ties: Mapping[str, float] = field(default_factory=dict)
    """How closely the tests are tied to what changed in sources, by the lines that they ran."""
    edited: frozenset[str] = frozenset()
    """The tests whose own file changed."""

    @cached_property
    def tests(self) -> frozenset[str]:
        """The ids of the chosen tests."""
        return frozenset().union(*(reason.tests for reason in self.reasons))

    def why(self, test: str) -> list[str]:
        """Return the reasons of one test."""
        return [reason.text for reason in self.reasons if test in reason.tests]


class Affected:
    """What changed since each covered run, and since a revision if one is named.

    Each test is held against the files as the newest covered run had them that it was part of.
    With a revision the change since that run counts all the same: where a block is another one
    than the tests had run, what they run now is not known.
    """

    def __init__(self, settings: Settings, data_dir: Path, since: str | None = None) -> None:
        """Compare; raise ConfigError for a revision there is not, CoverageError without data."""
        newest, *others = load_baseline(data_dir)
        # Of the others those that know what a test needs, not only what it ran when it was green.
        self._runs = (newest, *(run for run in others if run.passed))
        loaded = {file for run in self._runs for file in run.state.sources}
        project = resolve(settings)
        revision = Revision(settings.root, since) if since is not None else None
        states: dict[Suite, list[State]] = {}
        for suite in {run.suite for run in self._runs}:
            now = state_now(settings, project, suite).with_sources(loaded)
            then = [state_at(revision, now, loaded, project, suite)] if revision else []
            states[suite] = [now, *then]
        self._changed = [_Changed(settings.root, run, *states[run.suite]) for run in self._runs]

    @property
    def known(self) -> frozenset[str]:
        """The ids of the tests of which a covered run knows what they need."""
        return frozenset().union(*(run.passed for run in self._runs))

    def choose(
        self, tests: Collection[str], on_stack: Collection[str], failed: Collection[str] = ()
    ) -> Choice:
        """Choose among tests by their ids; ``on_stack`` are those of them that use the stack.

        ``failed`` are those that were red when they ran last, covered or not.
        """
        all_ = frozenset(tests)
        unknown = all_.difference(*(run.passed for run in self._runs))
        of_run = [all_ & run.passed for run in self._runs]
        # Whatever lost its lines: what it needs is not known. One without a stack has none.
        lost = [
            changed.without_lines(own.intersection(on_stack))
            for changed, own in zip(self._changed, of_run, strict=True)
        ]
        reasons = [
            Reason("not seen to pass in its last covered run", unknown),
            Reason("no line was credited to it in its last covered run", frozenset().union(*lost)),
        ]
        red = all_.intersection(failed) - reasons[0].tests
        reasons.append(Reason("failed when it ran last", red))
        reasons = [reason for reason in reasons if reason.tests]
        # What is not known is held against the newest run: it may have failed in it.
        of_run[0] |= unknown
        found: dict[tuple[str, str], frozenset[str]] = {}
        for changed, own in zip(self._changed, of_run, strict=True):
            for why, chosen in changed.reasons(own):
                # What no test of an older run needs has no news: the newest run may have had it.
                if chosen or changed is self._changed[0]:
                    found[why] = found.get(why, frozenset()) | chosen
        for (text, where_none), chosen in found.items():
            reasons.append(Reason(text if chosen else text + where_none, chosen))
        tied: dict[str, float] = {}
        edited: set[str] = set()
        for changed, own in zip(self._changed, of_run, strict=True):
            by_name = changed.ties()
            tied |= {test: by_name[short(test)] for test in own if short(test) in by_name}
            edited |= changed.edited(own)
        return Choice(tuple(sorted(reasons, key=lambda r: -len(r.tests))), tied, frozenset(edited))


_Why = tuple[str, str]
"""A reason in words, and what to add to it where no test is chosen by it."""


class _Changed:
    """What changed since one covered run, for the tests of which it knows what they need."""

    def __init__(self, root: Path, run: CoveredRun, now: State, then: State | None = None) -> None:
        self._root = root
        self._run = run
        self._by_line: dict[Path, Mapping[int, frozenset[str]]] = {}
        old = run.state
        now = _with_sources_of(old, now)
        found = list(changes(old, now))
        if then is not None:
            found += changes(_with_sources_of(old, then), now)
        self._changes = list(dict.fromkeys(found))

    def without_lines(self, tests: Collection[str]) -> frozenset[str]:
        """Return those of some tests to which no line was credited."""
        if not tests:
            return frozenset()
        credited = {test_and_fault(context)[0] for context in self._run.contexts.all()}
        return frozenset(test for test in tests if short(test) not in credited)

    def reasons(self, tests: frozenset[str]) -> Iterator[tuple[_Why, frozenset[str]]]:
        """Yield why some of the tests are needed; a change that needs none, too."""
        return (self._reason(change, tests) for change in self._changes)

    def ties(self) -> dict[str, float]:
        """Return how closely tests are tied to what changed in sources, by their short names."""
        blocks = self._run.state.sources
        lines: dict[Path, set[int]] = defaultdict(set)
        for change in self._changes:
            if change.where is not None and change.where in blocks:
                block = blocks[change.where].get(change.function or MODULE)
                lines[change.where].update(
                    line for a, b in (block.lines if block else ()) for line in range(a, b + 1)
                )
        found: dict[str, float] = defaultdict(float)
        for file, changed in lines.items():
            by_line = {
                line: {test for test, _ in map(test_and_fault, contexts)} - {""}
                for line, contexts in self._lines_of(file).items()
            }
            for test, tie in ties(by_line, changed, len(self._run.passed) or 1).items():
                found[test] += tie
        return found

    def edited(self, tests: Collection[str]) -> set[str]:
        """Return those of some tests whose own file changed."""
        changed = {change.below for change in self._changes}
        return {test for test in tests if self._run.file_of(test) in changed}

    def _reason(self, change: Change, tests: frozenset[str]) -> tuple[_Why, frozenset[str]]:
        text = f"{self._shown(change.where)}: {change.what}" if change.where else change.what
        if change.below is not None:
            below = change.below
            chosen = (t for t in tests if self._run.file_of(t).is_relative_to(below))
            return (text, ""), frozenset(chosen)
        if change.where is None or change.function is None:
            return (text, ""), tests
        block = self._run.state.sources.get(change.where, {}).get(change.function)
        if block is None and not change.is_new:
            return (f"{text}; the last covered run did not have it", ""), tests
        ran = self._ran(change.where, block.lines if block else ())
        if "" in ran:
            return (f"{text}; it runs at start-up or in the background", ""), tests
        chosen = (test for test in tests if short(test) in ran)
        return (text, "; none of the tests ran it"), frozenset(chosen)

    def _ran(self, source: Path, lines: Iterable[Range]) -> set[str]:
        """Return the tests, as contexts name them, that ran any of some lines; "" for none."""
        by_line = self._lines_of(source)
        return {
            test_and_fault(context)[0]
            for first, last in lines
            for line in range(first, last + 1)
            for context in by_line.get(line, ())
        }

    def _lines_of(self, source: Path) -> Mapping[int, frozenset[str]]:
        if source not in self._by_line:
            self._by_line[source] = self._run.contexts.by_line(source)
        return self._by_line[source]

    def _shown(self, path: Path) -> str:
        return str(path.relative_to(self._root) if path.is_relative_to(self._root) else path)


def _with_sources_of(old: State, state: State) -> State:
    """Leave of a state only the sources that a covered run had: it knows no others by blocks."""
    return replace(state, sources={f: b for f, b in state.sources.items() if f in old.sources})
