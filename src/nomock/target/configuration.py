"""What a container was started with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Mount:
    """What is mounted into a container."""

    source: str
    is_writable: bool


@dataclass(frozen=True)
class ContainerConfig:
    """What a container was started with."""

    hostname: str
    """Empty where it is the machine's own."""
    command: tuple[str, ...]
    """The entry point with its arguments."""
    environment: Mapping[str, str]
    mounts: Mapping[str, Mount]
    """By the path in the container."""
