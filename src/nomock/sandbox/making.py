"""A sandbox that is empty: its namespace, and what all of it may take, before anything is built."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from nomock.adapters.kubernetes import Connection, Objects
from nomock.config import Settings
from nomock.project import Project
from nomock.sandbox.promotion import variables_of
from nomock.sandbox.render import Place, place_of, render
from nomock.sandbox.render.naming import SANDBOX
from nomock.sandbox.ways import Direct

_ROOM = {"Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy"}


def make_room(
    settings: Settings,
    project: Project,
    connection: Connection,
    id: str,
    lives: timedelta,
    show: Callable[[str], None],
) -> tuple[Place, bool]:
    """Have a sandbox; return where it is, and whether it was made: one that is there stays so.

    Raises PromotionError where the namespace is somebody else's, ClusterError else.
    """
    place = place_of(id, datetime.now(UTC) + lives)
    found = Objects(connection, place.namespace).get("Namespace", place.namespace) or {}
    labels = found.get("metadata", {}).get("labels") or {}
    if labels.get(SANDBOX) == id and found["status"].get("phase") != "Terminating":
        return place, False
    rendered = render(project, place, state_dir=settings.state_dir, variables=variables_of(project))
    way = Direct(connection, place.namespace, id, show)
    room = [one.to_dict() for one in rendered.of_sandbox if one.kind in _ROOM]
    way.require(room[0])
    for manifest in room:
        way.objects.apply(manifest)  # by whom it is brought up is said by its first promotion
    return place, True
