"""The sandboxes of a cluster: which there are, how one is, and their end.

A namespace is ours only if it has our label; nothing else is ever deleted. With a sandbox go the
namespaces that its services made, and its rights in the whole cluster.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from nomock.adapters.kubernetes import Connection, Objects
from nomock.errors import PromotionError
from nomock.polling import wait_until
from nomock.sandbox.outside import delete_global
from nomock.sandbox.render.naming import BY, EXPIRES, MADE_IN, SANDBOX

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
        applications, name = self._application(found)
        if name:
            # First, so that it does not bring back what goes; it takes its own along.
            applications.delete("Application", name)
        # First its rights in the cluster, so that it makes no more namespaces.
        delete_global(objects, sandbox.id)
        # Pods have a time to end in; of a sandbox nobody needs the last word.
        pods = f"/api/v1/namespaces/{sandbox.namespace}/pods"
        objects.delete("Namespace", sandbox.namespace)
        self.connection.delete(pods, _SOON)
        self._wait_gone(sandbox.namespace, show, applications, name)

    def remove_left(self, show: Callable[[str], None]) -> list[str]:
        """Delete the namespaces that services of sandboxes made which are not there any more."""
        there = {sandbox.namespace for sandbox in self.all()}
        made = Objects(self.connection, "").list("Namespace", MADE_IN)
        left = {found["metadata"]["labels"][MADE_IN] for found in made} - there
        for namespace in sorted(left):
            self._wait_gone(namespace, show, Objects(self.connection, ""), "")
        return [f["metadata"]["name"] for f in made if f["metadata"]["labels"][MADE_IN] in left]

    def _wait_gone(
        self, namespace: str, show: Callable[[str], None], applications: Objects, name: str
    ) -> None:
        """Delete what was made in a namespace, and return when all of it is gone, and itself."""
        objects = Objects(self.connection, namespace)
        left: list[Mapping[str, Any]] = []

        def is_gone() -> bool:
            # Until it is gone itself, somebody in it may be making one.
            itself = [objects.get("Namespace", namespace)]
            itself += [applications.get("Application", name)] if name else []
            made = objects.list("Namespace", f"{MADE_IN}={namespace}")
            for found in made:
                if found["status"].get("phase") != "Terminating":
                    objects.delete("Namespace", found["metadata"]["name"])
            left[:] = [*(one for one in itself if one is not None), *made]
            names = [found["metadata"]["name"] for found in left]
            show(f"removing {', '.join(names)}" if names else "removed")
            return not left

        if not wait_until(is_gone, within_s=_GOES_WITHIN_S, pause_s=_PAUSE_S):
            first = left[0]
            said = [c.get("message", "") for c in first["status"].get("conditions") or ()]
            raise PromotionError(
                "the sandbox does not go",
                where=f"{first['kind'].lower()} {first['metadata']['name']}",
                seen="\n".join(filter(None, said)),
                todo=f"kubectl get all --namespace {namespace}; an Application goes only while "
                "Argo CD runs",
            )

    def _application(self, found: Mapping[str, Any]) -> tuple[Objects, str]:
        """Return where the Application is that brings a namespace up, and its name; "": none."""
        by = str((found["metadata"].get("annotations") or {}).get(BY) or "")
        argocd, _, name = by.partition("/")
        return Objects(self.connection, argocd), name
