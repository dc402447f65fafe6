"""What happened to containers, and who asked for that."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Act:
    """What this process asked of the engine that starts, ends or freezes a container."""

    container_id: str
    what: str
    """start, stop, pause, unpause or the name of a signal."""
    at_s: float
    """When it was asked for, by the monotonic clock."""
    test: str | None
    """The test that ran then."""


@dataclass(frozen=True)
class Probed:
    """One run of a container's healthcheck."""

    ended_s: float
    exit_code: int
    output: str


@dataclass(frozen=True)
class Course:
    """How a container is, and how it came to that; times are the engine's, since the epoch."""

    state: str
    started_s: float | None
    finished_s: float | None
    """When it ended the last time, also if it runs again."""
    exit_code: int
    """The exit code of its last end; 0 once it runs again."""
    out_of_memory: bool
    health: str | None
    unhealthy_since_s: float | None
    """When it turned so; None where it is not, or longer ago than the engine remembers."""
    probes: tuple[Probed, ...]
    """The last runs of its healthcheck, five at the most."""

    @property
    def complaint(self) -> Probed | None:
        """The last run of its healthcheck, where it is unhealthy by that; else None.

        The engine calls one that has ended unhealthy, too, whatever its healthcheck said.
        """
        last = self.probes[-1] if self.probes and self.health == "unhealthy" else None
        return last if last is not None and last.exit_code != 0 else None


@dataclass(frozen=True)
class Happening:
    """One event of a container."""

    at_s: float
    """By the engine's clock, since the epoch."""
    container_id: str
    what: str
    """die, oom, kill, start, destroy, unhealthy or healthy."""
    service: str
    number: int
    exit_code: int | None
    """The exit code of an event ``die``, where the engine says it."""
    signal: str
    """The number of the signal of an event ``kill``."""
