"""A service's clock is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from nomock.errors import FaultError, NotPossibleError
from nomock.faults.fault import NoState, wrong
from nomock.faults.service_fault import ServiceFault, containers, existing
from nomock.faults.stack_control import StackControl
from nomock.project import Project

_LEAST_S = 2
"""What can be told by a clock that shows seconds."""
_MOST_S = 20 * 365 * 86_400
_FILE = "FAKETIME_TIMESTAMP_FILE"
_FOLDER = "/dev/shm/"
"""Each container has one of its own, in memory: what is in it ends when the container does."""
_WRITE = 'printf %s "$1" > "$2"'
_SHOW = "date +%s; LD_PRELOAD= date +%s"


@dataclass(frozen=True, kw_only=True)
class Skew(ServiceFault):
    """Its clock is offset_s seconds ahead, or behind where that is negative.

    By libfaketime, which has to be preloaded in the container. Programs that ask the kernel for the
    time by themselves, as those in Go, are not fooled.
    """

    kind = "skew"

    offset_s: float

    def validate_kind(self, control: StackControl) -> None:
        """Refuse an absurd offset, and a container without the library."""
        super().validate_kind(control)
        is_number = isinstance(self.offset_s, int | float) and not isinstance(self.offset_s, bool)
        if not is_number or not _LEAST_S <= abs(self.offset_s) <= _MOST_S:
            rule = f"it is a number of seconds from {_LEAST_S} to {_MOST_S}, or as far below zero"
            raise wrong(self, "offset_s", self.offset_s, rule)
        for container in existing(control, self.service):
            lacking = _lacking(_environment(control, container.id))
            if not lacking and _shift_s(said := _shown(control, container.id)) is None:
                lacking = [f"sh and date do not tell its time: {said}"]
            if lacking:
                raise NotPossibleError(
                    "libfaketime is not set up in its container",
                    where=f"fault {self.name}",
                    seen="\n".join(lacking),
                    todo="add the overlay that nomock docs faults shows",
                )

    def begin(self, control: StackControl, state: NoState) -> None:
        """Put its clock wrong."""
        for id_ in _running(control, self.service):
            self._set(control, id_, self.offset_s)

    def observe_effect(self, control: StackControl, state: NoState, begun: object) -> str:
        """Say what its clock shows, if that is what was wanted."""
        shifts = [_shift_s(_shown(control, id_)) for id_ in _running(control, self.service)]
        wanted = [s for s in shifts if s is not None and abs(s - self.offset_s) < _LEAST_S]
        return f"its clock shows {wanted[0]:+} s" if wanted else ""

    def heal(self, control: StackControl, state: NoState) -> None:
        """Put its clock right; one that does not run has lost the file, and will be right."""
        for id_ in _running(control, self.service):
            if not _lacking(_environment(control, id_)):
                self._set(control, id_, 0)

    def by_hand(self, project: Project) -> str:
        """Name the service, whose clock is right when it is started again."""
        return f"its clock may be wrong still: docker compose restart {self.service}"

    def _set(self, control: StackControl, id_: str, offset_s: float) -> None:
        path = _environment(control, id_)[_FILE]
        done = control.target.run_inside(id_, ["sh", "-c", _WRITE, "sh", f"{offset_s:+.3f}", path])
        if done.exit_code:
            raise FaultError(
                "its clock could not be set",
                where=f"fault {self.name}",
                seen=done.output,
                todo=f"let its user write {path}",
            )


def _running(control: StackControl, service: str) -> list[str]:
    return [c.id for c in containers(control, service) if c.state == "running"]


def _environment(control: StackControl, id_: str) -> Mapping[str, str]:
    started = control.target.container_config(id_)
    return started.environment if started is not None else {}


def _lacking(environment: Mapping[str, str]) -> list[str]:
    """Return what an environment lacks for libfaketime to do what it is told, when it is told."""
    needed = {
        "LD_PRELOAD=…libfaketime.so.1": "faketime" in environment.get("LD_PRELOAD", ""),
        f"{_FILE}={_FOLDER}…": environment.get(_FILE, "").startswith(_FOLDER),
        "FAKETIME_NO_CACHE=1": environment.get("FAKETIME_NO_CACHE") == "1",
    }
    return [
        f"its environment lacks {variable}" for variable, is_there in needed.items() if not is_there
    ]


def _shown(control: StackControl, id_: str) -> str:
    """Return its time and the right one, or what there is to say instead."""
    return control.target.run_inside(id_, ["sh", "-c", _SHOW]).output


def _shift_s(shown: str) -> int | None:
    times = re.fullmatch(r"(\d+)\n(\d+)\n", shown)
    return int(times[1]) - int(times[2]) if times else None
