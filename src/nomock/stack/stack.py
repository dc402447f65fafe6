"""The stack of a compose project: attached to when it is there and right, else made so."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from time import monotonic

from nomock.adapters.engine import Container, Engine
from nomock.config import Settings
from nomock.errors import ForeignStackError
from nomock.project import Project, Store, resolve
from nomock.readiness import ReadinessWatch, wait_again, wait_until_ready
from nomock.stack.database import Postgres, postgres_service
from nomock.stack.files import MountedFiles
from nomock.stack.holding import Holding
from nomock.stack.images import Images
from nomock.stack.records import Records
from nomock.stack.replacing import replaceable
from nomock.stack.service import Service
from nomock.stack.sharing import stale_sharers, start_sharers
from nomock.stack.startup import start_up

Say = Callable[[str], None]


def _silent(text: str) -> None:
    pass


class Stack:
    """The services of a running compose project, by name: ``stack["auth"]``.

    Nothing is asked of the engine until something is needed. ``prepare`` makes the stack ready;
    a process that knows that another one did so (an xdist worker) leaves that out.
    """

    def __init__(
        self, settings: Settings, project: Project, engine: Engine, run: int | None = None
    ) -> None:
        """``run``: the process that stands for this run, where it has several; this one if None."""
        self.settings = settings
        self.project = project
        self.engine = engine
        self.touched = False
        """Whether ``prepare`` found it to be ours, and began to make it ready."""
        self.ready_s: float | None = None
        """When ``prepare`` found it ready, by the monotonic clock."""
        self._keeps_volumes = True
        self._watch = ReadinessWatch(engine, project, settings.probes)
        self._before_use: Callable[[str, int], None] = lambda service, port: None
        self._services = {
            name: Service(config, engine, self.wait_started, lambda *use: self._before_use(*use))
            for name, config in project.services.items()
        }
        self.holding = Holding(settings.state_dir, project.name, run or os.getpid())
        """Who uses it."""

    @classmethod
    def of(cls, settings: Settings, run: int | None = None) -> Stack:
        """Return the stack of some settings; raise ConfigError where the files are wrong."""
        project = resolve(settings)
        done = {name for name, probe in settings.probes.items() if probe == "done"}
        project = replace(project, one_shots=project.one_shots | done)
        return cls(settings, project, Engine(host=settings.host), run)

    def call_before_use(self, call: Callable[[str, int], None]) -> None:
        """Call something with a service's name and port before a test uses it; it may wait."""
        self._before_use = call

    @property
    def name(self) -> str:
        """The compose project's name."""
        return self.project.name

    def lend(self, service: Service) -> None:
        """Let a service of another stack be one of this, too: it is looked after there."""
        self._services[service.name] = service

    def __getitem__(self, name: str) -> Service:
        """Return a service by its name; raises UnknownServiceError, which says what there is."""
        if name not in self._services:
            self.project.service(name)
        return self._services[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._services)

    def __len__(self) -> int:
        return len(self._services)

    def __repr__(self) -> str:
        return f"<Stack {self.name}: {', '.join(self)}>"

    @cached_property
    def postgres(self) -> Postgres:
        """The stack's PostgreSQL; raises ConfigError where it is not clear which service it is."""
        return Postgres(self[postgres_service(self.project, self.settings.postgres)])

    def containers(self) -> list[Container]:
        """Return the stack's containers; refuse those of another compose file.

        Raises ForeignStackError for these.
        """
        containers = self.engine.containers(self.name)
        for container in containers:
            if not container.is_of(self.project.files):
                raise ForeignStackError(
                    self.name,
                    theirs=container.config_files,
                    ours=", ".join(map(str, self.project.files)),
                )
        return containers

    def differences(self, containers: Sequence[Container] | None = None) -> dict[str, str]:
        """Return what keeps the stack from being ready as it is: service -> reason; {} if nothing.

        ``containers`` are what ``containers()`` returned, where the caller has asked already. One
        request to the engine if not, and one more for each container that has ended.
        """
        containers = self.containers() if containers is None else containers
        verdicts = self._watch.judge(containers)
        waiting = {name: v.seen for name, v in verdicts.items() if v.state == "waiting"}
        lost = {name: v.seen for name, v in verdicts.items() if v.state == "lost"}
        # That it died says more than that it is an old one, and that says more than "created".
        changes = self.files().changes(containers)
        changes |= self._records().changes(self.project, containers)
        return waiting | changes | stale_sharers(self.engine, self.project, containers) | lost

    def new_bases(self) -> dict[str, str]:
        """Return the services whose images were built upon images that others took the place of.

        Built or pulled under the same name, outside of this project. One request to the engine for
        each image, so that no run asks for it.
        """
        return self._records().all_new_bases(self.project, self.engine.image_id)

    def lost(self, containers: Sequence[Container]) -> set[str]:
        """Return the ids of those that do not run, and are not as their author wants them."""
        return self._watch.lost(containers)

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

    def is_replaceable(self) -> bool:
        """Tell whether images are all that keeps it from being ready, of services that can be
        replaced alone."""
        found = self.containers()
        differences = self.differences(found)
        images = Images(self.settings, self.project, self.engine, self._records())
        return bool(replaceable(self.project, found, images, differences, self.files()))

    def prepare(
        self,
        progress: Say = _silent,
        *,
        waiting: Say = _silent,
        who: str = "a run",
        warn: Say = _silent,
        before_start: Callable[[], None] = lambda: None,
        when_built: Callable[[], None] = lambda: None,
        look_at_bases: bool = False,
        only_replace: bool = False,
    ) -> None:
        """Make the stack ready as the settings say, and hold it until ``close``.

        ``look_at_bases``: also where all that is new is an image that others are built upon.
        ``only_replace``: raise ComposeError where more has to be done than to replace services.

        ``progress`` gets a line for each step, ``waiting`` the holders if another run has the
        stack, ``warn`` each of compose's warnings if anything is started, and what a fresh one
        keeps; ``before_start`` is called before that, while nobody else has it, ``when_built``
        once its images are there.
        Raises NomockError; what was started stays, and is not taken for a whole stack.
        """
        lock = self.holding.hold(exclusive=self.settings.stack == "fresh", waiting=waiting)
        if self.settings.stack == "fresh":
            self.containers()  # refuses a stack that is not ours before its volumes are gone
            progress("emptying the volumes")
            self._compose_down(volumes=True)
            if kept := self.project.kept_data:
                warn(f"not emptied, as these are no volumes of the stack: {', '.join(kept)}")

        def look() -> dict[str, str]:
            return (self.new_bases() if look_at_bases else {}) | self.differences()

        differences = look()
        self.touched = True
        if differences:
            lock.acquire(exclusive=True, waiting=waiting)
            # While this run waited another one may have done the work.
            if differences := look():
                lock.sign(f"starting {self.name} for {who}", run=self.holding.run)
                was_there = self.engine.containers(self.name) or self.engine.volumes(self.name)
                self._keeps_volumes = bool(was_there)
                for warning in self.project.warnings:
                    warn(f"compose warns: {warning}")
                before_start()
                start_up(
                    self.settings,
                    self._watch,
                    self._records(),
                    self.files(),
                    differences,
                    progress,
                    when_built,
                    only_replace=only_replace,
                )
        if not differences:
            when_built()
        lock.acquire(exclusive=False, waiting=waiting)
        lock.sign(who, run=self.holding.run)
        self.ready_s = monotonic()

    def down(
        self, *, volumes: bool | None = None, progress: Say = _silent, waiting: Say = _silent
    ) -> None:
        """Take the stack down once no other run uses it.

        Its volumes go too if ``volumes`` is true, or is None and ``prepare`` has made them all:
        data that was there before this run is kept.
        """
        lock = self.holding.hold(exclusive=True, waiting=waiting)
        lock.sign(f"taking {self.name} down", run=self.holding.run)
        self.containers()
        progress(f"taking {self.name} down")
        self._compose_down(volumes=not self._keeps_volumes if volumes is None else volumes)

    def wait_ready(self, service: str | None = None) -> None:
        """Return when a service, or every one, is ready; raise NotReadyError."""
        names = None if service is None else [service]
        deadline = monotonic() + self.settings.timeout_s
        wait_until_ready(self._watch, names, deadline=deadline)

    def wait_started(self, service: str) -> None:
        """Return when a service that was started is ready, with those that share its network.

        They are started anew for that. Raises NotReadyError.
        """
        for name in (*start_sharers(self.engine, self.project, service), service):
            self.wait_ready(name)

    def look_again(self) -> None:
        """Raise ServiceDiedError where a service has died since it was ready; one request."""
        wait_again(self._watch, deadline=monotonic() + self.settings.timeout_s)

    def close(self) -> None:
        """Close the clients and let the stack go; it stays as it is."""
        for service in self._services.values():
            service.close()
        if self.ready_s is not None:
            self.files().ended()
            self.ready_s = None
        self.holding.close()

    def files(self) -> MountedFiles:
        """Return what is known of the single files that the services mount."""
        return MountedFiles(Store(self.settings.state_dir, f"files-{self.name}"), self.project)

    def _records(self) -> Records:
        return Records(self.settings.state_dir, self.name)

    def _compose_down(self, *, volumes: bool) -> None:
        from nomock.adapters.compose import Compose

        within_s = self.settings.timeout_s + self.project.grace_s
        Compose(self.project.call).down(volumes=volumes, within_s=within_s)
