"""What a sandbox has outside its namespace: the rights of its services in the whole cluster."""

from __future__ import annotations

from collections.abc import Container

from nomock.adapters.kubernetes import GLOBAL, Objects
from nomock.errors import ClusterForbiddenError
from nomock.sandbox.render.naming import SANDBOX


def delete_global(objects: Objects, id: str, but: Container[tuple[str, str]] = ()) -> list[str]:
    """Delete what a sandbox has in no namespace, but some of it, by kind and name; return what.

    A user that may not look for such objects has made none.
    """
    gone = []
    for kind in GLOBAL:
        if kind == "Namespace":  # the sandbox itself
            continue
        try:
            there = objects.list(kind, f"{SANDBOX}={id}")
        except ClusterForbiddenError:
            continue
        for name in (found["metadata"]["name"] for found in there):
            if (kind, name) not in but:
                objects.delete(kind, name)
                gone.append(f"{kind} {name}")
    return gone
