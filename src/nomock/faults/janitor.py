"""Heals what a killed run left: faults whose journal outlived its process."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from nomock.errors import NotHealedError
from nomock.faults.journal import folder_of, left_behind
from nomock.stack import Stack


def heal_left(stack: Stack, say: Callable[[str], None]) -> int:
    """Heal all faults on a stack whose process has ended; return how many they were.

    Goes on past one that cannot be healed; raises NotHealedError at the end. Its journal stays.
    """
    state_dir = stack.settings.state_dir
    if not any(folder_of(state_dir, stack.name).glob("*.ndjson")):
        return 0  # as nearly always: the kinds of faults need not be imported
    from nomock.faults.faults import kinds
    from nomock.faults.ground import Ground

    count, failed, ground = 0, {}, Ground(stack)
    with closing(ground), left_behind(state_dir, stack.name) as journals:
        for path, entries in journals:
            rest = len(entries)
            for entry in entries:
                say(f"healing {entry.name}, left by {entry.test}")
                try:
                    kinds()[entry.kind](**entry.arguments).heal(ground, entry.state)
                except Exception as error:  # whatever it is, the others are healed, too
                    failed[entry.name] = str(error) or repr(error)
                else:
                    rest -= 1
                    count += 1
            if not rest:
                path.unlink()
    if failed:
        raise NotHealedError(failed)
    return count
