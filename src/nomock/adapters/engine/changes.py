"""What faults do to a container that runs: freeze it, or take it off a network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from nomock.adapters.engine.inspection import path_of
from nomock.adapters.engine.resources import Resources


class Changes(Resources):
    """Changes containers that run."""

    def pause(self, container_id: str) -> None:
        """Freeze all processes of a container."""
        self._acted(container_id, "pause")
        self._call("POST", f"/containers/{container_id}/pause", done="is already paused")

    def unpause(self, container_id: str) -> None:
        """Let the processes of a paused container go on."""
        self._acted(container_id, "unpause")
        self._call("POST", f"/containers/{container_id}/unpause", done="is not paused")

    def networks(self, container_id: str) -> dict[str, dict[str, Any]]:
        """Return network -> what connects a container to it again as it is now; {} if it is gone.

        Not its address, unless it was given one: another may have that by then. Not the hardware
        address either, which the engine ignores (26.1).
        """
        found = self._networks(container_id)
        with self._reading(path_of(container_id), found):
            return {name: _endpoint(n) for name, n in found.items()}

    def addresses(self, container_id: str) -> dict[str, list[str]]:
        """Return network -> the addresses that a container has in it, of IPv4 and IPv6."""
        found = self._networks(container_id)
        with self._reading(path_of(container_id), found):
            return {
                name: [n[key] for key in ("IPAddress", "GlobalIPv6Address") if n.get(key)]
                for name, n in found.items()
            }

    def create_network(self, name: str) -> None:
        """Make a network that has no way out, unless there is one of that name."""
        if not self._networks_named(name):
            self._call("POST", "/networks/create", json={"Name": name, "Internal": True})

    def remove_network(self, name: str) -> None:
        """Remove the networks of that name, if there are any."""
        for id_ in self._networks_named(name):
            self._call("DELETE", f"/networks/{id_}")

    def _networks_named(self, name: str) -> list[str]:
        asked = {"filters": json.dumps({"name": [f"^{name}$"]})}
        return [str(found["Id"]) for found in self._call("GET", "/networks", asked)]

    def connect(self, container_id: str, network: str, endpoint: Mapping[str, Any]) -> None:
        """Connect a container to a network; its published ports are on new ones of this machine."""
        asked = {"Container": container_id, "EndpointConfig": endpoint}
        path = f"/networks/{network}/connect"
        self._call("POST", path, json=asked, done="already exists in network")

    def disconnect(self, container_id: str, network: str) -> None:
        """Disconnect a container from a network."""
        asked = {"Container": container_id, "Force": False}
        path = f"/networks/{network}/disconnect"
        self._call("POST", path, json=asked, done="is not connected to")

    def _networks(self, container_id: str) -> Mapping[str, Any]:
        found = self._inspect(container_id)
        settings = (found or {}).get("NetworkSettings") or {}
        return settings.get("Networks") or {}


def _endpoint(found: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("Aliases", "IPAMConfig", "Links", "DriverOpts", "GwPriority")
    return {key: found[key] for key in kept if found.get(key)}
