"""Whether a container lives, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


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


def state_of(found: Mapping[str, Any]) -> ContainerState:
    """Read what the engine says of one container."""
    state = found["State"]
    return ContainerState(
        state=state["Status"],
        started_at=state["StartedAt"],
        finished_at=state["FinishedAt"],
        exit_code=state["ExitCode"],
        out_of_memory=bool(state.get("OOMKilled")),
        joins=_joined(found["HostConfig"]),
    )


def exit_state_of(found: Mapping[str, Any], *, perhaps_out_of_memory: bool) -> ExitState:
    """Read what the engine says of the end of one container."""
    state = found["State"]
    policy = found["HostConfig"].get("RestartPolicy") or {}
    checks = (state.get("Health") or {}).get("Log") or []
    ran = datetime.fromisoformat(state["FinishedAt"]) - datetime.fromisoformat(state["StartedAt"])
    return ExitState(
        exit_code=state["ExitCode"],
        out_of_memory=bool(state.get("OOMKilled")),
        perhaps_out_of_memory=perhaps_out_of_memory,
        restarts=found.get("RestartCount", 0),
        restart_policy=policy.get("Name") or "no",
        ran_s=max(0.0, ran.total_seconds()),
        lives_again=state["Status"] == "running",
        was_healthy=any(check["ExitCode"] == 0 for check in checks),
        finished_at=state["FinishedAt"],
    )


def _joined(host: Mapping[str, Any]) -> dict[str, str]:
    keys = {"network": "NetworkMode", "processes": "PidMode", "ipc": "IpcMode"}
    modes = {what: str(host.get(key) or "").partition(":") for what, key in keys.items()}
    return {what: named for what, (how, _, named) in modes.items() if how == "container"}
