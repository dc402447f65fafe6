"""What is known when the fate of a value depends on more than the value."""

from __future__ import annotations

from dataclasses import dataclass

from nomock.sandbox.render.plan import Plan, ServicePlan


@dataclass(frozen=True)
class Known:
    """Whose key it is."""

    plan: Plan
    of_service: ServicePlan | None = None
    key: str = ""
    """The last part of its path, which may be a name that the user gave."""

    @property
    def service(self) -> ServicePlan:
        """The service whose key it is, where it is a service's."""
        assert self.of_service is not None
        return self.of_service
