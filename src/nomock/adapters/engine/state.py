"""Whether a container lives, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from nomock.target import ContainerState, ExitState

_HAS_A_NETWORK = {"running", "paused"}


def state_of(found: Mapping[str, Any]) -> ContainerState:
    """Read what the engine says of one container."""
    state = found["State"]
    return ContainerState(
        state=state["Status"],
        started_at=state["StartedAt"],
        finished_at=state["FinishedAt"],
        exit_code=state["ExitCode"],
        out_of_memory=bool(state.get("OOMKilled")),
        # With each start the network is another one.
        network=state["StartedAt"] if state["Status"] in _HAS_A_NETWORK else "",
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
