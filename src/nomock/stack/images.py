"""The images of a stack: which are not of their contexts as these are now, and their build."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from nomock.adapters.engine import Engine
from nomock.config import Settings
from nomock.evidence.folder import EvidenceFolder
from nomock.project import Project, Sources
from nomock.stack.records import Records

if TYPE_CHECKING:  # 0.2 s to import, and most runs start nothing
    from nomock.adapters.compose import Compose


class Images:
    """The images that one start-up of a stack is about."""

    def __init__(
        self, settings: Settings, project: Project, engine: Engine, records: Records
    ) -> None:
        self._settings = settings
        self.project = project
        self.engine = engine
        self._records = records
        self._before: set[str] = set()
        """The ids of the images in whose place others are built."""

    @cached_property
    def _built_of(self) -> Mapping[str, Sources]:
        # As they are now: what a run has waited for may have changed them since it looked first.
        return {name: self.project.services[name].build.look() for name in self.project.to_build}

    @cached_property
    def stale(self) -> list[str]:
        """What is to be built: of other sources, or upon an image that is another one now."""
        project, engine, records = self.project, self.engine, self._records
        stale: list[str] = []
        for name, sources in self._built_of.items():  # what others are built upon comes first
            service = project.services[name]
            is_current = records.image_is_current(service, sources, engine.image_id(service.image))
            is_upon_stale = not set(project.builds.bases(name)).isdisjoint(stale)
            is_new = is_upon_stale or records.new_bases(service, project, engine.image_id)
            if not is_current or is_new:
                stale.append(name)
        return stale

    def build(self, compose: Compose, progress: Callable[[str], None]) -> None:
        """Build what is stale; raise BuildError."""
        from nomock.project.building import build_text

        for names in _in_turn(self.stale, self.project):
            step = f"building {', '.join(names)}"
            progress(step)
            parts = self.parts(names)
            with build_text(self.project, names, self._settings.state_dir) as text:
                compose.build(names, prefixed(progress, step), text=text, folder=self.project.root)
            self.record(names, parts)

    def parts(self, names: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return what some services are built of; called before they are."""
        root = self.project.root
        return {name: self._built_of[name].parts(root) for name in names}

    def record(self, names: Sequence[str], parts: Mapping[str, Mapping[str, str]]) -> None:
        """Record that some services were built of these parts."""
        for name in names:
            service = self.project.services[name]
            if before := self._records.image_id(service):
                self._before.add(before)
            # What was written to meanwhile may be in it as it was or as it is: build again.
            sources = self._built_of[name]
            is_sure = service.build.look().stats == sources.stats
            digest = sources.digest if is_sure else None
            self._records.built(service, self.project, self.engine.image_id, digest, parts[name])

    def remove_superseded(self) -> None:
        """Remove the images in whose place others were built.

        What a test that left evidence ran on stays as long as that does, for ``nomock replay``.
        """
        now = {
            self._records.image_id(self.project.services[name]) for name in self.project.to_build
        }
        superseded = (self._before | self._records.superseded) - now
        kept = EvidenceFolder(self._settings.state_dir).images_named(superseded)
        for image_id in superseded - kept:
            self.engine.remove_image(image_id)
        self._records.supersede(kept)


def prefixed(progress: Callable[[str], None], step: str) -> Callable[[str], None]:
    """Return what shows the lines of a step as its details."""
    return lambda line: progress(f"{step}: {line}")


def _in_turn(names: Sequence[str], project: Project) -> Iterator[list[str]]:
    """Yield what can be built at once: compose does not wait for an image that a FROM names."""
    left = list(names)
    while left:
        first = [n for n in left if set(project.builds.bases(n)).isdisjoint(left)] or left
        yield first
        left = [name for name in left if name not in first]
