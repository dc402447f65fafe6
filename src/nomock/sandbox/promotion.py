"""Promotion: build, push, apply, wait, and see that what answers is what was promoted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from nomock.adapters.compose_config import variables
from nomock.adapters.engine import Engine
from nomock.adapters.kubernetes import Connection, Pods
from nomock.config import Settings
from nomock.coverage.session import covered_in
from nomock.errors import EngineError, UntranslatedError
from nomock.project import Project
from nomock.sandbox.endpoint import check_live
from nomock.sandbox.equipment import equipment
from nomock.sandbox.phases import BUDGETS_S, Phases
from nomock.sandbox.pushing import Pushing
from nomock.sandbox.registry import seen_in_cluster
from nomock.sandbox.render import Image, Place, Rendered, place_of, render
from nomock.sandbox.render.kinds.httproute import GROUP, ROUTE
from nomock.sandbox.validate import validate
from nomock.sandbox.ways import ByArgo, Direct, Way
from nomock.stack.compose import ComposeUpkeep

Object = Mapping[str, Any]


@dataclass(frozen=True)
class Promoted:
    """A sandbox that is live."""

    id: str
    namespace: str
    context: str
    images: Mapping[str, str]
    """Service -> image, by its digest."""
    answers: Mapping[str, int]
    """Service -> the status that its endpoint answered."""
    untranslated: int
    pruned: Sequence[str]
    took_s: Mapping[str, float]
    """Of each phase."""


@dataclass(frozen=True)
class Promotion:
    """Brings a compose project up as a sandbox."""

    settings: Settings
    project: Project
    connection: Connection
    registry: str
    id: str
    lives: timedelta
    """How long the sandbox may stay before the reaper takes it."""
    say: Callable[[str], None]
    show: Callable[[str], None]
    argocd: str | None = None
    """The namespace of the Argo CD that brings it up; None: it is applied from here."""

    def run(self, *, strict: bool = False) -> Promoted:
        """Promote, phase by phase. Raises NomockError; what was applied stays, for the next call.

        ``strict``: refuse a compose file that has keys without a translation.
        """
        phases = Phases(self.say, self.show)
        # What the compose file or the cluster refuses is said before minutes go into images.
        before = self._rendered()
        place = before.plan.place
        way = self._way(place, self.show)
        way.require(next(iter(before.of_sandbox)).to_dict())
        with phases.phase("build and push") as show:
            pushing = self._pushing(show)
            images = pushing.images(self.project)
            tools = self._tools(pushing)
        rendered = self._rendered(images, tools)
        if strict and rendered.report.lines:
            raise UntranslatedError([(line.service, line.key) for line in rendered.report.lines])
        objects = self._objects(rendered)
        validate(objects)
        with phases.phase("sync") as show:
            way.show = show
            way.sync(objects)
        with phases.phase("ready") as show:
            way.show = show
            way.apply(objects, within_s=max(self.settings.timeout_s, BUDGETS_S["ready"]))
            pruned = way.prune(objects)
        with phases.phase("endpoint") as show:
            answers = check_live(
                Pods(self.connection, place.namespace),
                place.namespace,
                {name: image.reference.partition("@")[2] for name, image in images.items()},
                self._endpoints(),
                {
                    service.name: service.host
                    for service in rendered.plan.services.values()
                    if service.host and has_routes(objects)
                },
                within_s=BUDGETS_S["endpoint"],
                show=show,
            )
        return Promoted(
            place.id,
            place.namespace,
            self.connection.context,
            {name: image.reference for name, image in images.items()},
            answers,
            len(rendered.report.lines),
            pruned,
            phases.took_s,
        )

    def _objects(self, rendered: Rendered) -> list[Object]:
        """Return the objects as the cluster can have them: without a Gateway no public hosts."""
        objects: list[Object] = [found.to_dict() for found in rendered.objects]
        if has_routes(objects) and self.connection.get(f"/apis/{GROUP}/v1") is None:
            self.say(f"no public hosts: {self.connection.context} has no Gateway API")
            return [found for found in objects if found["kind"] != ROUTE]
        return objects

    def _way(self, place: Place, show: Callable[[str], None]) -> Way:
        given = (self.connection, place.namespace, place.id, show)
        if self.argocd is None:
            return Direct(*given)
        repository = f"/{self.project.name}/sandbox"
        seen_as = seen_in_cluster(self.settings, self.connection, self.registry)
        return ByArgo(
            *given,
            repository=self.registry + repository,
            seen_as=seen_as + repository,
            argocd=self.argocd,
        )

    def _pushing(self, show: Callable[[str], None]) -> Pushing:
        """Build the images, and return what pushes them."""
        engine = Engine(host=self.settings.host)
        ComposeUpkeep(self.settings, self.project, engine).build(show)
        return Pushing(engine, self.registry, show)

    def _tools(self, pushing: Pushing) -> str:
        """Push what stands beside services for tests, where any of them has something.

        Raises EngineError where services have the spy, whose records nobody would hand out.
        """
        if not any(equipment(self.project.config)):
            return ""
        try:
            return pushing.tools(self.project, self.settings.tools_image)
        except EngineError as error:
            if covered_in(self.settings, self.project):
                raise
            self.say(f"no faults on edges and packets: {error.what}; {error.seen}")
            return ""

    def _rendered(self, images: Mapping[str, Image] | None = None, tools: str = "") -> Rendered:
        place = place_of(self.id, datetime.now(UTC) + self.lives)
        return render(
            self.project,
            replace(place, tools_image=tools),
            state_dir=self.settings.state_dir,
            image_of=None if images is None else images.__getitem__,
            variables=variables_of(self.project),
        )

    def _endpoints(self) -> dict[str, tuple[int, str]]:
        """Return what services with a published port are asked: the HTTP probe, else the root."""
        found = {}
        for name in self.project.wanted:
            kind, _, asked = self.settings.probes.get(name, "").partition(":")
            ports = self.project.services[name].published_ports
            if kind == "http":
                port, _, path = asked.partition("/")
                found[name] = (int(port), f"/{path}")
            elif ports:
                found[name] = (ports[0], "/")
        return found


def has_routes(objects: Sequence[Object]) -> bool:
    """Tell whether any service has a public host."""
    return any(found["kind"] == ROUTE for found in objects)


def variables_of(project: Project) -> dict[str, str]:
    """Return the values of the variables that configs and secrets of a project are taken from."""
    config = project.config
    given = [*(config.get("configs") or {}).values(), *(config.get("secrets") or {}).values()]
    names = [str(one["environment"]) for one in given if one.get("environment")]
    return variables(project.call, names) if names else {}
