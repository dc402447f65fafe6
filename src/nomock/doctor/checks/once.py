"""What only one stack can have: two checkouts, or the lanes of parallel tests, cannot be."""

from __future__ import annotations

from collections.abc import Iterator

from nomock.doctor.seen import Seen
from nomock.doctor.trouble import Trouble
from nomock.lanes.obstacles import obstacles


def look(seen: Seen) -> Iterator[Trouble]:
    """Yield each obstacle of lanes."""
    equipment = {*seen.project.services} - {*seen.wanted}
    for found in obstacles(seen.project, seen.settings.state_dir, equipment):
        where, apart, what = found.line.partition(": ")
        yield Trouble(
            where if apart else "compose files",
            what if apart else where,
            "no second checkout can run beside this one, and tests get no lanes of their own",
            found.cure,
            is_certain=False,
        )
