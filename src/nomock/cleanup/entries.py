"""What killed runs wrote into their ledgers, and nobody has undone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from nomock.cleanup.kind import Found, Kind, Removed, Trouble
from nomock.errors import NomockError
from nomock.ledger.left import Left, any_left, left_ledgers
from nomock.ledger.undo import undo_of
from nomock.stack import Postgres, Stack


class Entries(Kind):
    """The entries of the ledgers that were left on one stack."""

    name = "ledger"

    def __init__(self, stack: Stack, postgres: Postgres | None) -> None:
        super().__init__()
        self._stack = stack
        self._postgres = postgres

    def look(self) -> list[Found]:
        """Return the entries by what they made and run."""
        state_dir, name = self._stack.settings.state_dir, self._stack.name
        if not any_left(state_dir, name):
            return []
        counts, examples = Counter[tuple[str, str]](), dict[tuple[str, str], str]()
        with left_ledgers(state_dir, name) as ledgers:
            for left in ledgers:
                for entry in left.entries:
                    counts[entry.kind, left.run] += 1
                    examples[entry.kind, left.run] = entry.key
        return [
            Found(self.name, kind, run, count, examples[kind, run])
            for (kind, run), count in sorted(counts.items())
        ]

    def remove(self, runs: Collection[str]) -> Removed:
        """Undo what some runs wrote down, the newest first."""
        removed = Removed()
        with left_ledgers(self._stack.settings.state_dir, self._stack.name) as ledgers:
            for left in ledgers:
                if left.run in runs:
                    done = undo(left, self._stack, self._postgres)
                    removed.count += done.count
                    removed.troubles += done.troubles
                    if not left.entries and not left.trouble:
                        left.path.unlink(missing_ok=True)
        return removed


def undo(left: Left, stack: Stack, postgres: Postgres | None) -> Removed:
    """Undo what a ledger that was left tells of; go on past what fails: its entry stays.

    An entry that nobody but its own process could undo is said as a trouble, once.
    """
    removed = Removed()
    for entry in tuple(left.entries):
        what = f"{entry.kind} {entry.key}".strip() + (f" of {entry.test}" if entry.test else "")
        try:
            if entry.undo is not None:
                undo_of(entry.undo).run(stack, postgres)
                removed.count += 1
            elif entry.was_asked:
                removed.troubles.append(
                    Trouble(
                        f"ledger of run {left.run}",
                        f"it is not known whether this was made: {what}",
                        "its run ended before the service answered; what is named TEST … is found "
                        "by that name",
                    )
                )
            else:
                removed.troubles.append(
                    Trouble(
                        f"ledger of run {left.run}",
                        f"this is left, unless it had a name that is found: {what}",
                        "its undo was a function of the process that was killed",
                    )
                )
            left.done(entry)
        except (NomockError, OSError) as error:
            seen = str(error) or type(error).__name__
            removed.troubles.append(Trouble(f"ledger {left.path}", f"not undone: {what}", seen))
    return removed
