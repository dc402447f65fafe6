"""Heals what a killed run left: faults whose journal outlived its process."""

from __future__ import annotations

from collections.abc import Callable

from nomock.errors import NomockError, NotHealedError
from nomock.faults.faults import kinds
from nomock.faults.ground import Ground
from nomock.faults.journal import left_behind


def heal_left(ground: Ground, say: Callable[[str], None]) -> int:
    """Heal all faults whose process has ended; return how many they were.

    Goes on past one that cannot be healed; raises NotHealedError at the end. Its journal stays.
    """
    count, failed = 0, {}
    with left_behind(ground.stack.settings.state_dir, ground.stack.name) as journals:
        for path, entries in journals:
            rest = len(entries)
            for entry in entries:
                fault = kinds()[entry.kind](**entry.arguments)
                say(f"healing {fault.name}, left by {entry.test}")
                try:
                    fault.heal(ground, entry.state)
                except NomockError as error:
                    failed[fault.name] = str(error)
                else:
                    rest -= 1
                    count += 1
            if not rest:
                path.unlink()
    if failed:
        raise NotHealedError(failed)
    return count
