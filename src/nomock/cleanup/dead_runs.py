"""What runs left that were killed, removed when the next one begins.

Their ledgers say which they are: each process has one from the first name on that it gave.
"""

from __future__ import annotations

from collections.abc import Callable

from nomock.cleanup.entries import undo
from nomock.cleanup.kind import Trouble
from nomock.cleanup.sweep import Sweep
from nomock.errors import NomockError
from nomock.ledger.left import alive_runs, any_left, left_ledgers
from nomock.stack import Postgres, Stack


def clean_up_after_dead(
    stack: Stack, postgres: Postgres | None, say: Callable[[str], None]
) -> None:
    """Undo what ended processes wrote down on a stack, and remove what is named after their runs.

    A run of which a process lives is left alone, and so is one after which another process
    cleans up at this moment. What cannot be removed is said, and tried again by the next run.
    """
    state_dir = stack.settings.state_dir
    if not any_left(state_dir, stack.name):
        return  # as nearly always
    alive = alive_runs(state_dir)
    with left_ledgers(state_dir, stack.name) as ledgers:
        count, troubles = 0, list[Trouble]()
        for left in ledgers:
            done = undo(left, stack, postgres)
            count, troubles = count + done.count, troubles + done.troubles
            if left.trouble:
                troubles.append(Trouble("ledger", "it cannot be undone as a whole", left.trouble))
        dead = {left.run for left in ledgers} - alive
        try:
            sweep = Sweep.of(stack, postgres, entries=False)
            done = sweep.remove([found for found in sweep.look() if found.run in dead])
        except NomockError as error:  # no store that its rules name
            failed = [Trouble(error.where, error.what, error.seen, error.todo)]
        else:
            failed, count = [*sweep.troubles, *done.troubles], count + done.count
        if not failed:
            for left in ledgers:
                if not left.entries and not left.trouble:
                    left.path.unlink(missing_ok=True)
    if count:
        say(f"removed {count} that {', '.join(sorted(dead))} had left: killed while tests ran")
    for trouble in (*troubles, *failed):
        say(str(trouble))
