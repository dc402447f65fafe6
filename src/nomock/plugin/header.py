"""The lines of pytest's header that say which stack a run finds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import time
from typing import Any

import pytest

from nomock.config import Settings
from nomock.errors import NomockError
from nomock.lanes.room import Room
from nomock.plugin.workers import Workers
from nomock.stack import Stack
from nomock.target import Container, names_of

# A table that is longer is read where it was written.
_MOST = 80


class Header:
    """Says on pytest's terminal which stack there is, as the settings ask for it."""

    def __init__(
        self,
        config: pytest.Config,
        settings: Settings,
        stack: Callable[[], Stack],
        workers: Workers,
    ) -> None:
        self._config = config
        self._settings = settings
        self._stack = stack
        self._workers = workers
        self._is_shown = False

    def pytest_report_collectionfinish(self) -> list[str]:
        """Say which stack there is, what each service runs, and which settings are not default."""
        option = self._config.option
        quiet = self._config.get_verbosity() < 0 or option.no_header or option.collectonly
        is_worker = hasattr(self._config, "workerinput")
        if quiet or is_worker or not self._settings.files:
            return []
        return header(self._settings, self._stack, self._workers.count)

    def show_once(self) -> None:
        """Say it in the controller of xdist, for which pytest collects nothing."""
        terminal: Any = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal is not None and not self._is_shown:
            self._is_shown = True
            terminal.ensure_newline()
            for line in self.pytest_report_collectionfinish():
                terminal.write_line(line)


def header(settings: Settings, stack_of: Callable[[], Stack], workers: int) -> list[str]:
    """Return the lines. Nothing is started; what cannot be looked at is said and is no error yet:
    perhaps no test of this run needs the stack."""
    changed = [f"{n}={_text(s.value)} ({s.source})" for n, s in settings.changed()]
    lines = [f"nomock: settings {', '.join(changed)}"] if changed else []
    try:
        stack = stack_of()
        found = stack.containers()
        differences = stack.differences(found)
        written = stack.upkeep.written_files()
        room = str(Room(stack)) if workers and settings.lanes != "shared" else ""
    except NomockError as error:
        return [
            f"nomock: no look at the stack: {line}" for line in str(error).splitlines()[:1]
        ] + lines
    lines.insert(0, f"nomock: stack {stack.name}: {_how(settings, differences, found)}")
    if host := stack.target.locator.elsewhere:
        lines.insert(1, f"nomock: engine {stack.target.address}, its ports on {host}")
    if room:
        lines.insert(1, f"nomock: {workers} lanes, a {settings.lanes} each: {room}")
    names = names_of(found)
    width = max((len(name) for name in (*stack, *names.values())), default=0)
    for name in stack:
        own = [container for container in found if container.service == name]
        first = own[0] if own else None
        service = stack.project.services[name]
        image = service.image if service.replicas else "scaled to 0"
        if first:
            image = f"{first.image}, {_age(first)}"
        if name in written:
            image += f", writes {', '.join(written[name])}"
        note = f"  <- {differences[name]}" if name in differences else ""
        shown = names[first.id] if first else name
        lines.append(f"nomock:   {shown:<{width}}  {image}{note}")
        lines += [f"nomock:   {names[c.id]:<{width}}  {c.image}, {_age(c)}" for c in own[1:]]
    return lines


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return " ".join(map(str, value))
    if isinstance(value, Mapping):
        whole = " ".join(f"{name}={part}" for name, part in value.items())
        return whole if len(whole) <= _MOST else f"{len(value)} entries"
    return str(value)


def _how(settings: Settings, differences: object, containers: object) -> str:
    if settings.stack == "fresh":
        return "owned, will be started from empty volumes"
    after = ", will be taken down at the end" if settings.stack == "own" else ""
    if not containers:
        return f"owned, will be started when a test needs it{after}"
    if differences:
        return f"attached, will be repaired when a test needs it{after}"
    return f"attached{after}"


def _age(container: Container) -> str:
    seconds = max(0, int(time()) - container.created_s)
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit} old"
    return f"{seconds} s old"
