"""Render a project: the objects of its sandbox, in waves, and the report of what has none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nomock.project import Project
from nomock.sandbox.render.images import Image, ImageOf
from nomock.sandbox.render.keys import lines_of
from nomock.sandbox.render.kind import Object
from nomock.sandbox.render.kinds import KINDS
from nomock.sandbox.render.place import Place
from nomock.sandbox.render.plan import Plan, plan
from nomock.sandbox.render.report import Report


@dataclass(frozen=True)
class Rendered:
    """The objects of a sandbox."""

    plan: Plan
    of_sandbox: Sequence[Object]
    """Those that belong to no service, the namespace first: wave 0."""
    of_services: Mapping[str, Sequence[Object]]
    """Those of each service, in the order of their waves."""
    report: Report

    @property
    def objects(self) -> Iterator[Object]:
        """All objects, in the order in which they are applied."""
        yield from self.of_sandbox
        for objects in self.of_services.values():
            yield from objects

    @property
    def waves(self) -> list[list[str]]:
        """The services of each wave, by name."""
        found: dict[int, list[str]] = {}
        for name in self.of_services:
            found.setdefault(self.plan.services[name].wave, []).append(name)
        return [found[wave] for wave in sorted(found)]


def render(
    project: Project,
    place: Place,
    *,
    state_dir: Path,
    image_of: ImageOf | None = None,
    variables: Mapping[str, str] | None = None,
) -> Rendered:
    """Render a resolved project for one sandbox; no cluster, engine or registry is asked.

    Services that are scaled to 0 are left out.

    ``image_of`` says which image of which registry a service has; without it they have the names
    of the compose file. ``variables``: those that configs and secrets of the file are taken from.
    Raises NotPromotableError for what cannot stand in a sandbox.
    """
    names = image_of or (lambda service: Image(project.services[service].image))
    made = plan(project, place, names, state_dir, variables or {})
    in_order = sorted(made.services.values(), key=lambda service: (service.wave, service.label))
    return Rendered(
        made,
        [found for kind in KINDS for found in kind.of_sandbox(made)],
        {s.name: [found for kind in KINDS for found in kind.of_service(s)] for s in in_order},
        Report(tuple(lines_of(made))),
    )
