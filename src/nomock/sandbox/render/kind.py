"""The interface of a kind of object: which ones a sandbox needs, and which ones each service."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nomock.sandbox.render.plan import Plan, ServicePlan

# lightkube's objects have no base of their own that is public and typed.
Object = Any


class Kind:
    """A kind of object; by itself one that nothing needs."""

    def of_sandbox(self, plan: Plan) -> Iterable[Object]:
        """Return the objects that belong to no service: they are applied before all others."""
        return ()

    def of_service(self, service: ServicePlan) -> Iterable[Object]:
        """Return the objects of a service, in its wave."""
        return ()
