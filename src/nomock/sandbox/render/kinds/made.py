"""The rights of a service that makes namespaces of its own, which are objects of the whole cluster.

It may make a namespace, and bind its account in there to one role. RBAC knows no more: by itself
that would be any namespace of the cluster. So an admission policy keeps it to those with its label.
https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lightkube.models.admissionregistration_v1 import (
    MatchCondition,
    MatchResources,
    NamedRuleWithOperations,
    ValidatingAdmissionPolicyBindingSpec,
    ValidatingAdmissionPolicySpec,
    Validation,
)
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.models.rbac_v1 import PolicyRule, RoleRef
from lightkube.resources.admissionregistration_v1 import (
    ValidatingAdmissionPolicy,
    ValidatingAdmissionPolicyBinding,
)
from lightkube.resources.rbac_authorization_v1 import ClusterRole, ClusterRoleBinding

from nomock.sandbox.render.kind import Kind
from nomock.sandbox.render.kinds.role import GROUP, account_of
from nomock.sandbox.render.naming import MADE_IN
from nomock.sandbox.render.plan import ServicePlan

# Of a namespace that is made, and of the one that a binding is made in.
_NEW = "object.metadata.?labels[?'{label}'].orValue('') == '{namespace}'"
_AROUND = "namespaceObject.metadata.?labels[?'{label}'].orValue('') == '{namespace}'"


class MadeNamespaces(Kind):
    """Two roles, a binding and a policy, for each service that ``x-nomock.namespaces`` names."""

    def of_service(self, service: ServicePlan) -> Iterator[Any]:
        """Return them."""
        if not service.rules_of_made:
            return
        name, inside = f"{service.place.namespace}.{service.label}", role_inside(service)
        makes = [
            PolicyRule(apiGroups=[""], resources=["namespaces"], verbs=["create"]),
            PolicyRule(apiGroups=[GROUP], resources=["rolebindings"], verbs=["create"]),
            PolicyRule(
                apiGroups=[GROUP],
                resources=["clusterroles"],
                resourceNames=[inside],
                verbs=["bind"],
            ),
        ]
        yield ValidatingAdmissionPolicy(metadata=_meta(service, name), spec=_policy(service))
        yield ValidatingAdmissionPolicyBinding(
            metadata=_meta(service, name),
            spec=ValidatingAdmissionPolicyBindingSpec(policyName=name, validationActions=["Deny"]),
        )
        rules = [PolicyRule(**rule) for rule in service.rules_of_made]
        yield ClusterRole(metadata=_meta(service, inside), rules=rules)
        yield ClusterRole(metadata=_meta(service, name), rules=makes)
        yield ClusterRoleBinding(
            metadata=_meta(service, name),
            roleRef=RoleRef(apiGroup=GROUP, kind="ClusterRole", name=name),
            subjects=[account_of(service)],
        )


def role_inside(service: ServicePlan) -> str:
    """Return the name of the role that a service has in the namespaces that it makes."""
    return f"{service.place.namespace}.{service.label}.made"


def _policy(service: ServicePlan) -> ValidatingAdmissionPolicySpec:
    namespace = service.place.namespace
    account = f"system:serviceaccount:{namespace}:{service.label}"
    label = {"label": MADE_IN, "namespace": namespace}
    said = f"this account makes namespaces with the label {MADE_IN}={namespace}, and binds there"
    return ValidatingAdmissionPolicySpec(
        failurePolicy="Fail",
        matchConstraints=MatchResources(
            resourceRules=[
                _made("", "namespaces"),
                _made(GROUP, "rolebindings"),
            ]
        ),
        matchConditions=[
            MatchCondition(name="account", expression=f"request.userInfo.username == '{account}'")
        ],
        validations=[
            Validation(
                expression=f"request.resource.resource == 'namespaces' ? {_NEW.format(**label)}"
                f" : {_AROUND.format(**label)}",
                message=said,
            )
        ],
    )


def _made(group: str, resource: str) -> NamedRuleWithOperations:
    return NamedRuleWithOperations(
        apiGroups=[group], apiVersions=["v1"], operations=["CREATE"], resources=[resource]
    )


def _meta(service: ServicePlan, name: str) -> ObjectMeta:
    return ObjectMeta(name=name, labels=service.labels, annotations=service.annotations)
