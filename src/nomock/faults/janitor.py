"""Heals what a killed run left: faults whose journal outlived its process."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import closing
from graphlib import TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

from nomock.errors import NomockError, NotHealedError, NotReadyError
from nomock.faults.journal import Entry, folder_of, left_behind
from nomock.stack import Stack

if TYPE_CHECKING:
    from nomock.faults.ground import Ground


def heal_left(stack: Stack, say: Callable[[str], None], *, starts: bool = False) -> int:
    """Heal all faults on a stack whose process has ended; return how many they were.

    A service that was stopped is left to ``Stack.prepare``, which comes next: it may need others
    that do not run either. Where nothing comes next ``starts`` says so: services are started here,
    and are ready when this returns.

    Goes on past what cannot be healed; raises NotHealedError at the end. Its journal stays.
    """
    state_dir = stack.settings.state_dir
    if not any(folder_of(state_dir, stack.name).glob("*.ndjson")):
        return 0  # as nearly always: the kinds of faults need not be imported
    from nomock.faults.ground import Ground

    count, ground = 0, Ground(stack)
    failed: dict[str, str] = {}
    paths: list[Path] = []
    kept: list[Path] = []
    ground.stopped = set()
    with closing(ground), left_behind(state_dir, stack.name) as journals:
        for path, entries in journals:
            not_healed = _heal(ground, entries, say)
            failed |= not_healed
            count += len(entries) - len(not_healed)
            (kept if not_healed else paths).append(path)
        not_started = _start(ground, all_=starts)
        if not_started:
            kept += paths
        else:
            for path in paths:
                path.unlink()
    if failed or not_started:
        raise NotHealedError(
            failed | not_started,
            where=f"faults that killed runs left on stack {stack.name}",
            todo="mend that, then: nomock heal; or start anew, nothing of them being left then: "
            f"nomock down, rm {' '.join(map(str, kept))}, nomock up",
        )
    return count


def _heal(ground: Ground, entries: list[Entry], say: Callable[[str], None]) -> dict[str, str]:
    """Heal the faults of one journal; return the names of those that are left, and why."""
    from nomock.faults.faults import kinds

    failed = {}
    for entry in entries:
        say(f"healing {entry.name}, left by {entry.test}")
        try:
            kinds()[entry.kind](**entry.arguments).heal(ground, entry.state)
        except Exception as error:  # whatever it is, the others are healed, too
            failed[entry.name] = str(error) or repr(error)
    return failed


def _start(ground: Ground, *, all_: bool) -> dict[str, str]:
    """Start what healing found stopped, or only what nobody else would; return what failed."""
    from nomock.faults.service.common import run_again

    stopped, ground.stopped = ground.stopped or set(), None
    if stopped and not all_:
        # One that ended with 0, and serves nobody, is taken for one that has done its work.
        stopped -= ground.stack.differences().keys()
    failed = {}
    for service in _in_order(ground, stopped):
        try:
            run_again(ground, service)
        except NomockError as error:
            # Whether it gets ready is for those to say who start what it needs.
            if all_ or not isinstance(error, NotReadyError):
                failed[f"start of {service}"] = str(error)
    return failed


def _in_order(ground: Ground, services: Collection[str]) -> list[str]:
    """Return services of the stack with what each depends on before it."""
    all_ = ground.project.services
    needs = {name: all_[name].config.get("depends_on") or () for name in all_}
    return [name for name in TopologicalSorter(needs).static_order() if name in services]
