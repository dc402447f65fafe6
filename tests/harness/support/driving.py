"""A fault driven by its interface: as its block does, and from another process, as the janitor."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tiny import Service, Tiny

from nomock.faults.fault import Fault, State
from nomock.faults.stack_control import StackControl
from nomock.stack import Stack

PROGRAM = """
import json, sys
from importlib import import_module
from pathlib import Path
from nomock.loading import load
from nomock.faults.stack_control import StackControl
from nomock.stack import Stack

module, kind, root, arguments, state, what = sys.argv[1:]
fault = getattr(import_module(module), kind)(**json.loads(arguments))
getattr(fault, what)(StackControl(Stack.of(load(Path(root)))), json.loads(state))
print("done", flush=True)
sys.stdin.read()
"""


@contextmanager
def ready(tiny: Tiny, **services: Service) -> Iterator[tuple[Stack, StackControl]]:
    """A stack of these services, or of those written already, and the ground of its faults."""
    if services:
        tiny.compose(**services)
    stack = tiny.stack()
    control = StackControl(stack)
    try:
        stack.prepare()
        yield stack, control
    finally:
        control.close()
        stack.close()


@contextmanager
def on(control: StackControl, fault: Fault) -> Iterator[list[str]]:
    """A fault for a block; what it saw is in the list afterwards."""
    seen: list[str] = []
    fault.validate(control)
    written = json.dumps(fault.prepare(control))
    state = json.loads(written)
    try:
        begun = fault.begin(control, state)
        yield seen
        seen.append(fault.observe_effect(control, state, begun))
    finally:
        fault.heal(control, json.loads(written))


def run_elsewhere(root: Path, fault: Fault, state: State, what: str) -> subprocess.Popen[str]:
    """Let a process that knows only the journal `begin` or `heal` a fault.

    It says "done" then, and goes on until its input ends.
    """
    kind = type(fault)
    named = [kind.__module__, kind.__name__, str(root), json.dumps(fault.arguments)]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *named, json.dumps(state), what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def heal_elsewhere(root: Path, fault: Fault, state: State) -> None:
    """Heal a fault in a process that knows of it only what the journal says."""
    with run_elsewhere(root, fault, state, "heal") as healer:
        said, complaint = healer.communicate()
    assert (healer.returncode, said) == (0, "done\n"), complaint
