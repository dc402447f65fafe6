"""The data of killed runs goes when the next run begins: on its stack, and on lanes that run."""

from __future__ import annotations

from collections.abc import Callable

from nomock.lanes.lane import Lane
from nomock.ledger.left import any_left
from nomock.stack import Postgres, Stack


def clean_up(stack: Stack, say: Callable[[str], None]) -> None:
    """Remove what killed runs left on a stack that is ready, and on its lanes that run."""
    state_dir = stack.settings.state_dir
    if not any_left(state_dir, f"{stack.name}*"):
        return  # as nearly always: what cleans up need not be imported
    from nomock.cleanup.dead_runs import clean_up_after_dead
    from nomock.lanes.kinds import left_lanes

    clean_up_after_dead(stack, None, say)
    if stack.settings.target != "compose":
        return
    for lane in left_lanes(stack):
        # Of a lane that does not run the worker does it that starts it.
        if any_left(state_dir, lane.name) and lane.has_data():
            clean_up_after_dead(lane.stack, lane.own_postgres, say)


def clean_up_lane(lane: Lane) -> None:
    """Remove what killed runs left on a lane that a worker has made ready.

    Nobody hears a worker: what cannot be removed is tried again, and `nomock cleanup` shows it.
    """
    if any_left(lane.stack.settings.state_dir, lane.name):
        from nomock.cleanup.dead_runs import clean_up_after_dead

        clean_up_after_dead(lane.stack, lane.own_postgres, lambda text: None)


def without_test_data(stack: Stack, postgres: Postgres) -> None:
    """Take the rows of all runs out of a copy of a stack's database.

    Those that are refused stay: a copy is no worse with them than the database is.
    """
    from nomock.cleanup.rows import Rows
    from nomock.cleanup.sweep import table_rules

    rows = Rows(postgres, table_rules(stack.settings.cleanup))
    rows.remove({found.run for found in rows.look()})
