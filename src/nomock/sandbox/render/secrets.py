"""The names of Secrets: those of pods and those of the objects have to be the same."""

from __future__ import annotations

from nomock.sandbox.render.naming import digest
from nomock.sandbox.render.plan import ServicePlan

FILE_KEY = "content"
"""The key of a secret of the compose file in its Secret."""


def environment_name(service: ServicePlan) -> str:
    """Return the name of the Secret that has the secret variables of a service."""
    parts = [part.encode() for pair in sorted(service.secret.items()) for part in pair]
    return f"{service.label}-environment-{digest(service.place.id.encode(), *parts)}"
