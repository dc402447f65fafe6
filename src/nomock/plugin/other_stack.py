"""A stack that is not the run's own: of other inputs, made ready for the tests that have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from nomock.config import Settings
from nomock.errors import ConfigError
from nomock.plugin.fault_sessions import FaultSessions
from nomock.stack import Stack


@contextmanager
def other_stack(
    settings: Settings,
    run: int | None,
    sessions: Callable[[Stack], FaultSessions],
    say: Callable[[str], None],
    who: str,
) -> Iterator[Stack]:
    """Give a stack, ready; taken down at the end where the settings say so.

    ``run``: the process that stands for the run; ``sessions`` gives what it takes to break a
    stack. Raises NomockError, ConfigError where other tests of the run use it as it is.
    """
    other = Stack.of(settings, run)
    # Of the same project: there for the other tests, too.
    is_runs_own = other.holding.is_by_run()
    if is_runs_own:
        other = Stack.of(replace(settings, stack="attach"), run)
    own = sessions(other)
    try:
        own.heal_orphaned(say)
        if is_runs_own and (differences := other.differences()):
            raise ConfigError(
                "other tests of this run use it, and it would have to be changed for this one",
                where=f"stack {other.name}",
                seen="\n".join(f"{name}: {why}" for name, why in differences.items()),
                todo="override compose_project, too: a stack of its own has a name of its own",
            )
        other.prepare(who=who)
        yield other
    finally:
        if other.settings.stack == "own":
            other.down()
        own.close()
        other.close()
