"""All kinds of lanes, and the lanes that there are."""

from __future__ import annotations

from collections.abc import Mapping

from nomock.lanes.database import DatabaseLane
from nomock.lanes.lane import Lane
from nomock.lanes.replica import left, left_names
from nomock.lanes.shared import SharedLane
from nomock.lanes.stack import StackLane
from nomock.stack import Stack

KINDS: Mapping[str, type[Lane]] = {
    kind.kind: kind for kind in (SharedLane, StackLane, DatabaseLane)
}


def left_lanes(main: Stack) -> list[Lane]:
    """Return the lanes of a stack that earlier runs, or this one, have made and nobody removed."""
    found = []
    for name in left_names(main):
        suffix = name.removeprefix(f"{main.name}-")
        for kind in KINDS.values():
            number = suffix.removeprefix(kind.suffix)
            if kind.suffix and number != suffix and number.isdecimal():
                lane, stack = kind(main, int(number)), left(main, name)
                if stack is not None:
                    lane.stack = stack
                    found.append(lane)
    return found
