"""The stack of a project: attached to when it is there and right, else made so."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING

from nomock.adapters.engine import Engine
from nomock.config import Settings
from nomock.errors import NotPossibleError
from nomock.errors.words import speak_of_compose, speak_of_sandbox
from nomock.project import Project, resolve
from nomock.readiness import ReadinessWatch, wait_again, wait_until_ready
from nomock.stack.compose import ComposeUpkeep
from nomock.stack.database import Postgres
from nomock.stack.holding import Holding
from nomock.stack.postgres_service import postgres_service
from nomock.stack.promoted import PromotedUpkeep, promoted
from nomock.stack.service import OnSend, Service
from nomock.stack.upkeep import Upkeep
from nomock.target import Container, Target

if TYPE_CHECKING:  # of an extra, which a run on compose does without
    from nomock.stack.kubernetes import Kubernetes

Say = Callable[[str], None]


def _silent(text: str) -> None:
    pass


class Stack:
    """The services of a project that runs, by name: ``stack["auth"]``.

    Nothing is asked of its target until something is needed. ``prepare`` makes the stack ready;
    a process that knows that another one did so (an xdist worker) leaves that out.
    """

    def __init__(
        self,
        settings: Settings,
        project: Project,
        target: Target,
        upkeep: Upkeep,
        run: int | None = None,
    ) -> None:
        """``run``: the process that stands for this run, where it has several; this one if None."""
        self.settings = settings
        self.project = project
        self.target = target
        """Where its services run."""
        self.upkeep = upkeep
        self.name = upkeep.name
        """That of its project, or of a sandbox of it, by which its state is kept apart."""
        self.touched = False
        """Whether ``prepare`` found it to be ours, and began to make it ready."""
        self.ready_s: float | None = None
        """When ``prepare`` found it ready, by the monotonic clock."""
        self._keeps_volumes = True
        self._watch = ReadinessWatch(target, project, settings.probes)
        self._before_use: Callable[[str, int], None] = lambda service, port: None
        self._before_request: OnSend = lambda service, method, path, body: None
        self._services = {
            name: Service(
                config,
                target,
                self.wait_started,
                lambda *use: self._before_use(*use),
                lambda *request: self._before_request(*request),
            )
            for name, config in project.services.items()
        }
        self.holding = Holding(settings.state_dir, self.name, run or os.getpid())
        """Who uses it."""

    @classmethod
    def of(cls, settings: Settings, run: int | None = None) -> Stack:
        """Return the stack of some settings; raise ConfigError where the files are wrong."""
        project = resolve(settings)
        done = {name for name, probe in settings.probes.items() if probe == "done"}
        project = replace(project, one_shots=project.one_shots | done)
        if settings.target == "sandbox":
            target, upkeep = promoted(settings, project)
            speak_of_sandbox(target.namespace, settings.sandbox)
            return cls(settings, project, target, upkeep, run)
        speak_of_compose()
        return cls.by_compose(settings, project, run)

    @classmethod
    def by_compose(cls, settings: Settings, project: Project, run: int | None = None) -> Stack:
        """Return the stack of a project that compose brings up on the container engine."""
        engine = Engine(host=settings.host)
        return cls(settings, project, engine, ComposeUpkeep(settings, project, engine), run)

    def call_before_use(self, call: Callable[[str, int], None]) -> None:
        """Call something with a service's name and port before a test uses it; it may wait."""
        self._before_use = call

    def call_before_request(self, call: OnSend) -> None:
        """Call something before a request of a test leaves; an error of it keeps it from that."""
        self._before_request = call

    @property
    def engine(self) -> Engine:
        """The container engine, for what only an engine can do.

        Raises NotPossibleError where the services do not run on one.
        """
        if isinstance(self.target, Engine):
            return self.target
        raise NotPossibleError(
            "this needs a container engine",
            where=f"stack {self.name}",
            seen=f"its services run at {self.target.address}",
            todo="run it on the compose stack",
        )

    @property
    def kubernetes(self) -> Kubernetes:
        """The namespace of its sandbox, for what only Kubernetes has.

        Raises NotPossibleError where the services do not run in one: a test that asks for it is
        skipped there.
        """
        if isinstance(self.upkeep, PromotedUpkeep):
            from nomock.adapters.kubernetes import Pods
            from nomock.stack.kubernetes import Kubernetes

            assert isinstance(self.target, Pods)  # that is the target of this upkeep
            return Kubernetes(self.target.connection, self.target.namespace)
        raise NotPossibleError(
            "only Kubernetes shows this",
            where=f"stack {self.name}",
            seen=f"its services run at {self.target.address}",
            todo="run it on a sandbox: nomock promote, then pytest --nomock-target sandbox",
        )

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
        containers = self.target.containers(self.name)
        self.upkeep.refuse_foreign(containers)
        return containers

    def differences(self, containers: Sequence[Container] | None = None) -> dict[str, str]:
        """Return what keeps the stack from being ready as it is: service -> reason; {} if nothing.

        ``containers`` are what ``containers()`` returned, where the caller has asked already. One
        request to the target if not, and one more for each container that has ended.
        """
        containers = self.containers() if containers is None else containers
        verdicts = self._watch.judge(containers)
        waiting = {name: v.seen for name, v in verdicts.items() if v.state == "waiting"}
        lost = {name: v.seen for name, v in verdicts.items() if v.state == "lost"}
        # That it died says more than that it is an old one, and that says more than "created".
        return waiting | self.upkeep.changes(containers) | lost

    def lost(self, containers: Sequence[Container]) -> set[str]:
        """Return the ids of those that do not run, and are not as their author wants them."""
        return self._watch.lost(containers)

    def is_replaceable(self) -> bool:
        """Tell whether images are all that keeps it from being ready, of services that can be
        replaced alone."""
        found = self.containers()
        return self.upkeep.is_replaceable(found, self.differences(found))

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
            self.upkeep.take_down(volumes=True)
            if kept := self.project.kept_data:
                warn(f"not emptied, as these are no volumes of the stack: {', '.join(kept)}")

        def look() -> dict[str, str]:
            return (self.upkeep.new_bases() if look_at_bases else {}) | self.differences()

        differences = look()
        self.touched = True
        if differences:
            lock.acquire(exclusive=True, waiting=waiting)
            # While this run waited another one may have done the work.
            if differences := look():
                lock.sign(f"starting {self.name} for {who}", run=self.holding.run)
                self._keeps_volumes = self.upkeep.is_there()
                for warning in self.project.warnings:
                    warn(f"compose warns: {warning}")
                before_start()
                self.upkeep.start_up(
                    self._watch, differences, progress, when_built, only_replace=only_replace
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
        self.upkeep.take_down(volumes=not self._keeps_volumes if volumes is None else volumes)

    def wait_ready(self, service: str | None = None) -> None:
        """Return when a service, or every one, is ready; raise NotReadyError."""
        names = None if service is None else [service]
        deadline = monotonic() + self.settings.timeout_s
        wait_until_ready(self._watch, names, deadline=deadline)

    def wait_started(self, service: str) -> None:
        """Return when a service that was started is ready, with those that share its network.

        They are started anew for that. Raises NotReadyError.
        """
        for name in (*self.upkeep.start_sharers(service), service):
            self.wait_ready(name)

    def look_again(self) -> None:
        """Raise ServiceDiedError where a service has died since it was ready; one request."""
        wait_again(self._watch, deadline=monotonic() + self.settings.timeout_s)

    def close(self) -> None:
        """Close the clients and let the stack go; it stays as it is."""
        if "postgres" in self.__dict__:
            self.postgres.close()
        for service in self._services.values():
            service.close()
        if self.ready_s is not None:
            self.upkeep.ended()
            self.ready_s = None
        self.holding.close()
