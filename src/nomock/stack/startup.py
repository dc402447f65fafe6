"""Bring a stack to what its compose files say: build, recreate, start, wait."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import monotonic

from nomock.adapters.engine import Engine
from nomock.config import Settings
from nomock.errors import ComposeError
from nomock.project import Project
from nomock.readiness import ReadinessWatch, wait_again, wait_until_ready
from nomock.stack.files import MountedFiles
from nomock.stack.images import Images
from nomock.stack.records import Records
from nomock.stack.replacing import Replacing, ends, finished, replaceable
from nomock.stack.sharing import stale_sharers


def start_up(
    settings: Settings,
    watch: ReadinessWatch,
    engine: Engine,
    records: Records,
    files: MountedFiles,
    differences: Mapping[str, str],
    progress: Callable[[str], None],
    when_built: Callable[[], None],
    *,
    only_replace: bool,
) -> None:
    """Rebuild what changed, start what is not there, and wait until all is ready.

    ``when_built`` is called as soon as all images are there. ``only_replace``: raise ComposeError
    where it is not done by replacing services.
    Raises BuildError, ComposeError, ServiceDiedError or NotReadyError.
    """
    from nomock.adapters.compose import Compose

    project = watch.project
    compose = Compose(project.call)
    images = Images(settings, project, engine, records)
    containers = engine.containers(project.name)
    if names := replaceable(project, containers, images, differences, files):
        files.begin()
        replace = Replacing(compose, settings, watch, images, progress, when_built)
        if replace(names, _starting(differences)):
            _started(project, engine, records, files, images)
            wait_again(watch, deadline=monotonic() + settings.timeout_s, progress=progress)
            return
    if only_replace:
        raise ComposeError(
            "more is to be done than to replace services",
            where=f"stack {project.name}",
            seen=", ".join(f"{name}: {why}" for name, why in differences.items()),
            todo="nomock up",
        )
    images.build(compose, progress)
    when_built()
    containers = engine.containers(project.name)
    stale = sorted(files.changes(containers))
    files.begin()
    if stale:
        progress(f"recreating {', '.join(stale)}: a mounted file changed")
        with compose.up("--force-recreate", "--no-deps", *stale, on_line=_nothing) as running:
            running.wait(settings.timeout_s + project.grace_s)
            finished(running, engine)
        containers = engine.containers(project.name)

    outdated = stale_sharers(engine, project, containers)
    for container in containers:
        if container.service in outdated:  # compose starts it behind what it shares
            engine.stop(container.id)
    progress(_starting(differences))
    before = ends(engine, containers)
    deadline = monotonic() + settings.timeout_s
    with compose.up(on_line=_nothing) as running:
        try:
            wait_until_ready(
                watch,
                None,
                deadline=deadline,
                progress=progress,
                finished=lambda: finished(running, engine),
                before=before,
            )
        except ComposeError as error:
            # Compose gives up as well when a service dies; the service's name says more.
            if loss := watch.loss_now(before):
                raise loss from error
            raise
    _started(project, engine, records, files, images)
    # One that can be asked nothing may have died since it was called ready.
    wait_again(watch, deadline=deadline, progress=progress)


def _starting(differences: Mapping[str, str]) -> str:
    """Say what is started, and why, as one step."""
    # What stands behind a colon or a semicolon is not shown where lines cannot be rewritten.
    why = {name: reason.split("; ")[0].replace(": ", " - ") for name, reason in differences.items()}
    return "starting " + ", ".join(f"{name} ({why[name]})" for name in sorted(why))


def _started(
    project: Project, engine: Engine, records: Records, files: MountedFiles, images: Images
) -> None:
    """Record what runs now, and remove the images that nothing was started of."""
    containers = engine.containers(project.name)
    # Of files that were edited meanwhile compose may have started something else than what is
    # known here: of containers that nothing is recorded of, the next run looks again.
    records.started(project, containers if project.is_as_read else ())
    files.started(containers)
    images.remove_superseded()


def _nothing(line: str) -> None:
    pass
