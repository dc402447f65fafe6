"""Why did the last run fail: its failures, the services, and what changed since it was green."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from nomock.adapters.engine import Engine, names_of
from nomock.adapters.git import changes_since
from nomock.config import Settings
from nomock.errors import NomockError
from nomock.project import Store
from nomock.stack import Stack

_LOG_LINES = 5


def story(settings: Settings) -> Iterator[str]:
    """Yield the lines of the story; a part that cannot be told says why and the others go on."""
    yield from _failures(settings)
    yield ""
    try:
        yield from _services(Stack.of(settings))
    except NomockError as error:
        yield str(error)
    yield ""
    yield from _changes(settings)


def _failures(settings: Settings) -> Iterator[str]:
    run = Store(settings.state_dir, "last-run").read()
    if not run:
        yield "no run of this stack is on record"
        return
    outcome = "was green" if run["exit_status"] == 0 else f"ended with {run['exit_status']}"
    yield f"last run: {run['command']}, {_when(run['ended_s'])}, {outcome}"
    for failure in run["failed"]:
        yield f"  {failure['test']} ({failure['when']})"
        lines = failure["message"].splitlines()
        yield from (f"    {line}" for line in (lines if failure["when"] == "start" else lines[:3]))


def _services(stack: Stack) -> Iterator[str]:
    containers = stack.containers()
    differences = stack.differences(containers)
    names = names_of(containers)
    yield f"stack {stack.name}:"
    for name in stack:
        yield f"  {name}: {differences.get(name, 'ready, as it should be')}"
        for container in containers:
            if container.service == name:
                if names[container.id] != name:
                    yield f"    {names[container.id]}:"
                yield from (f"    {line}" for line in _course(stack.engine, container.id))
                log = stack.engine.log_text(container.id, tail=_LOG_LINES)
                yield from (f"    {line}" for line in log.splitlines())


def _course(engine: Engine, container_id: str) -> Iterator[str]:
    """Yield how a container ended, and what its healthcheck says of one that is not healthy."""
    course = engine.course(container_id)
    if course is None:
        return
    if course.state in {"exited", "dead", "restarting"} and course.finished_s is not None:
        why = " (killed for memory)" if course.out_of_memory else ""
        yield f"exited with code {course.exit_code}, {_when(course.finished_s)}{why}"
    failed = [probe for probe in course.probes if probe.exit_code != 0]
    if course.health == "unhealthy" and failed:
        yield f"its healthcheck failed with {failed[-1].exit_code}, {_when(failed[-1].ended_s)}:"
        yield from (f"  {line}" for line in failed[-1].output.splitlines()[-_LOG_LINES:])


def _changes(settings: Settings) -> Iterator[str]:
    green = Store(settings.state_dir, "last-green").read()
    if not green:
        yield "no green run is on record"
    elif not green["commit"]:
        yield f"last green run: {_when(green['ended_s'])}; without git what changed is not known"
    else:
        changes = changes_since(settings.root, green["commit"]) or "  nothing that git tracks"
        yield f"changed since the last green run ({_when(green['ended_s'])}):"
        yield changes


def _when(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds).astimezone():%Y-%m-%d %H:%M:%S}"
