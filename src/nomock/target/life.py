"""Whether a container lives, what it does, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class ContainerState:
    """Whether a container lives, since when, and how it ended the last time."""

    state: str
    """created, running, paused, restarting, removing, exited or dead."""
    started_at: str
    """A new one each time that it is started."""
    finished_at: str
    exit_code: int
    out_of_memory: bool
    joins: Mapping[str, str]
    """``network``, ``processes``, ``ipc`` -> the container, by id or name, whose it has."""
    network: str = ""
    """What tells the network that it has from an earlier one; "" where it has none."""


@dataclass(frozen=True)
class ExitState:
    """How a container ended, or how often it was started again."""

    exit_code: int
    out_of_memory: bool
    perhaps_out_of_memory: bool
    """It was killed and has a limit of its memory, and the kernel told the engine nothing: cgroup
    v1 forgets why when the container is gone before it is asked."""
    restarts: int
    restart_policy: str
    """no, always, unless-stopped or on-failure."""
    ran_s: float
    """How long it had run."""
    lives_again: bool
    """Whether it has been started again meanwhile, so that its exit code is not known any more."""
    was_healthy: bool
    """Whether its healthcheck had passed: one of the last five that were asked."""
    finished_at: str


@dataclass(frozen=True)
class Work:
    """What the processes of a container do."""

    cpu_s: float
    """How long they have used a CPU since it was started, in seconds."""
    is_busy: bool
    """Whether one of them works, waits for a CPU, or for a disk."""
