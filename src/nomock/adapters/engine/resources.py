"""What a container may use of its machine, and what it uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nomock.adapters.engine.answers import said
from nomock.adapters.engine.inspection import Inspection
from nomock.adapters.engine.passing import passes
from nomock.target import Work

UNLIMITED_BYTES = 1 << 62
"""More than any machine has: the engine takes no other word for "no limit" in an update.

Zero means "as it is" to it, and -1 is below its minimum.
"""
# The kernel's own greatest limit. It is of memory and swap together, so that swap has no limit
# either where the kernel counts it apart (cgroup v2) and the engine passes on the difference.
_UNLIMITED_BOTH_BYTES = (1 << 63) - 4096
_PERIOD_US = 100_000


@dataclass(frozen=True)
class Limits:
    """What a container may use of its machine; None is as much as there is."""

    cpus: float | None
    memory_bytes: int | None
    with_swap_bytes: int | None


@dataclass(frozen=True)
class Machine:
    """What the engine's machine has."""

    cpus: int
    memory_bytes: int
    data_folder: str
    """Where the engine keeps images and volumes, on its own machine."""
    is_rootless: bool
    """Whether the engine runs without root's rights, so that no container can have them."""


@dataclass(frozen=True)
class Pressure:
    """What a container's limits did to it since it was started."""

    periods: int
    """Tenths of a second in which it ran, while its CPU was limited."""
    throttled_periods: int
    """The periods in which the container was stopped, having used up its share of CPU."""
    memory_bytes: int
    """What it takes now."""


class Resources(Inspection):
    """Asks for the resources of a container, and limits them."""

    def machine(self) -> Machine:
        """Return what there is for all containers together."""
        found = self._call("GET", "/info")
        with self._reading("GET /info", found):
            return Machine(
                cpus=found["NCPU"],
                memory_bytes=found["MemTotal"],
                data_folder=found.get("DockerRootDir") or "",
                is_rootless="name=rootless" in (found.get("SecurityOptions") or []),
            )

    def limits(self, container_id: str) -> Limits | None:
        """Return what a container may use; None if it is gone."""
        found = self._inspect(container_id)
        return None if found is None else _limits(found["HostConfig"])

    def limit_cpus(self, container_id: str, cpus: float | None) -> None:
        """Let a container use so many CPUs from now on, None for all there are."""
        found = self._inspect(container_id)
        if found is not None and (asked := _cpu(cpus, found["HostConfig"])):
            self._call("POST", f"/containers/{container_id}/update", json=asked)

    def limit_memory(
        self, container_id: str, memory_bytes: int | None, with_swap_bytes: int | None
    ) -> None:
        """Let a container use so much memory, and with swap so much, from now on; None for all."""
        # Both at once: the engine refuses a limit above the other one's.
        asked = {
            "Memory": memory_bytes or UNLIMITED_BYTES,
            "MemorySwap": with_swap_bytes or _UNLIMITED_BOTH_BYTES,
        }
        self._call("POST", f"/containers/{container_id}/update", json=asked)

    def pressure(self, container_id: str) -> Pressure:
        """Return what a running container's limits did to it."""
        found = self._stats(container_id)
        with self._reading(f"GET /containers/{container_id}/stats", found):
            throttling = found["cpu_stats"].get("throttling_data", {})
            return Pressure(
                periods=throttling.get("periods", 0),
                throttled_periods=throttling.get("throttled_periods", 0),
                memory_bytes=found["memory_stats"].get("usage", 0),
            )

    def work(self, container_id: str) -> Work:
        """Return what a running container does. Raises EngineError where it does not run."""
        used_ns = self._stats(container_id)["cpu_stats"]["cpu_usage"]["total_usage"]
        # Asked once: one that is between two lives is refused until the next, which may be long.
        asked, path = {"ps_args": "-o pid,stat"}, f"/containers/{container_id}/top"
        with self._request("GET", path, asked) as response:
            body = response.read()
        states = []  # where its machine has no ps, what it has used has to do
        if response.status < 400 or passes(response.status, said(body)):
            found = self._answer(response, body, f"GET {path}")
            states = [process[-1] for process in found["Processes"] or []]
        return Work(cpu_s=used_ns / 1e9, is_busy=any(s[:1] in {"R", "D"} for s in states))

    def _stats(self, container_id: str) -> Mapping[str, Any]:
        once = {"stream": "0", "one-shot": "1"}
        found: Mapping[str, Any] = self._call("GET", f"/containers/{container_id}/stats", once)
        return found


def _limits(host: Mapping[str, Any]) -> Limits:
    quota, period = host.get("CpuQuota", 0), host.get("CpuPeriod") or _PERIOD_US
    cpus = host.get("NanoCpus", 0) / 1e9 or (quota / period if quota > 0 else 0)
    memory, both = host.get("Memory", 0), host.get("MemorySwap", 0)
    return Limits(
        cpus=cpus or None,
        memory_bytes=memory if 0 < memory < UNLIMITED_BYTES else None,
        with_swap_bytes=both if 0 < both < _UNLIMITED_BOTH_BYTES else None,
    )


def _cpu(cpus: float | None, host: Mapping[str, Any]) -> dict[str, int]:
    """Return the update in the words in which the container was created: it takes no others."""
    if host.get("NanoCpus"):
        return {"NanoCpus": round(cpus * 1e9)} if cpus is not None else {}
    if cpus is not None:
        return {"CpuQuota": round(cpus * (host.get("CpuPeriod") or _PERIOD_US))}
    return {"CpuQuota": -1} if host.get("CpuQuota", 0) > 0 else {}
