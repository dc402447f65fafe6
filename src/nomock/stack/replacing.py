"""Replace services whose images alone are not what they should be, in a stack that is ready.

One process of compose builds and replaces them, and touches nothing else. Compose's own ``up`` of
the whole project would start one-shots again, and wait for them. Whatever is not sure to be as
simple as that goes the long way: ``startup``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Event
from time import monotonic
from typing import TYPE_CHECKING

from nomock.adapters.compose_call import how_ended
from nomock.adapters.compose_cures import name_taken
from nomock.adapters.engine import Engine
from nomock.config import Settings
from nomock.errors import ComposeError
from nomock.project import Project
from nomock.readiness import ReadinessWatch, wait_until_ready
from nomock.stack.files import MountedFiles
from nomock.stack.images import Images, prefixed
from nomock.stack.sharing import sharers
from nomock.target import Container

if TYPE_CHECKING:  # 0.2 s to import, and most runs start nothing
    from nomock.adapters.compose import Compose, Running

_PAUSE_S = 0.02
# How compose begins each line on a container, once all images are there.
_OF_CONTAINER = "Container "


def replaceable(
    project: Project,
    containers: Sequence[Container],
    images: Images,
    differences: Mapping[str, str],
    files: MountedFiles,
) -> list[str]:
    """Return the services to replace, where that is all that there is to do; else none."""
    names = sorted(differences)
    if sorted(images.stale) != names or files.changes(containers):
        return []
    return names if all(_is_simple(project, containers, name) for name in names) else []


def _is_simple(project: Project, containers: Sequence[Container], name: str) -> bool:
    """Tell whether nobody but its own clients will notice that a service is replaced."""
    service = project.services[name]
    own = [container for container in containers if container.service == name]
    runs = len(own) == service.replicas > 0 and all(c.state == "running" for c in own)
    is_base = any(name in project.builds.bases(other) for other in project.to_build)
    restarts = any(
        (other.config.get("depends_on") or {}).get(name, {}).get("restart")
        for other in project.services.values()
    )
    is_apart = not (is_base or restarts or project.builds.bases(name) or sharers(project, name))
    return runs and is_apart and name not in project.one_shots


class Replacing:
    """Builds and replaces services."""

    def __init__(
        self,
        compose: Compose,
        settings: Settings,
        watch: ReadinessWatch,
        images: Images,
        progress: Callable[[str], None],
        when_built: Callable[[], None],
    ) -> None:
        self._compose = compose
        self._settings = settings
        self._watch = watch
        self._images = images
        self._progress = progress
        self._when_built = when_built

    def __call__(self, names: Sequence[str], starting: str) -> bool:
        """Do it and wait until all is ready; False where compose could not: the long way says why.

        ``starting`` is the step to show. Raises BuildError, ServiceDiedError or NotReadyError.
        """
        from nomock.project.building import build_text

        project = self._watch.project
        with build_text(project, names, self._settings.state_dir) as text:
            if text is not None:  # a file of ours in place of the user's, which is for builds only
                self._images.build(self._compose, self._progress)
                return self._up(names, [], starting)
        return self._up(names, ["--build"], starting)

    def _up(self, names: Sequence[str], options: Sequence[str], starting: str) -> bool:
        engine, step = self._images.engine, f"building {', '.join(names)}"
        is_built = Event()
        show = prefixed(self._progress, step)

        def on_line(line: str) -> None:
            if line.lstrip().startswith(_OF_CONTAINER):
                is_built.set()
            elif not is_built.is_set():
                show(line)

        parts = self._images.parts(names)
        before = ends(engine, engine.containers(self._watch.project.name))
        if "--build" in options:
            self._progress(step)
        with self._compose.up(*options, "--no-deps", *names, on_line=on_line) as running:
            while not is_built.wait(_PAUSE_S) and running.exit_code() is None:
                pass
            if running.exit_code():
                return False
            if "--build" in options:
                self._images.record(names, parts)
            self._when_built()
            self._progress(starting)
            deadline = monotonic() + self._settings.timeout_s
            try:
                wait_until_ready(
                    self._watch,
                    None,
                    deadline=deadline,
                    progress=self._progress,
                    finished=lambda: finished(running, engine),
                    before=before,
                )
            except ComposeError:
                if loss := self._watch.loss_now(before):
                    raise loss from None
                return False
        return True


def finished(running: Running, engine: Engine) -> bool:
    """Tell whether compose has done what it was asked; raise ComposeError where it could not."""
    code = running.exit_code()
    if code:
        seen = running.last_lines()
        if taken := name_taken(seen):
            name, container_id = taken
            seen += f"\n{name} is a container of {engine.owner(container_id)}"
        raise ComposeError(
            f"docker compose up {how_ended(code)}",
            where="compose",
            seen=seen,
            todo=running.cure() or "docker compose up",
        )
    return code == 0


def ends(engine: Engine, containers: Sequence[Container]) -> dict[str, str | None]:
    """Return when each container has ended: such an end is none of the start-up to come."""
    found: dict[str, str | None] = {}
    for container in containers:
        ended = container.state in {"exited", "dead"}
        death = engine.exit_state(container.id) if ended else None
        found[container.id] = death.finished_at if death else None
    return found
