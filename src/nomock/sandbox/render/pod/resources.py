"""What a container may take, and what is kept for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lightkube.models.core_v1 import ResourceRequirements

from nomock.sandbox.render.place import Place
from nomock.sandbox.render.values import cpu, memory, number_of


def resources_of(config: Mapping[str, Any], place: Place) -> ResourceRequirements | None:
    """Return the limits and requests of a container; None where it has none of its own.

    Kubernetes takes a limit for a request, too, where there is none; compose keeps nothing for
    those that it limits. So a limit comes with the request that the sandbox gives everybody.
    """
    said = (config.get("deploy") or {}).get("resources") or {}
    limits = _quantities(said.get("limits"), config.get("cpus"), config.get("mem_limit"))
    requests = _quantities(said.get("reservations"), None, config.get("mem_reservation"))
    if not limits and not requests:
        return None
    for name, limit in limits.items():
        usual = place.default_request.get(name)
        if usual and number_of(usual) <= number_of(limit):
            requests.setdefault(name, usual)
    return ResourceRequirements(limits=limits or None, requests=requests or None)


def _quantities(said: Mapping[str, Any] | None, cpus: Any, size: Any) -> dict[str, str]:
    cpus = (said or {}).get("cpus") or cpus
    size = (said or {}).get("memory") or size
    found = {}
    if cpus:
        found["cpu"] = cpu(cpus)
    if size and str(size) != "0":  # which is no limit
        found["memory"] = memory(size)
    return found
