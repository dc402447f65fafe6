"""Whether the Pythons that a container's service consists of have a spy, or only others in it.

A healthcheck's Python may prove that the spy works there, or a launcher that has become another
program since, while the service itself runs without: its entry point sets PYTHONPATH anew, or
another sitecustomize is found before the spy's.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nomock.coverage.python_startup import obstacle_in
from nomock.errors import TargetError
from nomock.target import Container, Target

_LOOK = Path(__file__).with_name("look.py").read_text(encoding="utf-8")
_MARK = "nomock-look "
# Younger ones may not have come to start their spy, on a busy machine, and may be gone at once.
_OLD_ENOUGH_S = 5.0
HAND_ON = (
    "have its entry point hand its environment on, and keep what PYTHONPATH holds in front of its "
    "own: PYTHONPATH=$PYTHONPATH:/app; or take the service out of the overlay"
)


@dataclass(frozen=True)
class Unspied:
    """A Python of a service in which no spy started."""

    pid: int
    words: tuple[str, ...]
    path: str
    """Its PYTHONPATH."""
    out: str
    """Its NOMOCK_SPY_OUT."""
    readable: bool
    """Whether the two could be looked up."""

    def __str__(self) -> str:
        return f"its process {self.pid} ({' '.join(self.words)[:200]}) has no spy: {self._why}"

    @property
    def _why(self) -> str:
        if not self.readable:
            return "its environment may not be read; its entry point may have changed it"
        if reason := obstacle_in(self.words):
            return reason
        if not self.out:
            return "its environment has no NOMOCK_SPY_OUT, which the container's has"
        if not self.path:
            return "its environment has no PYTHONPATH, which the container's has"
        return (
            f"its PYTHONPATH is {self.path}: without the spy's folder, or with another "
            "sitecustomize in front of it"
        )


def unspied(
    target: Target, container: Container, spied: Collection[int] = (), pythons: Iterable[str] = ()
) -> tuple[list[Unspied], bool]:
    """Return the service's Pythons without a spy, and whether those there are, are too young.

    ``spied`` are the processes that have a spy, ``pythons`` programs of the container that can be
    asked. Those that are started so that they have none, by ``-I``, count where no other has one.
    """
    found = _look(target, container, [*pythons, "python3", "python"])
    without = [p for p in found if p["pid"] not in spied]
    has_one = len(without) < len(found)
    named = [
        Unspied(p["pid"], tuple(p["words"]), p["path"], p["out"], p["readable"])
        for p in without
        if p["age_s"] >= _OLD_ENOUGH_S and not (has_one and obstacle_in(p["words"]))
    ]
    return named, bool(without) and not has_one and not named


def _look(target: Target, container: Container, pythons: Iterable[str]) -> list[dict[str, Any]]:
    for python in dict.fromkeys(pythons):
        try:
            ended = target.run_inside(container.id, [python, "-I", "-S", "-c", _LOOK])
        except TargetError:  # it has ended meanwhile
            return []
        for line in ended.output.splitlines():
            if line.startswith(_MARK):
                found: list[dict[str, Any]] = json.loads(line.removeprefix(_MARK))
                return found
    return []
