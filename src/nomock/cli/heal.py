"""``nomock heal``: undo the faults that killed runs left, or give them up."""

from __future__ import annotations

import sys

from nomock.config import Settings
from nomock.faults.janitor import heal_orphaned
from nomock.faults.left import other_stacks
from nomock.lanes.kinds import left_lanes
from nomock.stack import Stack
from nomock.stack.promoted import sandbox_called


def heal(settings: Settings, *, set_aside: bool) -> int:
    """Heal what can be healed, and say what; with ``set_aside`` give up the rest."""
    stack = Stack.of(settings)
    lanes = [lane.stack for lane in left_lanes(stack)] if settings.target == "compose" else []
    known = {lane.name for lane in lanes}
    for other in sorted(set(other_stacks(settings.state_dir, stack.name)) - known):
        print(f"faults of stack {other} are not looked at: {_command(other, stack)}")
    if set_aside:
        return max(_set_aside(one) for one in (stack, *lanes))
    count = sum(heal_orphaned(one, print, starts=True) for one in (stack, *lanes))
    print(f"healed {count} faults" if count != 1 else "healed 1 fault")
    return 0


def _command(name: str, stack: Stack) -> str:
    """Return what heals another stack of these compose files."""
    if id := sandbox_called(name):
        return f"nomock sandbox heal --id {id}"
    return "nomock heal" if name == stack.project.name else f"nomock --project {name} heal"


def _set_aside(stack: Stack) -> int:
    from nomock.faults.aside import set_aside

    lost = set_aside(stack, print)
    for one in lost:
        print(f"given up: {one.name}" + (f", left by {one.test}" if one.test else ""))
        print("\n".join(f"  {line}" for line in one.why.splitlines()))
        print(f"  -> {one.by_hand}")
    for journal in sorted({one.journal for one in lost}):
        print(f"its journal is kept: {journal}")
    if not lost:
        print("nothing is left that cannot be healed", file=sys.stderr)
    return 0
