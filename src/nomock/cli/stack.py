"""The commands about the stack itself: up, down, status, and those of compose on it."""

from __future__ import annotations

import argparse
import os
import signal
import sys

from nomock.cli.show import objects, print_json, print_table, progress
from nomock.config import Settings
from nomock.errors import NotHealedError
from nomock.faults.janitor import heal_orphaned
from nomock.lanes.kinds import left_lanes
from nomock.project import resolve
from nomock.stack import Stack, left_warm
from nomock.target import names_of


def up(settings: Settings, _: argparse.Namespace) -> int:
    """Start what is not there, rebuild what changed, and wait until every service is ready."""
    stack = Stack.of(settings)
    with progress() as line:
        try:
            # Before anybody waits for a service that a killed run left paused.
            heal_orphaned(stack, line.show)
        except NotHealedError as error:  # whether the stack is ready is for its probes to say
            line.say(str(error))
        stack.prepare(
            line.show,
            waiting=line.show_waiting,
            warn=line.show_lasting,
            who="nomock up",
            look_at_bases=True,
        )
    stack.close()
    print(f"stack {stack.name}: {len(stack.project.wanted)} services ready")
    return 0


def down(settings: Settings, chosen: argparse.Namespace) -> int:
    """Stop the stack and remove its containers."""
    stack = Stack.of(settings)
    with progress() as line:
        for lane in left_lanes(stack):
            lane.remove(progress=line.show, waiting=line.show_waiting)
        stack.down(volumes=chosen.volumes, progress=line.show, waiting=line.show_waiting)
    stack.close()
    print(f"stack {stack.name} is down" + (", its volumes removed" if chosen.volumes else ""))
    return 0


def status(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print each service's state; the exit code is 1 if one is not ready as it should be."""
    stack = Stack.of(settings)
    there = stack.containers()
    differences = stack.upkeep.new_bases() | stack.differences(there)
    warm = left_warm(stack, differences, there)
    names, body = names_of(there), []
    lanes = [(lane.name, _running(lane.stack)) for lane in left_lanes(stack)]
    for name in stack:
        told = warm.get(name) or differences.get(name, "as it should be")
        found = [c for c in there if c.service == name]
        for container in found:
            # A container that has ended has the health that it had before.
            state = (container.state == "running" and container.health) or container.state
            ports = ", ".join(container.shown_ports())
            body.append((names[container.id], state, ports, told))
            told = ""  # it is of the service, and stands once
        if not found:
            none = "no container" if stack.project.service(name).replicas else "scaled to 0"
            body.append((name, none, "", told))
    is_ready = not differences.keys() - warm.keys()
    if chosen.json:
        print_json(
            {
                "stack": stack.name,
                "is_ready": is_ready,
                "containers": objects(("name", "state", "ports", "told"), body),
                "lanes": [{"name": name, "running": running} for name, running in lanes],
            }
        )
    else:
        print_table(("service", "state", "ports", stack.name), body)
        for name, running in lanes:
            print(f"lane {name}: {running} running; nomock down takes it down, too")
    return 0 if is_ready else 1


def _running(stack: Stack) -> int:
    return sum(container.state == "running" for container in stack.containers())


def compose(settings: Settings, chosen: argparse.Namespace) -> int:
    """Hand a command over to docker compose, with this project's files and name."""
    from nomock.adapters.compose import Compose

    project = resolve(settings)
    command = Compose(project.call).command(chosen.command, *chosen.rest)
    sys.stdout.flush()
    if hasattr(signal, "SIGPIPE"):  # Python ignores it, and what it becomes would do so, too
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.chdir(project.call.folder)
    os.execvpe(command[0], command, project.call.environ())
