"""What the author of a compose file wants of a service: how many, how long, in whose network.

Each function reads a service's part of the resolved configuration, as compose itself reads it:
https://github.com/compose-spec/compose-spec/blob/main/spec.md
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# As Go writes a duration, which is how compose has it: https://pkg.go.dev/time#Duration.String
_UNITS_S = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
_OF_SERVICE = "service:"


def replicas(config: Mapping[str, Any]) -> int:
    """Return how many containers there are to be; 0 where the service is switched off."""
    deploy = config.get("deploy") or {}
    for number in (config.get("scale"), deploy.get("replicas")):
        if number is not None:
            return int(number)
    return 1


def is_job(config: Mapping[str, Any]) -> bool:
    """Tell whether it is deployed as a job, which runs to its end."""
    return str((config.get("deploy") or {}).get("mode", "")).endswith("-job")


def may_end(config: Mapping[str, Any]) -> bool:
    """Tell whether it says by itself that it is not started again after a good end.

    That is not so where it says nothing, though compose does not start it again either.
    """
    policy = (config.get("deploy") or {}).get("restart_policy")
    said = policy.get("condition", "") if policy else config.get("restart", "")
    return said.partition(":")[0] in {"no", "none", "on-failure"}


def has_healthcheck(config: Mapping[str, Any]) -> bool:
    """Tell whether it has a healthcheck of its own; one without a test is the image's."""
    check = config.get("healthcheck") or {}
    return bool(check.get("test")) and check["test"] != ["NONE"] and not check.get("disable")


def writable(config: Mapping[str, Any]) -> list[Path]:
    """Return what of this machine it mounts so that it can write to it."""
    return [Path(source) for source, _ in written(config)]


def written(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what of this machine it mounts so that it can write to it, each with its target."""
    volumes = config.get("volumes") or []
    bound = [v for v in volumes if v.get("type") == "bind" and v.get("source")]
    return [(v["source"], str(v.get("target"))) for v in bound if not v.get("read_only")]


def grace_s(config: Mapping[str, Any]) -> float:
    """Return for how long it may go on when it is to stop.

    >>> grace_s({"stop_grace_period": "1m30.5s"}), grace_s({})
    (90.5, 10.0)
    """
    parts = re.findall(r"([\d.]+)(h|ms|us|ns|m|s)", str(config.get("stop_grace_period", "10s")))
    return sum((float(number) * _UNITS_S[unit] for number, unit in parts), 0.0)


def is_on_host(config: Mapping[str, Any]) -> bool:
    """Tell whether it is in the network of the engine's host, where no port needs publishing."""
    return config.get("network_mode") == "host"


def network_owner(config: Mapping[str, Any]) -> str | None:
    """Return the service whose network it shares, which publishes its ports; None without one."""
    mode = config.get("network_mode") or ""
    return mode.removeprefix(_OF_SERVICE) if mode.startswith(_OF_SERVICE) else None


def tcp_ports(config: Mapping[str, Any]) -> list[int]:
    """Return the ports in the container that can be reached from outside, in the file's order.

    On the engine's host those count too that are only exposed: they are the host's own.
    """
    if config.get("network_mode") == "none":
        return []
    ports = [p["target"] for p in config.get("ports") or [] if _protocol(p) == "tcp"]
    if is_on_host(config):
        ports += exposed_ports(config)
    return list(dict.fromkeys(ports))


def exposed_ports(config: Mapping[str, Any]) -> list[int]:
    """Return the TCP ports that the file names for other services only, in its order."""
    exposed = (str(port).partition("/") for port in config.get("expose") or [])
    return [int(port) for port, _, kind in exposed if port.isdigit() and kind in {"", "tcp"}]


def publishes(config: Mapping[str, Any], port: int, protocol: str) -> bool:
    """Tell whether a port in the container can be reached from outside."""
    if protocol == "tcp":
        return port in tcp_ports(config)
    return any((p["target"], _protocol(p)) == (port, protocol) for p in config.get("ports") or [])


def _protocol(port: Mapping[str, Any]) -> str:
    return str(port.get("protocol") or "tcp")
