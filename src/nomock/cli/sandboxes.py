"""``nomock sandbox``: how the sandboxes of a cluster are, what they logged, and their end."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta

from nomock.cli.sandbox import start_node
from nomock.cli.show import objects, print_json, print_table, progress
from nomock.config import Settings
from nomock.project import resolve
from nomock.stack import Stack
from nomock.stack.promoted import connected, sandbox_id
from nomock.target import names_of

_TAIL = 200


def up(settings: Settings, chosen: argparse.Namespace) -> int:
    """Have an empty sandbox, and the local node where no context is named; print where it is."""
    from nomock.sandbox.making import make_room

    project = resolve(settings)
    if settings.context is None:
        start_node(settings)
    connection = connected(settings)
    id_, lives = sandbox_id(settings, project), timedelta(hours=chosen.hours)
    with progress() as line:
        place, is_new = make_room(settings, project, connection, id_, lives, line.show)
    how = "is made" if is_new else "is there"
    print(f"sandbox {place.id} {how} in {connection.context}, namespace {place.namespace}")
    return 0


def status(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print each service of the sandbox; the exit code is 1 if one is not ready."""
    stack = Stack.of(settings)
    there = stack.containers()
    differences, names = stack.differences(there), names_of(there)
    body = []
    for name in stack:
        told = differences.get(name, "ready")
        found = [container for container in there if container.service == name]
        for container in found:
            image = container.image.rpartition("/")[2]
            body.append((names[container.id], container.health or container.state, image, told))
            told = ""  # it is of the service, and stands once
        if not found:
            body.append((name, "no pod", "", told))
    if chosen.json:
        pods = objects(("name", "state", "image", "told"), body)
        print_json({"sandbox": stack.name, "is_ready": not differences, "pods": pods})
    else:
        print_table(("service", "state", "image", stack.name), body)
    return 1 if differences else 0


def list_all(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print the sandboxes of the cluster."""
    from nomock.sandbox.sandboxes import Sandboxes

    now = datetime.now(UTC)
    body = []
    for sandbox in Sandboxes(connected(settings)).all():
        left = "" if sandbox.expires is None else str(sandbox.expires - now).partition(".")[0]
        state = "going" if sandbox.is_going else "expired" if sandbox.is_expired else "there"
        body.append((sandbox.id, sandbox.namespace, state, left))
    if chosen.json:
        print_json(objects(("id", "namespace", "state", "time_left"), body))
    else:
        print_table(("sandbox", "namespace", "state", "time left"), body)
    return 0


def logs(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print what a service of the sandbox logged last."""
    print(Stack.of(settings)[chosen.service].logs(tail=chosen.tail or _TAIL))
    return 0


def down(settings: Settings, chosen: argparse.Namespace) -> int:
    """Remove the sandbox with all that is in it."""
    from nomock.sandbox.sandboxes import Sandboxes

    sandboxes = Sandboxes(connected(settings))
    found = sandboxes.find(settings.sandbox or sandbox_id(settings, resolve(settings)))
    with progress() as line:
        sandboxes.remove(found, line.show)
    print(f"sandbox {found.id} is gone")
    return 0


def reap(settings: Settings, _: argparse.Namespace) -> int:
    """Remove the sandboxes whose time is over, as killed runs leave them."""
    from nomock.sandbox.sandboxes import Sandboxes

    sandboxes = Sandboxes(connected(settings))
    expired = [sandbox for sandbox in sandboxes.all() if sandbox.is_expired]
    with progress() as line:
        for sandbox in expired:
            sandboxes.remove(sandbox, line.show)
        left = sandboxes.remove_left(line.show)
    print(f"removed {len(expired)}: {', '.join(s.id for s in expired) or 'none'}")
    if left:
        print(f"of sandboxes that are gone: {', '.join(left)}")
    return 0
