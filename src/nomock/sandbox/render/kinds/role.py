"""Roles: what a service may do with Kubernetes itself, where the compose file says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lightkube.models.rbac_v1 import PolicyRule, RoleRef, Subject
from lightkube.resources.core_v1 import ServiceAccount
from lightkube.resources.rbac_authorization_v1 import Role, RoleBinding

from nomock.sandbox.render.kind import Kind
from nomock.sandbox.render.meta import of_service
from nomock.sandbox.render.plan import ServicePlan

GROUP = "rbac.authorization.k8s.io"


class Roles(Kind):
    """An account, a role and what binds the two, for each service that ``x-nomock`` names."""

    def of_service(self, service: ServicePlan) -> Iterator[Any]:
        """Return the three; the account alone where it has rights only elsewhere."""
        name = service.label
        if service.has_account:
            yield ServiceAccount(metadata=of_service(service, name))
        if not service.rules:
            return
        rules = [PolicyRule(**rule) for rule in service.rules]
        yield Role(metadata=of_service(service, name), rules=rules)
        yield RoleBinding(
            metadata=of_service(service, name),
            roleRef=RoleRef(apiGroup=GROUP, kind="Role", name=name),
            subjects=[account_of(service)],
        )


def account_of(service: ServicePlan) -> Subject:
    """Return the account of a service, as bindings name it."""
    return Subject(kind="ServiceAccount", name=service.label, namespace=service.place.namespace)
