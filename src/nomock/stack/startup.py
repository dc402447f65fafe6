"""Bring a stack to what its compose files say: build, recreate, start, wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING

from nomock.adapters.compose_call import how_ended
from nomock.adapters.compose_cures import name_taken
from nomock.adapters.engine import Container, Engine
from nomock.config import Settings
from nomock.errors import ComposeError
from nomock.project import Project, Sources
from nomock.readiness import ReadinessWatch, wait_again, wait_until_ready
from nomock.stack.files import MountedFiles
from nomock.stack.records import Records
from nomock.stack.sharing import stale_sharers

if TYPE_CHECKING:  # 0.2 s to import, and most runs start nothing
    from nomock.adapters.compose import Compose, Running


def start_up(
    settings: Settings,
    watch: ReadinessWatch,
    records: Records,
    files: MountedFiles,
    differences: Mapping[str, str],
    progress: Callable[[str], None],
    when_built: Callable[[], None],
) -> None:
    """Rebuild what changed, start what is not there, and wait until all is ready.

    ``when_built`` is called as soon as all images are there.
    Raises BuildError, ComposeError, ServiceDiedError or NotReadyError.
    """
    from nomock.adapters.compose import Compose

    project, engine = watch.project, watch.engine
    compose = Compose(project.call)
    superseded = _build(compose, settings, project, engine, records, progress)
    when_built()
    containers = engine.containers(project.name)
    stale = sorted(files.changes(containers))
    files.begin()
    if stale:
        progress(f"recreating {', '.join(stale)}: a mounted file changed")
        with compose.up("--force-recreate", "--no-deps", *stale, on_line=_nothing) as running:
            running.wait(settings.timeout_s + project.grace_s)
            _finished(running, engine)
        containers = engine.containers(project.name)

    outdated = stale_sharers(engine, project, containers)
    for container in containers:
        if container.service in outdated:  # compose starts it behind what it shares
            engine.stop(container.id)
    # What stands behind a colon or a semicolon is not shown where lines cannot be rewritten.
    why = {name: reason.split("; ")[0].replace(": ", " - ") for name, reason in differences.items()}
    progress("starting " + ", ".join(f"{name} ({why[name]})" for name in sorted(why)))
    before = {c.id: _end(engine, c) for c in containers}
    deadline = monotonic() + settings.timeout_s
    with compose.up(on_line=_nothing) as running:
        try:
            wait_until_ready(
                watch,
                None,
                deadline=deadline,
                progress=progress,
                finished=lambda: _finished(running, engine),
                before=before,
            )
        except ComposeError as error:
            # Compose gives up as well when a service dies; the service's name says more.
            containers = engine.containers(project.name)
            if loss := watch.loss(watch.judge(containers, before=before), containers):
                raise loss from error
            raise
    containers = engine.containers(project.name)
    # Of files that were edited meanwhile compose may have started something else than what is
    # known here: of containers that nothing is recorded of, the next run looks again.
    records.started(project, containers if project.is_as_read else ())
    files.started(containers)
    for image_id in superseded:
        engine.remove_image(image_id)
    # One that can be asked nothing may have died since it was called ready.
    wait_again(watch, deadline=deadline, progress=progress)


def _build(
    compose: Compose,
    settings: Settings,
    project: Project,
    engine: Engine,
    records: Records,
    progress: Callable[[str], None],
) -> list[str]:
    """Build what is not of its context as it is now; return the ids of the images before."""
    from nomock.project.building import build_text

    # As they are now: what a run has waited for may have changed them since it looked first.
    built_of = {name: project.services[name].build.look() for name in project.to_build}
    stale = _stale(built_of, project, engine, records)
    before = {records.image_id(project.services[name]) for name in stale}
    for names in _in_turn(stale, project):
        step = f"building {', '.join(names)}"
        progress(step)
        parts = {name: built_of[name].parts(project.root) for name in names}
        with build_text(project, names, settings.state_dir) as text:
            compose.build(
                names,
                _prefixed(progress, step),
                text=text,
                folder=project.root,
            )
        for name in names:
            # What was written to meanwhile may be in it as it was or as it is: build again.
            service = project.services[name]
            is_sure = service.build.look().stats == built_of[name].stats
            digest = built_of[name].digest if is_sure else None
            records.built(service, project, engine.image_id, digest, parts[name])
    now = {records.image_id(project.services[name]) for name in stale}
    return [image_id for image_id in before if image_id and image_id not in now]


def _stale(
    built_of: Mapping[str, Sources], project: Project, engine: Engine, records: Records
) -> list[str]:
    """Return what is to be built anew: of other sources, or upon an image that is another now."""
    stale: list[str] = []
    for name, sources in built_of.items():  # what others are built upon comes first
        service = project.services[name]
        is_current = records.image_is_current(service, sources, engine.image_id(service.image))
        is_upon_stale = not set(project.builds.bases(name)).isdisjoint(stale)
        if not is_current or is_upon_stale or records.new_bases(service, project, engine.image_id):
            stale.append(name)
    return stale


def _prefixed(progress: Callable[[str], None], step: str) -> Callable[[str], None]:
    return lambda line: progress(f"{step}: {line}")


def _in_turn(names: Sequence[str], project: Project) -> Iterator[list[str]]:
    """Yield what can be built at once: compose does not wait for an image that a FROM names."""
    left = list(names)
    while left:
        first = [n for n in left if set(project.builds.bases(n)).isdisjoint(left)] or left
        yield first
        left = [name for name in left if name not in first]


def _finished(running: Running, engine: Engine) -> bool:
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


def _end(engine: Engine, container: Container) -> str | None:
    if container.state not in {"exited", "dead"}:
        return None
    death = engine.exit_state(container.id)
    return death.finished_at if death else None


def _nothing(line: str) -> None:
    pass
