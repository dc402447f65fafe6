"""Containers of pods that are halted or killed at once, as an engine does it."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from nomock.adapters.kubernetes.beside import Beside
from nomock.adapters.kubernetes.conversation import PodConversation
from nomock.adapters.kubernetes.reading import PodName
from nomock.errors import ClusterError
from nomock.target import this_process

_WITHIN_S = 30.0


@dataclass(frozen=True)
class Halting:
    """Halts and kills the processes of containers, by a program that runs among them."""

    beside: Beside
    _halted: dict[PodName, PodConversation] = field(default_factory=dict)

    def is_halted(self, name: PodName) -> bool:
        """Tell whether this process has halted a container; no other one knows."""
        return name in self._halted

    def halt(self, name: PodName) -> None:
        """Halt all processes of a container until ``go_on``, or until this process ends."""
        if name in self._halted:
            return
        conversation = self._among(name)
        try:
            _ask(conversation, "halt")
        except BaseException:
            conversation.close()
            raise
        self._halted[name] = conversation

    def go_on(self, name: PodName) -> None:
        """Let a container's processes go on; nothing where they were not halted, or have ended."""
        if name in self._halted:
            # Where the container has ended meanwhile nobody answers, as is right.
            with closing(self._halted.pop(name)) as conversation, suppress(ClusterError):
                _ask(conversation, "go on")

    def kill(self, names: Iterable[PodName]) -> None:
        """Kill containers with SIGKILL, all at once."""
        with ExitStack() as opened:
            # All of them first: each takes a second to begin.
            ready = [opened.enter_context(closing(self._among(name))) for name in names]
            for conversation in ready:
                _ask(conversation, "kill")

    def _among(self, name: PodName) -> PodConversation:
        command = ["python3", "-IS", "-c", _program()]
        return self.beside.begin(name, command, this_process(), among_its_processes=True)


def _ask(conversation: PodConversation, word: str) -> None:
    answer = conversation.ask(word, _WITHIN_S)
    if answer != "done":
        raise ClusterError(
            f"the container's processes cannot be told to {word}",
            where=f"container {conversation.container_id}",
            seen=answer,
            todo="the namespace has to allow containers with the capability SYS_PTRACE",
        )


@cache
def _program() -> str:
    return Path(__file__).with_name("halting_program.py").read_text(encoding="utf-8")
