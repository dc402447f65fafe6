"""Where a probe asks for a published port."""

from __future__ import annotations

from nomock.errors import UnpublishedError, UnreachableError
from nomock.readiness.probe import ProbeAnswer
from nomock.target import Address, Container


def published(container: Container, port: int) -> Address | ProbeAnswer:
    """Return where a port in the container is reached, or the "no" where it is not."""
    try:
        return container.published(port)
    except UnpublishedError:
        return ProbeAnswer(False, f"port {port} is not published")
    except UnreachableError as error:
        tried = ", ".join(f"{address}: {why}" for address, why in error.refused.items())
        return ProbeAnswer(False, f"{error.what} ({tried})")
