"""The watchdog as faults use it: a container beside a service's, while this process lives."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any

from nomock.errors import TargetError, WatchdogError
from nomock.polling import wait_until
from nomock.target import Conversation, ExecResult, Target, has_ended, this_process

_ANSWERS_WITHIN_S = 60.0
_UNDOES_WITHIN_S = 10.0
_PAUSE_S = 0.01
# The program comes as the first line: it is longer than a cluster may keep of each run. Where none
# comes, whoever began it was killed.
_BEGIN = """\
import json, select, sys
if select.select([0], [], [], 60)[0] and (program := sys.stdin.readline()):
    exec(json.loads(program))
"""

Undo = Mapping[str, Any]
"""One step: ``{"http": [method, path, body]}``, asked of Toxiproxy in that namespace, or
``{"command": [word, …], "input": text}``."""


@dataclass(frozen=True)
class Count:
    """What was seen of a port since it was first asked for, in packets."""

    attempts: int
    """Attempts to connect, those that were refused too."""
    to_server: int
    """Packets with data that were sent to the server."""
    from_server: int
    """Packets with data that the server sent."""


class Watchdog:
    """Does and counts things in the network namespace of a service's container, and guards them.

    It is a container that ends with this process or with that network, whichever is first; what it
    guards is undone then, or when its time is over. May be shared by threads.
    """

    def __init__(self, container_id: str, conversation: Conversation) -> None:
        self.container_id = container_id
        """The one that it is beside."""
        self.id = conversation.container_id
        self.undone: dict[str, str] = {}
        """Guards that were undone at their time, as far as was told: key -> what failed, or ""."""
        self._conversation = conversation
        self._lock = Lock()
        self._hear(conversation.ask(json.dumps(_program()), _ANSWERS_WITHIN_S))

    @classmethod
    def beside(cls, target: Target, container_id: str, image: str) -> Watchdog:
        """Start one beside a running container.

        Raises WatchdogError where it does not start, NotPossibleError where the target does not let
        one stand there.
        """
        where = f"watchdog beside container {_short(container_id)}"
        try:
            conversation = target.begin_beside(
                container_id,
                ["python3", "-IS", "-c", _BEGIN],
                image=image,
                owner=this_process(),
            )
            try:
                return cls(container_id, conversation)
            except BaseException:
                conversation.close()
                raise
        except (TargetError, WatchdogError) as error:
            if error.todo:  # why that is so is known
                raise WatchdogError(
                    error.what, where=where, seen=error.seen, todo=error.todo
                ) from error
            raise WatchdogError(
                "it does not start",
                where=where,
                seen=error.seen or error.what,
                todo=f"the service has to run, {image} to have python3, nft and tc, and the "
                "kernel it runs on nf_tables",
            ) from error

    @property
    def alive(self) -> bool:
        """Whether it answers."""
        try:
            self._ask("ping")
        except WatchdogError:
            return False
        return True

    def counts(self, ports: Iterable[int]) -> dict[int, Count]:
        """Return what was seen of some ports of the namespace, or of others that it talks to.

        A port is counted from the first question for it on. What stays inside the container is not
        seen.
        """
        answer = self._ask("counts", ports=list(ports))
        return {int(port): Count(**count) for port, count in answer.items()}

    def guard(self, key: str, undo: Sequence[Undo], expires_s: float) -> None:
        """Have steps done in this order after some seconds, or when this process is gone.

        They are done whether they were needed or not, and each of them although one before it
        fails. A guard of the same key is replaced. Guards are undone the newest first.
        """
        self._ask("guard", key=key, undo=[dict(step) for step in undo], expires_s=expires_s)

    def unguard(self, key: str) -> None:
        """Forget a guard, if it is there, without undoing anything."""
        self._ask("unguard", key=key)

    def run(self, *command: str, input: str = "") -> ExecResult:
        """Run a command in the namespace, such as nft, tc or ip, to its end."""
        return ExecResult(*self._ask("run", command=command, input=input))

    def close(self) -> None:
        """End it: it undoes what is still guarded, and takes away what it counted with."""
        with self._lock:
            try:
                self._conversation.ask(json.dumps({"do": "end"}), _ANSWERS_WITHIN_S)
            except TargetError:
                pass  # it has ended: as is wanted
            finally:
                self._conversation.close()

    def __enter__(self) -> Watchdog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, do: str, **asked: Any) -> Any:
        with self._lock:
            try:
                answer = self._conversation.ask(json.dumps({"do": do, **asked}), _ANSWERS_WITHIN_S)
            except TargetError as error:
                raise WatchdogError(
                    "it ended, and what it guarded was undone",
                    where=self._where,
                    seen=error.seen or error.what,
                    todo="see whether the service's container was stopped or restarted meanwhile",
                ) from error
            return self._hear(answer)

    def _hear(self, line: str) -> Any:
        told = json.loads(line)
        self.undone.update(told.get("undone", {}))
        if "error" in told:
            raise WatchdogError("it cannot do that", where=self._where, seen=told["error"])
        return told["answer"]

    @property
    def _where(self) -> str:
        return f"watchdog beside container {_short(self.container_id)}"


def until_left_are_undone(target: Target, container_id: str) -> None:
    """Return when no watchdog of a process that was killed is at work beside a container any more.

    It may be late, and would undo what a fault of this process did meanwhile.
    """
    wait_until(
        lambda: not any(map(has_ended, target.owners_beside(container_id))),
        within_s=_UNDOES_WITHIN_S,
        pause_s=_PAUSE_S,
    )


def _short(container_id: str) -> str:
    """Return the id of a container as messages have it: an engine's in short, a pod's name."""
    return container_id.split("/")[1] if "/" in container_id else container_id[:12]


@cache
def _program() -> str:
    return Path(__file__).with_name("program.py").read_text(encoding="utf-8")
