"""The sandboxes of a cluster: which there are, how one is, and their end.

A namespace is ours only if it has our label; nothing else is ever deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nomock.adapters.kubernetes import Connection, Objects
from nomock.errors import PromotionError
from nomock.polling import wait_until
from nomock.sandbox.render.naming import EXPIRES, SANDBOX

_GOES_WITHIN_S = 60.0
_PAUSE_S = 0.2
_SOON = {"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 1}


@dataclass(frozen=True)
class Sandbox:
    """A sandbox that is there."""

    id: str
    namespace: str
    expires: datetime | None
    is_going: bool

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Sandbox:
        """Read a namespace that has our label."""
        of = found["metadata"]
        until = (of.get("annotations") or {}).get(EXPIRES)
        return cls(
            of["labels"][SANDBOX],
            of["name"],
            datetime.fromisoformat(until) if until else None,
            found["status"].get("phase") == "Terminating",
        )

    @property
    def is_expired(self) -> bool:
        """Whether its time is over."""
        return self.expires is not None and self.expires <= datetime.now(UTC)


@dataclass(frozen=True)
class Sandboxes:
    """Those of one cluster."""

    connection: Connection

    def all(self) -> list[Sandbox]:
        """Return the sandboxes that there are."""
        return [
            Sandbox.of(found) for found in Objects(self.connection, "").list("Namespace", SANDBOX)
        ]

    def find(self, id: str) -> Sandbox:
        """Return the sandbox of an id; raise PromotionError where there is none."""
        there = self.all()
        for sandbox in there:
            if sandbox.id == id:
                return sandbox
        raise PromotionError(
            "there is no such sandbox",
            where=f"sandbox {id} in {self.connection.context}",
            seen=f"there are: {', '.join(s.id for s in there) or 'none'}",
            todo="nomock promote",
        )

    def remove(self, sandbox: Sandbox, show: Callable[[str], None]) -> None:
        """Delete a sandbox with all that is in it, and return when it is gone.

        Raises PromotionError where it does not go.
        """
        objects = Objects(self.connection, sandbox.namespace)
        found = objects.get("Namespace", sandbox.namespace)
        if found is None:
            return
        if (found["metadata"].get("labels") or {}).get(SANDBOX) != sandbox.id:
            raise PromotionError(
                "this namespace is not the sandbox's any more",
                where=f"namespace {sandbox.namespace}",
                todo="look what it is: kubectl get namespace --show-labels",
            )
        # Pods have a time to end in; of a sandbox nobody needs the last word.
        pods = f"/api/v1/namespaces/{sandbox.namespace}/pods"
        objects.delete("Namespace", sandbox.namespace)
        self.connection.delete(pods, _SOON)

        def is_gone() -> bool:
            left = objects.get("Namespace", sandbox.namespace)
            show(f"removing {sandbox.namespace}")
            return left is None

        if not wait_until(is_gone, within_s=_GOES_WITHIN_S, pause_s=_PAUSE_S):
            left = objects.get("Namespace", sandbox.namespace) or {"status": {}}
            said = [c.get("message", "") for c in left["status"].get("conditions") or ()]
            raise PromotionError(
                "the sandbox does not go",
                where=f"namespace {sandbox.namespace}",
                seen="\n".join(filter(None, said)),
                todo=f"kubectl get all --namespace {sandbox.namespace}",
            )
