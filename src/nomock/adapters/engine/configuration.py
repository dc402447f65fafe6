"""What images and containers are made of: their commands, variables and mounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nomock.target import ContainerConfig, Mount


@dataclass(frozen=True)
class Image:
    """What the list of local images says of one."""

    id: str
    size_bytes: int
    created_s: int
    """Seconds since the epoch."""


@dataclass(frozen=True)
class ImageConfig:
    """What an image says its containers run, where the compose file says nothing else."""

    id: str
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]
    user: str = ""
    """As it says it: a name or a number, perhaps with a group behind a colon."""
    stop_signal: str = ""
    """As ``SIGINT``; empty where it says none."""
    exposed: tuple[str, ...] = ()
    """``8000/tcp``."""
    healthcheck: Mapping[str, Any] = field(default_factory=dict)
    """In the engine's own words: durations are in nanoseconds."""
    digests: tuple[str, ...] = ()
    """Its names in the registries that it was pulled from or pushed to: ``host/name@sha256:…``."""
    layers: tuple[str, ...] = ()
    """The digests of its layers, from the base up."""


def container_config_of(found: Mapping[str, Any]) -> ContainerConfig:
    """Read what the engine says of one container."""
    return ContainerConfig(
        hostname=found["Config"].get("Hostname") or "",
        command=(found["Path"], *found["Args"]),
        environment=_variables(found["Config"]),
        mounts={m["Destination"]: Mount(m["Source"], m["RW"]) for m in found["Mounts"]},
    )


def image_config_of(found: Mapping[str, Any]) -> ImageConfig:
    """Read what the engine says of one image."""
    config = found.get("Config") or {}
    return ImageConfig(
        id=found["Id"],
        entrypoint=tuple(config.get("Entrypoint") or ()),
        command=tuple(config.get("Cmd") or ()),
        environment=_variables(config),
        user=config.get("User") or "",
        stop_signal=config.get("StopSignal") or "",
        exposed=tuple(config.get("ExposedPorts") or ()),
        healthcheck=config.get("Healthcheck") or {},
        digests=tuple(found.get("RepoDigests") or ()),
        layers=tuple((found.get("RootFS") or {}).get("Layers") or ()),
    )


def _variables(config: Mapping[str, Any]) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in config.get("Env") or () if "=" in pair)
