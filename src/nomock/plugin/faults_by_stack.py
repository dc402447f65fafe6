"""The faults of one pytest process on all its stacks: the run's own, lanes, those of fixtures."""

from __future__ import annotations

from collections.abc import Callable

from nomock.errors import NotHealedError
from nomock.plugin.fault_sessions import FaultSessions
from nomock.progress import Progress
from nomock.stack import Stack
from nomock.target import Act


class FaultsByStack:
    """What it takes to break each stack, and what earlier runs left broken there."""

    def __init__(self, *, on_shared: bool, progress: Callable[[], Progress]) -> None:
        """``on_shared``: break a stack also while another run uses it."""
        self._on_shared = on_shared
        self._progress = progress
        self._sessions: dict[Stack, FaultSessions] = {}
        self.not_healed: list[str] = []
        """What earlier runs left broken, and this one could not heal."""

    @property
    def acts(self) -> list[Act]:
        """What this process asked of the engine that starts or ends services, on any stack."""
        return [act for stack in self._sessions for act in stack.target.acts]

    def of(self, stack: Stack) -> FaultSessions:
        """Return what it takes to break a stack; from then on its requests pass the gate."""
        if stack not in self._sessions:
            self._sessions[stack] = FaultSessions(stack, on_shared=self._on_shared, warn=self._warn)
        return self._sessions[stack]

    def forget(self, stack: Stack) -> None:
        """A stack is gone, or no longer this run's."""
        del self._sessions[stack]

    def release(self) -> None:
        """A test is over: it uses nothing any more."""
        for sessions in self._sessions.values():
            sessions.gate.release()

    def close(self) -> None:
        """Heal what is still on, and end what stands beside the services."""
        for sessions in self._sessions.values():
            sessions.close()

    def _warn(self, error: NotHealedError) -> None:
        """Say once, now and at the end, what earlier runs left broken: it ends no run."""
        if str(error) not in self.not_healed:
            self.not_healed.append(str(error))
            self._progress().say(str(error))
