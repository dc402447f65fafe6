"""The stack with the spy on: its overlay, the folder of its records, and what it covers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from nomock.config import Settings
from nomock.coverage.harvest import (
    RUN_FILE,
    Inside,
    ServiceSource,
    check_canaries,
    sources_of,
    too_new,
)
from nomock.coverage.harvest.folder import RECORDS
from nomock.coverage.overlay import SPY_OVERLAY, asked_in, survey
from nomock.errors import ConfigError, CoverageError
from nomock.project import Project
from nomock.stack import Stack

# Read by the overlay: part of the spied services' configuration, so that they start anew with it.
RUN_VARIABLE = "NOMOCK_SPY_RUN"


def with_spy(settings: Settings, run: str | None = None) -> Settings:
    """Return the settings with the overlay that adds the spy; with a run's name, begin that run.

    The name goes into the environment, from where compose and xdist's workers have it. Raises
    ConfigError where there is no overlay.
    """
    overlay = SPY_OVERLAY.found(settings.root / settings.coverage_overlay)
    if run is not None:
        os.environ[RUN_VARIABLE] = run
    return replace(settings, files=(*settings.files, overlay))


def check_overlay(settings: Settings, stack: Stack) -> None:
    """Raise ConfigError where the overlay gives no service the spy."""
    path = settings.root / settings.coverage_overlay
    text = path.read_text(encoding="utf-8", errors="replace")
    is_foreign = SPY_OVERLAY.is_foreign(text)
    if not covered(stack):
        raise ConfigError(
            "the overlay gives no service the spy",
            where=str(path),
            seen=f"it is not nomock's: {SPY_OVERLAY.mark} is nowhere in it" if is_foreign else "",
            todo=SPY_OVERLAY.another_name() if is_foreign else "nomock overlay writes it anew",
        )


def unknown_to_overlay(settings: Settings, stack: Stack) -> list[str]:
    """Return a note for each service that can be covered and that the overlay knows nothing of.

    Asked of a stack that is ready: a service that came with its profile may have to be built first.
    None for a sandbox: images of services are looked into by an engine.
    """
    if stack.settings.target == "sandbox":
        return []
    path = settings.root / settings.coverage_overlay
    asked = asked_in(path.read_text(encoding="utf-8", errors="replace"))
    new = set() if asked is None else set(stack.project.services) - asked - set(covered(stack))
    return [
        f"note: {found.service} runs {found.python}, and came after the overlay was written: "
        "nomock overlay adds it"
        for found in survey(stack.project, stack.engine, sorted(new))
        if not found.reason
    ]


def data_dir(settings: Settings) -> Path:
    """Return the folder that the spies write to."""
    return settings.state_dir / "coverage"


def covered(stack: Stack) -> Mapping[str, ServiceSource]:
    """Return the services of a stack that have a spy, with their sources.

    Raises ConfigError where a folder that a setting names is not there.
    """
    return covered_in(stack.settings, stack.project)


def covered_in(settings: Settings, project: Project) -> Mapping[str, ServiceSource]:
    """Return the services of a project that have a spy, likewise."""
    root, named = settings.root, settings.coverage_sources
    for service, folders in named.items():
        project.service(service)
        for folder in folders:
            if not (root / folder).is_dir():
                raise ConfigError(
                    "this folder of source is not there",
                    where=str(root / folder),
                    todo=f"mend it: coverage_sources of {service}",
                )
    return sources_of(project, {name: [root / folder for folder in named[name]] for name in named})


def inside(stack: Stack) -> Inside:
    """Return what tells a harvest what is in the containers of a stack."""
    return Inside(stack.target, stack.containers, stack.upkeep.image_is_current)


def prove(
    settings: Settings,
    services: Mapping[str, ServiceSource],
    stack: Stack,
    told: str | None = None,
) -> list[str]:
    """Return when every container of the covered services has proved that its spy records.

    ``told``: the run that the services were started for; None: this one. What is returned are notes
    on what the report will lack. Raises CanaryError.
    """
    run = os.environ[RUN_VARIABLE]
    containers = stack.containers()
    found = check_canaries(data_dir(settings), services, run, stack.target, containers, told=told)
    return list(too_new(found, services))


def run_of(stack: Stack) -> str:
    """Return the name of the run that the running services were started for, "" without one.

    In a sandbox services outlive runs: the last one that copied their records is told. Raises
    CoverageError where none of them runs with the spy.
    """
    services = covered(stack)
    if stack.settings.target == "sandbox":
        folder = data_dir(stack.settings)
        pods = {container.id.split("/")[1] for container in stack.containers()}
        if any(f".{pod}." in file.name for file in folder.glob(RECORDS) for pod in pods):
            return (folder / RUN_FILE).read_text(encoding="utf-8").strip()
    for container in stack.containers():
        if container.service in services and container.state == "running":
            started = stack.target.container_config(container.id)
            if started is not None and started.environment.get("NOMOCK_SPY_OUT"):
                return started.environment.get(RUN_VARIABLE, "")
    raise CoverageError(
        "no service runs with the spy",
        where=f"stack {stack.name}",
        seen=f"those that can be covered: {', '.join(services) or 'none'}",
        todo="start it with the spy, and leave it so: pytest --nomock-sidecar-coverage",
    )
