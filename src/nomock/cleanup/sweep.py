"""All test data of a stack: what there is of each kind, whose it is, and its removal.

What is removed is what was shown: the runs are chosen by what was found, so that nothing goes of a
run that began meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from nomock.cleanup.entries import Entries
from nomock.cleanup.keys import Keys
from nomock.cleanup.kind import Found, Kind, Removed, Trouble
from nomock.cleanup.replies import Replies
from nomock.cleanup.rows import Rows
from nomock.cleanup.rules import DEFAULT, HttpRule, KeyRule, Rule, TableRule
from nomock.errors import CleanupError, ConfigError, NomockError
from nomock.names import age_s
from nomock.stack import Postgres, Stack
from nomock.stack.promoted import is_release
from nomock.stack.redis import Redis


@dataclass(frozen=True)
class Choice:
    """Which runs' data is meant."""

    run: str | None = None
    """Only that of one."""
    older_than_s: float | None = None
    """Only what is older; what does not say how old it is is not meant then."""
    alive: Collection[str] = ()
    """The runs that go on: theirs is never meant."""
    users: str = ""
    """Who uses the stack at this moment, a line for each: what names no run may be theirs."""

    def kept(self, found: Found) -> str:
        """Return why something is not meant, "" if it is."""
        if found.run in self.alive:
            return "its run is alive"
        if self.run is not None and found.run != self.run:
            return "of another run"
        if not found.run and self.users:
            return "it may be of a run that is alive"
        age = age_s(found.run)
        if self.older_than_s is not None and (age is None or age < self.older_than_s):
            return "younger" if age is not None else "its age is not known"
        return ""


class Sweep:
    """The kinds of test data that a stack may have, by its rules."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        self._kinds = kinds
        self.troubles: list[Trouble] = []
        """What ``look`` could not look at."""

    @classmethod
    def of(cls, stack: Stack, postgres: Postgres | None = None, *, entries: bool = True) -> Sweep:
        """Return that of a stack; ``postgres``: another database than the stack's own.

        ``entries``: with what the ledgers tell of killed runs.

        Raises ConfigError where a rule is about what the stack does not have.
        """
        told = [Entries(stack, postgres)] if entries else []
        return cls([*told, *_kinds(stack, postgres)])

    def look(self) -> list[Found]:
        """Return what tests left; go on past what cannot be looked at."""
        found, self.troubles = list[Found](), []
        for kind in self._kinds:
            try:
                found += kind.look()
                self.troubles += kind.troubles
            except NomockError as error:
                self.troubles.append(Trouble(error.where, error.what, error.seen, error.todo))
        return found

    def remove(self, meant: Collection[Found]) -> Removed:
        """Remove what was found; go on past a store that fails, and say so at the end."""
        removed = Removed()
        for kind in self._kinds:
            runs = {found.run for found in meant if found.kind == kind.name}
            if not runs:
                continue
            try:
                done = kind.remove(runs)
            except NomockError as error:
                removed.troubles.append(Trouble(error.where, error.what, error.seen, error.todo))
            else:
                removed.count += done.count
                removed.troubles += done.troubles
        return removed


def _kinds(stack: Stack, postgres: Postgres | None) -> Iterator[Kind]:
    rules = stack.settings.cleanup
    # A service deletes what hangs on its things, too: what is left of them comes last.
    for rule in rules:
        if isinstance(rule, HttpRule) and rule.list:
            yield Replies(stack, rule)
    for rule in rules:
        if isinstance(rule, KeyRule):
            yield Keys(Redis.of(stack, rule.redis), rule)
    tables = table_rules(rules)
    try:
        yield Rows(postgres or stack.postgres, tables)
    except ConfigError:
        if tables[0] is not DEFAULT or not rules:  # with none, there is nothing else to look at
            raise


def table_rules(rules: Sequence[Rule]) -> list[TableRule]:
    """Return the rules for tables, the one that needs no setting where there are none."""
    return [rule for rule in rules if isinstance(rule, TableRule)] or [DEFAULT]


def refuse_strangers(stack: Stack, *, is_narrow: bool) -> None:
    """Raise CleanupError for a stack that may be no test's: nothing is removed there.

    ``is_narrow``: only one run's data is meant, or what is old.
    """
    settings = stack.settings
    if settings.target == "sandbox":
        if is_release(settings):
            raise CleanupError(
                "a release is no test stack: nothing is removed there",
                where=f"context {settings.context}",
                seen="promote in [tool.nomock] says release for it",
                todo="remove it as the application does, or name another context",
            )
        if not is_narrow:
            raise CleanupError(
                "others may test on this sandbox from elsewhere; nothing was removed",
                where=f"sandbox {stack.name}",
                seen="whether a run is alive is known on its own machine alone",
                todo="say which: --older-than 2h, or --run ID",
            )
    elif not (settings.state_dir / f"{stack.name}.lock").exists():
        raise CleanupError(
            "no test has ever used this stack: nothing is removed there",
            where=f"stack {stack.name}",
            seen=f"{settings.state_dir} knows nothing of it",
            todo="if it is a test stack: nomock up, then this again",
        )
