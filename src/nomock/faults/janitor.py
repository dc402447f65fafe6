"""Heals what a killed run left: faults whose journal outlived its process."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass
from graphlib import TopologicalSorter
from pathlib import Path

from nomock.errors import FaultError, NomockError, NotHealedError, NotReadyError
from nomock.faults.fault import Fault
from nomock.faults.left import Entry, any_left, orphaned_journals
from nomock.faults.stack_control import StackControl
from nomock.project import Project
from nomock.stack import Stack


@dataclass(frozen=True)
class NotHealed:
    """A fault that could not be undone; its journal stays."""

    journal: Path
    entry: Entry
    why: str


def heal_orphaned(stack: Stack, say: Callable[[str], None], *, starts: bool = False) -> int:
    """Heal all faults on a stack whose process has ended; return how many they were.

    A service that was stopped is left to ``Stack.prepare``, which comes next: it may need others
    that do not run either. Where nothing comes next ``starts`` says so: services are started here,
    and are ready when this returns.

    Goes on past what cannot be healed; raises NotHealedError at the end. Its journal stays.
    """
    count, failed = try_to_heal(stack, say, starts=starts)
    if failed:
        raise NotHealedError(
            {one.entry.name: one.why for one in failed},
            where=f"faults that killed runs left on stack {stack.name}",
            todo="mend that, then: nomock heal; or give it up, and be told what may be broken "
            "still: nomock heal --set-aside",
        )
    return count


def try_to_heal(
    stack: Stack, say: Callable[[str], None], *, starts: bool
) -> tuple[int, list[NotHealed]]:
    """Heal the faults that ended processes left; return how many, and what was not healed.

    Raises NomockError where the engine does not answer, or the stack is another checkout's: its
    process may live, and hold the journal of which there is a copy here.
    """
    if not any_left(stack.settings.state_dir, stack.name):
        return 0, []  # as nearly always: the kinds of faults need not be imported
    from nomock.faults.stack_control import StackControl

    count, failed, healed, stopped = 0, list[NotHealed](), list[Path](), set[str]()
    control = StackControl(stack, say=say, leave_stopped=stopped.add)
    left = orphaned_journals(stack.settings.state_dir, stack.name)
    with closing(control), left as journals:
        for path, entries in journals:
            stack.containers()
            not_healed = [
                NotHealed(path, entry, why)
                for entry in entries
                if (why := _heal(control, entry, say)) is not None
            ]
            count += len(entries) - len(not_healed)
            failed += not_healed
            if not not_healed:
                healed.append(path)
        not_started = _start(stack, stopped, all_=starts)
        for path in healed:
            failed += [NotHealed(path, Entry("", name), why) for name, why in not_started.items()]
            if not not_started and (why := _remove(path)):
                failed.append(NotHealed(path, Entry("", path.name), why))
    return count, failed


def fault_of(entry: Entry) -> Fault:
    """Return the fault that an entry tells of; raise FaultError where there is none."""
    from nomock.faults.faults import kinds

    try:
        fault: Fault = kinds()[entry.kind](**entry.arguments)
    except (KeyError, TypeError) as error:
        raise FaultError(
            "this version of nomock knows no such fault",
            where=f"fault {entry.name}",
            seen=f"kind {entry.kind!r} with {entry.arguments}",
            todo="let the version heal it that put it on",
        ) from error
    return fault


def _heal(control: StackControl, entry: Entry, say: Callable[[str], None]) -> str | None:
    """Heal one fault; return None, or why it is left."""
    say(f"healing {entry.name}" + (f", left by {entry.test}" if entry.test else ""))
    if entry.unreadable:
        return entry.unreadable
    if entry.engine not in {"", control.engine_id}:
        return (
            f"it was put on at engine {entry.engine}, and this is {control.engine_id}: "
            "heal it there, with the DOCKER_HOST, docker context or --context of that time"
        )
    try:
        fault_of(entry).heal(control, entry.state)
    except Exception as error:  # whatever it is, the others are healed, too
        return str(error) or repr(error)
    return None


def _remove(path: Path) -> str:
    """Remove a journal of which all is healed; return why that failed."""
    try:
        path.unlink()
    except OSError as error:
        return f"all of it is healed, but it cannot be removed: {error}"
    return ""


def _start(stack: Stack, stopped: set[str], *, all_: bool) -> dict[str, str]:
    """Start what healing found stopped, or only what nobody else would; return what failed."""
    from nomock.faults.service_fault import ensure_running
    from nomock.faults.stack_control import StackControl

    if stopped and not all_:
        # One that ended with 0, and serves nobody, is taken for one that has done its work.
        stopped -= stack.differences().keys()
    control, failed = StackControl(stack), {}
    for service in _in_order(stack.project, stopped):
        try:
            ensure_running(control, service)
        except NomockError as error:
            # Whether it gets ready is for those to say who start what it needs.
            if all_ or not isinstance(error, NotReadyError):
                failed[f"start of {service}"] = str(error)
    return failed


def _in_order(project: Project, services: Collection[str]) -> list[str]:
    """Return services of the stack with what each depends on before it."""
    all_ = project.services
    needs = {name: all_[name].config.get("depends_on") or () for name in all_}
    return [name for name in TopologicalSorter(needs).static_order() if name in services]
