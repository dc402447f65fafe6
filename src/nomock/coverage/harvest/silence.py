"""Why no process of a container wrote a file of records, as far as the engine can tell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nomock.coverage.harvest.unspied import HAND_ON, unspied
from nomock.coverage.python_startup import obstacle_in
from nomock.target import Container, ContainerConfig, Mount, Target

_LOG_LINES = 1000
_SAID = "nomock-spy: "

Cause = tuple[str, str]
"""What was seen, and what to do."""


def why_no_file(target: Target, container: Container, run: str) -> Cause:
    """Return the cause: the most exact one that the container's configuration or log shows."""
    started = target.container_config(container.id)
    if started is None:
        return "it is gone", "start the run again"
    said = [
        line.partition(_SAID)[2]
        for line in target.log_text(container.id, tail=_LOG_LINES).splitlines()
        if line.startswith(_SAID)
    ]
    for cause in _configured(started, container.service, run):
        return cause
    if said and "cannot write" in said[-1]:
        return f"its spy says: {said[-1]}", "let its user write there; see whether the disk is full"
    if said:
        return f"its spy says: {said[-1]}", f"nomock logs {container.service} has all of it"
    if reason := obstacle_in(started.command):
        return reason, "change that, by command: or entrypoint: in the overlay"
    found, _ = unspied(target, container)
    if found:
        return str(found[0]), HAND_ON
    return (
        "no process of it started a spy: it runs no Python; or its entry point cleans the "
        "environment, or starts Python with -I, -E or -S",
        f"docker exec {container.id[:12]} env shows what arrives; where no Python runs, take the "
        "service out of the overlay",
    )


def _configured(started: ContainerConfig, service: str, run: str) -> Iterator[Cause]:
    """Yield what the overlay should have given the container, and it has not."""
    out = started.environment.get("NOMOCK_SPY_OUT", "")
    if not out:
        yield (
            "it was started without the coverage overlay: it has no NOMOCK_SPY_OUT",
            "let nomock start it: docker rm -f it, and run again",
        )
        return
    name = started.environment.get("NOMOCK_SPY_SERVICE", "")
    if name != service:
        yield (
            f"the overlay gives it {f'the name {name}' if name else 'no name'}",
            f"write there: NOMOCK_SPY_SERVICE: {service}",
        )
    if started.environment.get("NOMOCK_SPY_RUN", "") != run:
        yield (
            "the overlay does not hand on the run's name: NOMOCK_SPY_RUN",
            "add to its environment in the overlay: NOMOCK_SPY_RUN: ${NOMOCK_SPY_RUN:-}",
        )
    folders = [folder for folder in started.environment.get("PYTHONPATH", "").split(":") if folder]
    if not any(_mount(started.mounts, folder) for folder in folders):
        yield (
            f"no folder of its PYTHONPATH ({':'.join(folders) or 'it has none'}) is mounted",
            "mount coverage-spy there in the overlay",
        )
    mount = _mount(started.mounts, out)
    if mount is None:
        yield (f"nothing is mounted at {out}", f"mount .nomock/coverage there: {out}")
    elif not mount.is_writable:
        yield (f"{out} is mounted read-only", "take read_only from that mount in the overlay")


def _mount(mounts: Mapping[str, Mount], path: str) -> Mount | None:
    """Return the mount that a path is in; the longest, as for the container."""
    within = [m for m in mounts if path.rstrip("/") == m or path.startswith(m.rstrip("/") + "/")]
    return mounts[max(within, key=len)] if within else None
