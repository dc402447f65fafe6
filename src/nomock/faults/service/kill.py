"""A service dies."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from nomock.errors import ConfigError
from nomock.faults.service_fault import (
    LifecycleFault,
    Lived,
    LivesState,
    are_gone,
    lives,
    wait_until_listed,
)
from nomock.faults.stack_control import StackControl
from nomock.target import ContainerState

_ENDS_NOTHING = {"SIGCHLD", "SIGCLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU"}
_ENDS_NOTHING |= {"SIGURG", "SIGWINCH"}
_BY_SIGKILL = 137


@dataclass(frozen=True)
class Kill(LifecycleFault):
    """It gets a signal that ends it, and is started again when healed.

    The engine switches a container's restart policy off when it sends a signal, so it stays dead
    meanwhile. With another signal than SIGKILL it may take its time to end, or not end at all.
    """

    kind = "kill"

    signal: str = "SIGKILL"

    def validate_kind(self, control: StackControl) -> None:
        """Refuse what is no signal that ends a process."""
        super().validate_kind(control)
        if self.signal not in signal.Signals.__members__ or self.signal in _ENDS_NOTHING:
            raise ConfigError(
                f"{self.signal!r} is no signal that ends a process",
                where=f"fault {self.name}",
                todo="SIGKILL, SIGTERM, SIGINT…; to make it hang: pause",
            )

    def begin(self, control: StackControl, state: LivesState) -> None:
        """Send the signal; after SIGKILL it has ended when this returns."""
        for id_ in state["before"]:
            control.target.end(id_, self.signal)
        if self.signal == "SIGKILL":
            wait_until_listed(control, self.service, lambda c: c.state != "running")

    def observe_effect(self, control: StackControl, state: LivesState, begun: object) -> str:
        """Say how it ended, if it did since, and not for another reason."""
        ended = [life for before, life in lives(control, state) if self._ended(before, life)]
        codes = ", ".join(str(life.exit_code) for life in ended)
        if ended:
            return f"ended with {codes} after {self.signal}"
        is_gone = self.signal == "SIGKILL" and are_gone(control, state)
        return "its pods are gone, without any grace" if is_gone else ""

    def heal(self, control: StackControl, state: LivesState) -> None:
        """Start it again and wait until it is ready."""
        if self.signal != "SIGKILL":
            for id_, before in state["before"].items():
                life = control.target.container_state(id_)
                if life is not None and life.started_at == before["started_at"]:
                    # It may be about to end, and has no restart policy until it is started again.
                    control.target.stop(id_)
        super().heal(control, state)

    def _ended(self, before: Lived, life: ContainerState) -> bool:
        if life.finished_at == before["finished_at"] or life.out_of_memory:
            return False
        is_other = self.signal == "SIGKILL" and life.state == "exited"
        return not (is_other and life.exit_code != _BY_SIGKILL)
