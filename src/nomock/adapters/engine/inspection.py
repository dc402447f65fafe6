"""What the engine says of one container, asked by its id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nomock.adapters.engine.past import Past
from nomock.adapters.engine.state import state_of
from nomock.target import ContainerState, ExecResult

# What is asked of these parts of a container may be missing, but for this.
_PARTS = {
    "State": {"Status", "ExitCode", "StartedAt", "FinishedAt"},
    "HostConfig": set[str](),
    "Config": set[str](),
}


class Inspection(Past):
    """Asks how one container is."""

    def container_state(self, container_id: str) -> ContainerState | None:
        """Return how a container is; None if it is gone."""
        found = self._inspect(container_id)
        if found is None:
            return None
        with self._reading(path_of(container_id), found):
            return state_of(found)

    def last_check(self, container_id: str) -> ExecResult | None:
        """Return how a container's healthcheck ended the last time, and what it said.

        None where it has not been asked yet. The verdict may be another one: the engine calls a
        container unhealthy when it is paused, until the next check after that.
        """
        found = self._inspect(container_id) or {"State": {}}
        checks = (found["State"].get("Health") or {}).get("Log") or []
        return ExecResult(checks[-1]["ExitCode"], checks[-1]["Output"]) if checks else None

    def _inspect(self, container_id: str) -> Mapping[str, Any] | None:
        """Return all that the engine says of a container, with the parts that each has."""
        found = self._found(f"/containers/{container_id}/json")
        if found is not None:
            with self._reading(path_of(container_id), found):
                for part, fields in _PARTS.items():
                    if missing := fields - found[part].keys():
                        raise KeyError(f"{part}.{sorted(missing)[0]}")
        return found


def path_of(container_id: str) -> str:
    """Return the request for one container, as errors name it."""
    return f"GET /containers/{container_id}/json"
