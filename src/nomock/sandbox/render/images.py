"""What the renderer is told of the image of a service: its name, and what only the image says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Image:
    """An image that a cluster can pull."""

    reference: str
    """Its name, at its best with a digest: ``registry:5000/shop/auth@sha256:…``."""
    ports: tuple[str, ...] = ()
    """What it exposes, in Docker's words: ``8000/tcp``."""
    user: str = ""
    """Who runs in it, where the compose file names nobody; in its own words."""
    users: Mapping[str, str] = field(default_factory=dict)
    """The numbers of its users by their names: ``{"postgres": "999:999"}``. Kubernetes takes only
    numbers."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """The numbers of its groups by their names."""
    stop_signal: str | None = None
    """The signal that it is stopped by, empty where it says none; None where it was not asked."""
    has_chown: bool = True
    """Whether it can give a volume to its user; an image of one program alone cannot."""
    healthcheck: Mapping[str, Any] = field(default_factory=dict)
    """Its own healthcheck, in the words of a compose file; Kubernetes itself would not see it."""


ImageOf = Callable[[str], Image]
"""Returns the image of a service of the compose file."""
