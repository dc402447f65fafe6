"""Why a stack is not ready to be used."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from nomock.errors.base import NomockError
from nomock.errors.project import ConfigError


class NotReadyError(NomockError):
    """The stack did not become ready before the deadline."""


class LaneError(NotReadyError):
    """The stack that one worker of a run has for itself is not ready."""

    def __init__(self, stack: str, worker: int, why: NomockError) -> None:
        """``why`` is what kept it from that."""
        self.stack = stack
        # Of what stands in the files the cure is that; what did not start has logged why.
        is_of_files = isinstance(why, ConfigError)
        cure = why.todo if is_of_files else f"see all of it: docker compose -p {stack} logs"
        super().__init__(
            "it is not ready, and without it no test of this worker can run",
            where=f"stack {stack}, the lane of worker {worker}",
            seen=f"{why.where}: {why.what}\n{why.seen}",
            todo=f"{cure}; or share one stack: --nomock-lanes shared",
        )


class ServiceDiedError(NotReadyError):
    """A service ended or is unhealthy, so that waiting has no use."""

    def __init__(
        self, service: str, what: str, *, log: str, hints: Sequence[str] = (), todo: str = ""
    ) -> None:
        """``hints``: what else may tell why; ``todo``: more than to read its log."""
        self.service = service
        self.log = log
        logs = f"see all of it: nomock logs {service}"
        super().__init__(
            what,
            where=f"service {service}",
            seen="\n".join([*hints, log or "(it logged nothing)"]),
            todo=f"{logs}; {todo}" if todo else logs,
        )


class UnreachableError(NotReadyError):
    """A port is published where this machine does not reach it."""

    def __init__(
        self,
        service: str,
        port: str,
        *,
        bindings: Iterable[str],
        refused: Mapping[str, str],
        todo: str,
    ) -> None:
        """``bindings``: where it is; ``refused``: address -> why it was not reached there."""
        self.refused = dict(refused)
        super().__init__(
            f"port {port} cannot be reached from here",
            where=f"service {service}",
            seen="\n".join(
                [
                    f"the engine has it on {', '.join(bindings)}",
                    *(f"{address}: {refused[address]}" for address in refused),
                ]
            ),
            todo=todo,
        )


class LockedError(NomockError):
    """Another run owns the stack and did not let go in time."""
