"""A stack that compose brings up, on a container engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nomock.adapters.engine import Engine
from nomock.config import Settings
from nomock.errors import ForeignStackError
from nomock.project import Project, Store
from nomock.readiness import ReadinessWatch
from nomock.stack.files import MountedFiles
from nomock.stack.images import Images
from nomock.stack.records import Records
from nomock.stack.replacing import replaceable
from nomock.stack.sharing import stale_sharers, start_sharers
from nomock.stack.startup import start_up
from nomock.target import Container


@dataclass(frozen=True)
class ComposeUpkeep:
    """By compose, the engine, and what is recorded under the folder of the state."""

    settings: Settings
    project: Project
    engine: Engine

    @property
    def name(self) -> str:
        """The project's name."""
        return self.project.name

    def refuse_foreign(self, containers: Sequence[Container]) -> None:
        """Raise ForeignStackError where containers are of another compose file."""
        for container in containers:
            if not container.is_of(self.project.files):
                raise ForeignStackError(
                    self.project.name,
                    theirs=container.config_files,
                    ours=", ".join(map(str, self.project.files)),
                )

    def changes(self, containers: Sequence[Container]) -> dict[str, str]:
        """Return the services that are not what the files say: service -> reason.

        One that shares what another had before says least, as it may be new in itself.
        """
        changes = self._files().changes(containers)
        changes |= self._records().changes(self.project, containers)
        return changes | stale_sharers(self.engine, self.project, containers)

    def new_bases(self) -> dict[str, str]:
        """Return the services that were built upon other images; a request for each image."""
        return self._records().all_new_bases(self.project, self.engine.image_id)

    def is_there(self) -> bool:
        """Tell whether the project has a container or a volume."""
        name = self.project.name
        return bool(self.engine.containers(name) or self.engine.volumes(name))

    def image_is_current(self, service: str) -> bool:
        """Tell whether the image of a service was built here, of its context as it is now."""
        built = self.project.service(service)
        if not built.is_built:
            return False
        image_id = self.engine.image_id(built.image)
        return self._records().image_is_current(built, built.sources, image_id)

    def built_image(self, service: str) -> str | None:
        """Return the id of the image that was built here last for a service; None without one."""
        return self._records().image_id(self.project.service(service))

    def is_replaceable(
        self, containers: Sequence[Container], differences: Mapping[str, str]
    ) -> bool:
        """Tell whether new images are all, of services that can be replaced alone."""
        images = Images(self.settings, self.project, self.engine, self._records())
        return bool(replaceable(self.project, containers, images, differences, self._files()))

    def written_files(self) -> Mapping[str, Sequence[str]]:
        """Return service -> the mounted files that it writes to."""
        return self._files().written()

    def start_up(
        self,
        watch: ReadinessWatch,
        differences: Mapping[str, str],
        progress: Callable[[str], None],
        when_built: Callable[[], None],
        *,
        only_replace: bool,
    ) -> None:
        """Build, recreate and start what is not as it should be, and wait until all is ready."""
        start_up(
            self.settings,
            watch,
            self.engine,
            self._records(),
            self._files(),
            differences,
            progress,
            when_built,
            only_replace=only_replace,
        )

    def build(self, progress: Callable[[str], None]) -> None:
        """Build the images that are not of their contexts as these are now; start nothing."""
        from nomock.adapters.compose import Compose

        images = Images(self.settings, self.project, self.engine, self._records())
        images.build(Compose(self.project.call), progress)
        images.remove_superseded()

    def start_sharers(self, service: str) -> list[str]:
        """Start anew who shares something of a service that was started again; return these."""
        return start_sharers(self.engine, self.project, service)

    def take_down(self, *, volumes: bool) -> None:
        """Let compose take the project down."""
        from nomock.adapters.compose import Compose

        within_s = self.settings.timeout_s + self.project.grace_s
        Compose(self.project.call).down(volumes=volumes, within_s=within_s)

    def ended(self) -> None:
        """Note of the mounted files that a run which used the stack has ended."""
        self._files().ended()

    def _files(self) -> MountedFiles:
        """Return what is known of the single files that the services mount."""
        store = Store(self.settings.state_dir, f"files-{self.project.name}")
        return MountedFiles(store, self.project)

    def _records(self) -> Records:
        return Records(self.settings.state_dir, self.project.name)
