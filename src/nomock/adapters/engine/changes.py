"""What faults do to a container that runs, and what they ask of it before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nomock.adapters.engine.passing import passes
from nomock.adapters.engine.past import Past
from nomock.adapters.engine.state import ExecResult
from nomock.adapters.engine.transport import said

UNLIMITED_BYTES = 1 << 62
"""More than any machine has: the engine takes no other word for "no limit" in an update.

Zero means "as it is" to it, and -1 is below its minimum.
"""
# The kernel's own greatest limit. It is of memory and swap together, so that swap has no limit
# either where the kernel counts it apart (cgroup v2) and the engine passes on the difference.
_UNLIMITED_BOTH_BYTES = (1 << 63) - 4096
_PERIOD_US = 100_000
# What is asked of these parts of a container may be missing, but for this.
_PARTS = {
    "State": {"Status", "ExitCode", "StartedAt", "FinishedAt"},
    "HostConfig": set[str](),
    "Config": set[str](),
}


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


@dataclass(frozen=True)
class Work:
    """What the processes of a container do."""

    cpu_s: float
    """How long they have used a CPU since it was started, in seconds."""
    is_busy: bool
    """Whether one of them works, waits for a CPU, or for a disk."""


@dataclass(frozen=True)
class Pressure:
    """What a container's limits did to it since it was started."""

    periods: int
    """Tenths of a second in which it ran, while its CPU was limited."""
    throttled_periods: int
    """The periods in which the container was stopped, having used up its share of CPU."""
    memory_bytes: int
    """What it takes now."""


class Changes(Past):
    """Changes containers that run."""

    def container_state(self, container_id: str) -> ContainerState | None:
        """Return how a container is; None if it is gone."""
        found = self._inspect(container_id)
        if found is None:
            return None
        with self._reading(_path(container_id), found):
            state = found["State"]
            return ContainerState(
                state=state["Status"],
                started_at=state["StartedAt"],
                finished_at=state["FinishedAt"],
                exit_code=state["ExitCode"],
                out_of_memory=bool(state.get("OOMKilled")),
                joins=_joined(found["HostConfig"]),
            )

    def last_check(self, container_id: str) -> ExecResult | None:
        """Return how a container's healthcheck ended the last time, and what it said.

        None where it has not been asked yet. The verdict may be another one: the engine calls a
        container unhealthy when it is paused, until the next check after that.
        """
        found = self._inspect(container_id) or {"State": {}}
        checks = (found["State"].get("Health") or {}).get("Log") or []
        return ExecResult(checks[-1]["ExitCode"], checks[-1]["Output"]) if checks else None

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
        with self._reading(_path(container_id), found):
            return {name: _endpoint(n) for name, n in found.items()}

    def addresses(self, container_id: str) -> dict[str, list[str]]:
        """Return network -> the addresses that a container has in it, of IPv4 and IPv6."""
        found = self._networks(container_id)
        with self._reading(_path(container_id), found):
            return {
                name: [n[key] for key in ("IPAddress", "GlobalIPv6Address") if n.get(key)]
                for name, n in found.items()
            }

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

    def machine(self) -> Machine:
        """Return what there is for all containers together."""
        found = self._call("GET", "/info")
        with self._reading("GET /info", found):
            return Machine(cpus=found["NCPU"], memory_bytes=found["MemTotal"])

    def identity(self) -> str:
        """Return what tells this engine from others, whatever its address is; "" if nothing."""
        return str(self._call("GET", "/info").get("ID") or "")

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

    def _stats(self, container_id: str) -> Mapping[str, Any]:
        once = {"stream": "0", "one-shot": "1"}
        found: Mapping[str, Any] = self._call("GET", f"/containers/{container_id}/stats", once)
        return found

    def _networks(self, container_id: str) -> Mapping[str, Any]:
        found = self._inspect(container_id)
        settings = (found or {}).get("NetworkSettings") or {}
        return settings.get("Networks") or {}

    def _inspect(self, container_id: str) -> Mapping[str, Any] | None:
        """Return all that the engine says of a container, with the parts that each has."""
        found = self._found(f"/containers/{container_id}/json")
        if found is not None:
            with self._reading(_path(container_id), found):
                for part, fields in _PARTS.items():
                    if missing := fields - found[part].keys():
                        raise KeyError(f"{part}.{sorted(missing)[0]}")
        return found


def _path(container_id: str) -> str:
    return f"GET /containers/{container_id}/json"


def _joined(host: Mapping[str, Any]) -> dict[str, str]:
    keys = {"network": "NetworkMode", "processes": "PidMode", "ipc": "IpcMode"}
    modes = {what: str(host.get(key) or "").partition(":") for what, key in keys.items()}
    return {what: named for what, (how, _, named) in modes.items() if how == "container"}


def _endpoint(found: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("Aliases", "IPAMConfig", "Links", "DriverOpts", "GwPriority")
    return {key: found[key] for key in kept if found.get(key)}


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
