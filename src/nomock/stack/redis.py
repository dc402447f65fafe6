"""The stack's Redis, or what speaks its protocol: which service it is, and its keys."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from nomock.errors import ConfigError
from nomock.project import Project, ServiceConfig
from nomock.stack.service import Service
from nomock.stack.stack import Stack

# The last part of an image's name, without what stands beside a server.
_IMAGE = re.compile(r"(^|[-_.])(redis|valkey|keydb|dragonfly)([-_.]|$|\d)")
_BESIDE = re.compile(r"exporter|backup|sentinel|insight|commander|admin|proxy")
_PORT = 6379
_PASSWORDS = ("REDIS_PASSWORD", "VALKEY_PASSWORD")


class Redis:
    """Finds and deletes keys, with the password of its container."""

    def __init__(self, service: Service) -> None:
        self.service = service

    @classmethod
    def of(cls, stack: Stack, name: str = "") -> Redis:
        """Return that of a stack; ``name``: the service, where more than one looks like one.

        Raises ConfigError where it is not clear which it is.
        """
        return cls(stack[name or _only(stack.project)].aside())

    def keys(self, patterns: Iterable[str], *, db: int = 0) -> set[bytes]:
        """Return the keys of some patterns; raise CleanupError, ConfigError without its package."""
        from nomock.adapters.redis import keys

        with self._connected(db) as client:
            return {key for pattern in patterns for some in keys(client, pattern) for key in some}

    def lasting(self, *, db: int = 0) -> dict[bytes, tuple[str, int]]:
        """Return key -> its type and its entries, of all that do not expire. Raises as ``keys``."""
        from nomock.adapters.redis import lasting

        with self._connected(db) as client:
            return lasting(client)

    def delete(self, names: Sequence[bytes | str], *, db: int = 0) -> int:
        """Delete keys; return how many there were. Raises as ``keys``."""
        from nomock.adapters.redis import delete

        with self._connected(db) as client:
            pieces = [names[at : at + 500] for at in range(0, len(names), 500)]
            return sum(delete(client, piece) for piece in pieces)

    def _connected(self, db: int) -> Any:
        from nomock.adapters.redis import connected

        config = self.service.config
        published = config.published_ports
        port = published[0] if len(published) == 1 else _PORT
        return connected(
            self.service.name, self.service.address(port), password=self._password(), db=db
        )

    def _password(self) -> str:
        command = self.service.config.config.get("command") or []
        words = command if isinstance(command, list) else str(command).split()
        named = [after for word, after in pairwise(words) if word == "--requirepass"]
        environment = self.service.environment()
        return next((environment[n] for n in _PASSWORDS if environment.get(n)), *named[:1] or [""])


def _only(project: Project) -> str:
    found = [service.name for service in project.services.values() if _is_server(service)]
    if len(found) == 1:
        return found[0]
    raise ConfigError(
        "which service is the Redis?" if found else "no service looks like a Redis",
        where=f"stack {project.name}",
        seen=f"{'candidates' if found else 'its services'}: {', '.join(found or project.services)}",
        todo='name it in the rule: redis = "…"',
    )


def _is_server(service: ServiceConfig) -> bool:
    # The image's own name: a registry's address before it may have a colon as well.
    image = service.image.rpartition("/")[2].partition("@")[0].partition(":")[0]
    named = "image" in service.config and _IMAGE.search(image) and not _BESIDE.search(image)
    return bool(named) or service.publishes(_PORT)
