"""Why did the last run fail: its failures, the services, and what changed since it was green."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from nomock.adapters.git import changed_files, changes_since
from nomock.config import Settings
from nomock.diagnosis import causes_of_run
from nomock.errors import NomockError
from nomock.evidence.causes import Cause
from nomock.evidence.folder import FILE, EvidenceFolder
from nomock.evidence.showing import shown_line
from nomock.project import Store
from nomock.stack import Stack, left_warm
from nomock.target import Container, Target, names_of

_LOG_LINES = 5
_MOST_OTHERS = 3


@dataclass(frozen=True)
class Failure:
    """A test that failed in the last run, and why, the likeliest cause first."""

    test: str
    phase: str
    message: str
    causes: Sequence[Cause] = ()
    evidence: str = ""
    """Its evidence.json; "" where it left none."""

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "test": self.test,
            "phase": self.phase,
            "message": self.message,
            "causes": [cause.as_json() for cause in self.causes],
            "evidence": self.evidence,
        }


def story(settings: Settings) -> Iterator[str]:
    """Yield the lines of the story; a part that cannot be told says why and the others go on."""
    yield from _failures(settings)
    yield ""
    try:
        yield from _services(_stack_of_run(settings))
    except NomockError as error:
        yield str(error)
    yield ""
    yield from _changes(settings)


def as_json(settings: Settings) -> dict[str, Any]:
    """Return the story for programs and agents."""
    run = Store(settings.state_dir, "last-run").read()
    failed, not_read = failures(settings, run)
    services: dict[str, str] = {}
    try:
        stack = _stack_of_run(settings)
        told = _told(stack, stack.containers())
        services = {name: told.get(name, "ready") for name in stack}
    except NomockError as error:
        not_read = [*not_read, str(error)]
    green = Store(settings.state_dir, "last-green").read()
    commit = str(green.get("commit", ""))
    return {
        "version": 1,
        "run": {name: run.get(name) for name in ("command", "ended_s", "exit_status", "evidence")},
        "failures": [failure.as_json() for failure in failed],
        "services": services,
        "last_green_s": green.get("ended_s"),
        "changed": [str(path) for path in changed_files(settings.root, commit)] if commit else [],
        "missing": not_read,
    }


def _stack_of_run(settings: Settings) -> Stack:
    """Return the stack that the last run used, on compose or in a sandbox."""
    run = Store(settings.state_dir, "last-run").read()
    used = {name: run[name] for name in ("target", "sandbox", "context") if name in run}
    return Stack.of(replace(settings, **used))


def failures(settings: Settings, run: Mapping[str, Any]) -> tuple[list[Failure], list[str]]:
    """Return what failed in the last run, each with its causes, and what could not be read."""
    folder = EvidenceFolder(settings.state_dir)
    records, not_read = folder.read(run["evidence"]) if run.get("evidence") else ([], [])
    causes = causes_of_run(settings, records, with_changes=True)
    found = {
        record["test"]["id"]: (own, folder.of_test(run["evidence"], record["test"]["id"]) / FILE)
        for record, own in zip(records, causes, strict=True)
    }
    failed = []
    for failure in run.get("failed", ()):
        own, path = found.get(failure["test"], ([], ""))
        failed.append(Failure(failure["test"], failure["when"], failure["message"], own, str(path)))
    return failed, not_read


def _failures(settings: Settings) -> Iterator[str]:
    run = Store(settings.state_dir, "last-run").read()
    if not run:
        yield "no run of this stack is on record"
        return
    outcome = "was green" if run["exit_status"] == 0 else f"ended with {run['exit_status']}"
    yield f"last run: {run['command']}, {_when(run['ended_s'])}, {outcome}"
    failed, not_read = failures(settings, run)
    told: set[str] = set()
    for failure in failed:
        yield f"  {failure.test} ({failure.phase})"
        if failure.causes and failure.test not in told:
            yield from (f"    {line}" for line in _causes(failure))
            yield f"    evidence: {os.path.relpath(failure.evidence)}"
            told.add(failure.test)
            continue
        lines = failure.message.splitlines()
        yield from (f"    {line}" for line in (lines if failure.phase == "start" else lines[:3]))
    yield from not_read


def _causes(failure: Failure) -> Iterator[str]:
    first, *others = failure.causes
    yield first.text
    yield from (f"  {line}" for line in first.proof if line != first.text)
    yield from (f"or: {cause.text}" for cause in others[:_MOST_OTHERS])


def _services(stack: Stack) -> Iterator[str]:
    containers = stack.containers()
    told = _told(stack, containers)
    names = names_of(containers)
    yield f"stack {stack.name}:"
    for name in stack:
        yield f"  {name}: {told.get(name, 'ready, as it should be')}"
        for container in containers:
            if container.service == name:
                if names[container.id] != name:
                    yield f"    {names[container.id]}:"
                yield from (f"    {line}" for line in _course(stack.target, container.id))
                log = stack.target.log_text(container.id, tail=_LOG_LINES)
                yield from (f"    {shown_line(line, name)}" for line in log.splitlines())


def _told(stack: Stack, containers: Sequence[Container]) -> dict[str, str]:
    """Return what to say of the services that are not as they should be, or warm of another run."""
    differences = stack.differences(containers)
    warm = left_warm(stack, differences, containers)
    return differences | {name: f"ready, {run}" for name, run in warm.items()}


def _course(target: Target, container_id: str) -> Iterator[str]:
    """Yield how a container ended, and what its healthcheck says of one that is not healthy."""
    course = target.course(container_id)
    if course is None:
        return
    if course.state in {"exited", "dead", "restarting"} and course.finished_s is not None:
        why = " (killed for memory)" if course.out_of_memory else ""
        yield f"exited with code {course.exit_code}, {_when(course.finished_s)}{why}"
    if last := course.complaint:
        yield f"its healthcheck failed with {last.exit_code}, {_when(last.ended_s)}:"
        yield from (f"  {line}" for line in last.output.splitlines()[-_LOG_LINES:])


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
