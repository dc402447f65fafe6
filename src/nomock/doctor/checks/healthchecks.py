"""Health checks that cannot work, and those that let tests wait for nothing."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from nomock.doctor.seen import Seen
from nomock.doctor.trouble import Trouble
from nomock.project import ServiceConfig

_NOT_THERE = re.compile(r"not found|no such file|executable file not found", re.IGNORECASE)
_SLOW_S = 10.0
_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:([\d.]+)s)?")
# Words of a shell, which no image has to bring.
_SHELLS = {"test", "[", "exit", "cd", "echo", "true", "false", "exec", "!", "if", "export", "set"}


def look(seen: Seen) -> Iterator[Trouble]:
    """Yield each check whose program is not there, that fails, or that is asked too seldom."""
    for name in seen.wanted:
        service = seen.project.services[name]
        if not service.has_healthcheck:
            continue
        test = [str(word) for word in service.config["healthcheck"]["test"]]
        where = seen.place(service, "healthcheck")
        if said := _fails(seen, service, test):
            yield Trouble(
                where,
                f"the health check of {name} cannot work: {said}",
                "the service is never ready, so that no test begins",
                "ask by a program that the image has; or leave the check out and write "
                f'probes = {{{name} = "http:PORT/PATH"}} in [tool.nomock]',
            )
        elif _is_slow(service):
            interval = service.config["healthcheck"].get("interval", "30s")
            yield Trouble(
                where,
                f"the health check of {name} is asked for the first time after {interval}",
                "each start of the stack waits for that",
                "add start_period: 30s and start_interval: 500ms, or a shorter interval",
                is_certain=False,
            )


def _fails(seen: Seen, service: ServiceConfig, test: Sequence[str]) -> str:
    """Return what the check says where its program is not in the container, else nothing."""
    container = seen.running(service.name)
    if container is None:
        return ""
    last = seen.engine.last_check(container.id)
    if last is not None and last.exit_code and _NOT_THERE.search(last.output):
        return last.output.strip().splitlines()[-1]
    program = _program(test)
    if last is not None or not program:
        return ""
    ended = seen.engine.run_inside(container.id, ["sh", "-c", f"command -v {shlex.quote(program)}"])
    return f"{program} is not in the container" if ended.exit_code == 1 else ""


def _program(test: Sequence[str]) -> str:
    """Return the program that a check starts, empty where that is a word of the shell."""
    kind, *words = test
    first = words[0] if words else ""
    if kind == "CMD-SHELL":
        first = (first.split() or [""])[0]
    return "" if first in _SHELLS or not re.fullmatch(r"[\w./+-]+", first) else first


def _is_slow(service: ServiceConfig) -> bool:
    check = service.config["healthcheck"]
    if check.get("start_interval") and check.get("start_period"):
        return False
    found = _DURATION.fullmatch(str(check.get("interval", "30s")))
    if found is None:
        return False
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds >= _SLOW_S
