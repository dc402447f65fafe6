"""A stack that was promoted: its services are pods of a sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from nomock.config import Settings
from nomock.errors import ConfigError, NotPossibleError, NotReadyError
from nomock.places import node_kubeconfig
from nomock.project import Project
from nomock.readiness import ReadinessWatch, wait_until_ready
from nomock.target import Container, Target

if TYPE_CHECKING:  # of an extra, which a run on compose does without
    from nomock.adapters.kubernetes import Connection, Pods

NODE_CONTEXT = "nomock-local"
"""The context of this machine's own node."""
_CALLED = "sandbox-"


@dataclass(frozen=True)
class PromotedUpkeep:
    """Of a stack that `nomock promote` brought up: it starts only what a test has stopped."""

    target: Target
    id: str
    """The sandbox."""
    context: str
    """The cluster that it is in."""
    timeout_s: float
    """How long what is started may take to become ready."""
    command: str
    """What promotes it, for messages."""

    @property
    def name(self) -> str:
        """The sandbox, which a stack on the engine is not called after."""
        return f"{_CALLED}{self.id}"

    @property
    def where(self) -> str:
        """The sandbox, for messages."""
        return f"sandbox {self.id} in {self.context}"

    def refuse_foreign(self, containers: Sequence[Container]) -> None:
        """Do nothing: a sandbox is found by its id."""

    def changes(self, containers: Sequence[Container]) -> dict[str, str]:
        """Return none: what runs is what was promoted."""
        return {}

    def new_bases(self) -> dict[str, str]:
        """Return none: images are not built for a sandbox that is there."""
        return {}

    def is_there(self) -> bool:
        """Tell that there is something: a run takes no sandbox away."""
        return True

    def image_is_current(self, service: str) -> bool:
        """Tell that it is not known."""
        return False

    def built_image(self, service: str) -> str | None:
        """Return None: its image is in a registry."""
        return None

    def is_replaceable(
        self, containers: Sequence[Container], differences: Mapping[str, str]
    ) -> bool:
        """Tell that nothing is replaced."""
        return False

    def written_files(self) -> Mapping[str, Sequence[str]]:
        """Return none: pods have copies of the mounted files."""
        return {}

    def start_up(
        self,
        watch: ReadinessWatch,
        differences: Mapping[str, str],
        progress: Callable[[str], None],
        when_built: Callable[[], None],
        *,
        only_replace: bool,
    ) -> None:
        """Start what a test has stopped, and wait for it and what starts by itself.

        Raises NotReadyError for a service that is not there: that is to be promoted.
        """
        there = self.target.containers(watch.project.name)
        when_built()
        if differences.keys() <= {container.service for container in there}:
            for container in there:
                if container.service in differences and container.state == "exited":
                    progress(f"starting {container.service}")
                    self.target.start(container.id)
            wait_until_ready(
                watch, list(differences), deadline=monotonic() + self.timeout_s, progress=progress
            )
            return
        raise NotReadyError(
            "the stack is not promoted",
            where=self.where,
            seen="\n".join(f"{name}: {why}" for name, why in differences.items()),
            todo=f"{self.command}; how its pods are: nomock sandbox status",
        )

    def start_sharers(self, service: str) -> list[str]:
        """Return none: pods share nothing."""
        return []

    def take_down(self, *, volumes: bool) -> None:
        """Raise NotPossibleError: a sandbox goes by a command of its own."""
        raise NotPossibleError(
            "a run takes no sandbox down", where=self.where, todo="nomock sandbox down"
        )

    def ended(self) -> None:
        """Do nothing."""


def promoted(settings: Settings, project: Project) -> tuple[Pods, PromotedUpkeep]:
    """Return the target of a project's sandbox, and what looks after it.

    Raises ConfigError for a context that may not be used, or that there is not.
    """
    from nomock.adapters.kubernetes import Pods
    from nomock.sandbox.render import place_of

    place = place_of(sandbox_id(settings, project))
    connection = connected(settings)
    pods = Pods(connection, place.namespace)
    return pods, PromotedUpkeep(
        pods, place.id, connection.context, settings.timeout_s, promoting(settings)
    )


def sandbox_called(stack: str) -> str:
    """Return the id of the sandbox that a stack of this name is; "" for one of compose."""
    return stack.removeprefix(_CALLED) if stack.startswith(_CALLED) else ""


def promoting(settings: Settings) -> str:
    """Return the command that promotes a stack with the overlays that a run has."""
    options = {
        "--sidecar-coverage": settings.coverage_overlay,
        "--traces": settings.traces_overlay,
    }
    given = [name for name, path in options.items() if settings.root / path in settings.files]
    return " ".join(["nomock promote", *given])


def sandbox_id(settings: Settings, project: Project) -> str:
    """Return the id of a project's sandbox: that of the settings, else after its name."""
    from nomock.sandbox.render.naming import label_of

    return settings.sandbox or label_of(project.name)


def connected(settings: Settings) -> Connection:
    """Return a connection to the cluster of the settings, of which nothing is asked yet.

    Raises ConfigError for a context that may not be used, or that there is not.
    """
    from nomock.adapters.kubernetes import connect
    from nomock.sandbox.extra import require_packages

    require_packages()
    check_context(settings)
    kubeconfig = None if settings.context else node_kubeconfig()
    if kubeconfig and not kubeconfig.exists():
        raise ConfigError(
            "there is no local node, and no context is named",
            where="sandbox",
            seen=f"no {kubeconfig}",
            todo="start one: nomock sandbox local; or name a cluster that you have: --context",
        )
    return connect(settings.context or NODE_CONTEXT, kubeconfig)


def is_release(settings: Settings) -> bool:
    """Tell whether what is promoted to the cluster of the settings is for more than tests."""
    kinds = settings.promote
    return kinds.get(settings.context or NODE_CONTEXT, kinds.get("", "")) == "release"


def check_context(settings: Settings) -> None:
    """Raise ConfigError for a context that is neither this machine's node nor named by a setting.

    So that no command and no test meets a cluster that nobody meant.
    """
    if settings.context is None or settings.context in settings.contexts:
        return
    raise ConfigError(
        f"the context {settings.context!r} may not be used",
        where="sandbox",
        seen=f"contexts that may be: {', '.join(settings.contexts) or 'none'}",
        todo=f"if it is for tests: contexts = [{settings.context!r}] in [tool.nomock]",
    )
