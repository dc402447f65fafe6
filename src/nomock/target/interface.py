"""The interface of a target: what is asked of where the services run, and done to them there.

The container engine has it (`adapters.engine.Engine`), and so has a sandbox in a cluster. What
only an engine can do (images, networks, limits) is not here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from nomock.errors import NomockError
from nomock.target.addresses import Locator
from nomock.target.commands import ExecResult, Executed
from nomock.target.configuration import ContainerConfig
from nomock.target.container import Container
from nomock.target.conversation import Conversation
from nomock.target.life import ContainerState, ExitState, Work
from nomock.target.past import Act, Course, Happening


class Target(Protocol):
    """Where the services of stacks run; any thread may use it.

    A stack is asked for by the name of its project: that of a compose project, or of a sandbox.
    Times are those of the target's own clock, in seconds since the epoch. Each method raises
    TargetError where the target does not answer.
    """

    address: str
    """Where it is asked, for messages."""

    acts: list[Act]
    """What this process did to containers, in order."""

    @property
    def answered_s(self) -> float | None:
        """When it answered the last time, by the monotonic clock; None where it never did."""

    @property
    def locator(self) -> Locator:
        """By which this process reaches the containers."""

    def identity(self) -> str:
        """Return what tells it from others, whatever its address is; "" if nothing does."""
        ...

    def gone(self, within_s: float) -> NomockError | None:
        """Return why it does not answer for as long as that; None once it does."""
        ...

    def now_s(self) -> float:
        """Return the time on its clock."""
        ...

    # How containers are

    def containers(self, project: str, *, timeout_s: float | None = None) -> list[Container]:
        """Return the containers of a stack, stopped ones too; of replicas the first comes first."""
        ...

    def container(self, project: str, container_id: str) -> Container | None:
        """Return one container of a stack; None if it is gone."""
        ...

    def container_state(self, container_id: str) -> ContainerState | None:
        """Return how a container is; None if it is gone."""
        ...

    def container_config(self, container_id: str) -> ContainerConfig | None:
        """Return what a container was started with; None if it is gone."""
        ...

    def exit_state(self, container_id: str) -> ExitState | None:
        """Return how a container ended, and how often it was started again; None if it is gone."""
        ...

    def addresses(self, container_id: str) -> Mapping[str, Sequence[str]]:
        """Return network -> the addresses under which others in it reach a container."""
        ...

    def last_check(self, container_id: str) -> ExecResult | None:
        """Return how its healthcheck ended the last time, None where that is not known."""
        ...

    def is_ending(self, container_id: str) -> bool:
        """Tell whether no process is left in a container that is still called running."""
        ...

    def work(self, container_id: str) -> Work:
        """Return what a running container does."""
        ...

    def has_file(self, container_id: str, path: str) -> bool:
        """Tell whether a container has something at a path."""
        ...

    # What was

    def course(self, container_id: str) -> Course | None:
        """Return how a container is and came to it; None if it is gone."""
        ...

    def happenings(self, project: str, *, since_s: float, until_s: float) -> list[Happening]:
        """Return what happened to a stack's containers, so far as it is remembered."""
        ...

    def logs(
        self,
        container_id: str,
        *,
        since_s: float | None = None,
        tail: int | None = None,
        most_bytes: int | None = None,
    ) -> str:
        """Return what a container logged, each line behind its RFC 3339 time stamp.

        ``tail`` keeps the newest lines. Of more than ``most_bytes`` the first are read.
        """
        ...

    def log_text(
        self, container_id: str, *, since_s: float | None = None, tail: int | None = None
    ) -> str:
        """Return what a container logged, without the time stamps."""
        ...

    def follow_logs(self, container_id: str, *, since_s: float) -> Iterator[str]:
        """Yield each line behind its RFC 3339 time stamp, until the container ends."""
        ...

    # What is done to them

    def run_inside(self, container_id: str, command: Sequence[str]) -> ExecResult:
        """Run a command in a running container, as its user and in its folder, to its end."""
        ...

    def execute(self, container_id: str, command: Sequence[str]) -> Executed:
        """Run a command in a running container, to its end, and return its two streams apart."""
        ...

    def start(self, container_id: str) -> None:
        """Start a container that was stopped."""
        ...

    def stop(self, container_id: str, timeout_s: int | None = None) -> None:
        """Send the stop signal; SIGKILL follows after timeout_s (the container's own if None)."""
        ...

    def kill(self, container_id: str, signal: str = "SIGKILL") -> None:
        """Send a signal to a container's first process."""
        ...

    def end(self, container_id: str, signal: str = "SIGKILL") -> None:
        """Send a signal that ends a container, which then stays so until it is started.

        Raises NotPossibleError where it would not stay so.
        """
        ...

    def pause(self, container_id: str) -> None:
        """Freeze all processes of a container."""
        ...

    def unpause(self, container_id: str) -> None:
        """Let the processes of a paused container go on."""
        ...

    # What stands beside them

    def begin_beside(
        self, container_id: str, command: Sequence[str], *, image: str, owner: str
    ) -> Conversation:
        """Begin a program in the network of a running container, with the right to change that.

        It ends with that network at the latest. ``owner`` is what ``owners_beside`` tells of it: a
        process, by its machine and number. Raises TargetError where it does not begin,
        NotPossibleError where the target does not let it.
        """
        ...

    def owners_beside(self, container_id: str) -> list[str]:
        """Return the owner of each program that runs beside a container."""
        ...
