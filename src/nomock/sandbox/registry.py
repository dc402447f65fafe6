"""Where images are pushed to, so that a cluster can pull them."""

from __future__ import annotations

from nomock.config import Settings
from nomock.errors import ConfigError
from nomock.sandbox.node.local import registry


def registry_of(settings: Settings, given: str | None) -> str:
    """Return what names of images begin with: that which was given, else the local node's own.

    Raises ConfigError for another cluster without a registry, and where there is no local node.
    """
    if given:
        return given.rstrip("/")
    if settings.context is not None:
        raise ConfigError(
            "no registry is named",
            where=f"context {settings.context}",
            seen="a cluster pulls images from a registry that you can push to",
            todo="--registry HOST/PATH, such as europe-docker.pkg.dev/PROJECT/REPOSITORY",
        )
    return registry()
