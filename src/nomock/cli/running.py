"""How commands run pytest: in a process of its own, on the stack that they were told."""

from __future__ import annotations

import os

from nomock.config import Settings


def environ_of(settings: Settings) -> dict[str, str]:
    """Return the environment in which pytest takes the stack that options named."""
    environ = dict(os.environ)
    if settings.sources.get("files") == "option":
        environ["NOMOCK_FILES"] = os.pathsep.join(map(str, settings.files))
    if settings.sources.get("project") == "option" and settings.project:
        environ["NOMOCK_PROJECT"] = settings.project
    return environ
