"""Survivors that are tried together: a test that passes with several on has noticed none of them.

That is group testing (Dorfman, The detection of defective members of large populations, 1943): most
of those that the likeliest tests did not notice nothing else notices, either, so that all tests run
once for a group and not once for each of it. Mutants of different functions seldom hide each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nomock.mutation.live.job import Task

_MOST = 64
"""How many are on at once: their names are in each request's baggage."""


def groups_of(tasks: Iterable[Task]) -> list[tuple[Task, ...]]:
    """Return the tasks in groups of mutants that can be on at once, the large ones first.

    Those for which services are restarted come last.
    """
    groups: list[list[Task]] = []
    for task in tasks:
        room = next((group for group in groups if _has_room(group, task)), None)
        if room is None:
            groups.append([task])
        else:
            room.append(task)
    return [tuple(g) for g in sorted(groups, key=lambda g: (g[0].number == 0, -len(g)))]


def in_turn(tasks: Iterable[Task]) -> list[str]:
    """Return the tests of some tasks: the likeliest of each come first."""
    places: dict[str, int] = {}
    for task in tasks:
        for place, test in enumerate((*task.tests, *task.others)):
            places[test] = min(place, places.get(test, place))
    return sorted(places, key=places.__getitem__)


def _has_room(group: Sequence[Task], task: Task) -> bool:
    is_alike = (group[0].number == 0) == (task.number == 0)
    return is_alike and len(group) < _MOST and not any(_meet(one, task) for one in group)


def _meet(one: Task, other: Task) -> bool:
    """Tell whether two mutants change the same function, or the same text of what is imported."""
    if one.change is None or other.change is None:
        return one.row == other.row
    return one.change.meets(other.change)
