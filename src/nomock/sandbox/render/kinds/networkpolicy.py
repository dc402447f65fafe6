"""Networks: a service is reached only by those that share one with it, as in compose.

Policies add up. One shuts all doors; one a network opens those between its services. Who is in
internal networks alone reaches nothing outside but the cluster's DNS.
"""

from __future__ import annotations

from collections.abc import Iterator

from lightkube.models.meta_v1 import LabelSelector
from lightkube.models.networking_v1 import (
    NetworkPolicyEgressRule,
    NetworkPolicyIngressRule,
    NetworkPolicyPeer,
    NetworkPolicyPort,
    NetworkPolicySpec,
)
from lightkube.resources.networking_v1 import NetworkPolicy

from nomock.sandbox.render.kind import Kind
from nomock.sandbox.render.meta import of_sandbox
from nomock.sandbox.render.naming import INSIDE, NETWORK, label_of
from nomock.sandbox.render.plan import Plan

_DNS = 53


class NetworkPolicies(Kind):
    """One for the whole sandbox, and one for each network that services are in."""

    def of_sandbox(self, plan: Plan) -> Iterator[NetworkPolicy]:
        """Return the policies."""
        yield NetworkPolicy(
            metadata=of_sandbox(plan.place, "closed"),
            spec=NetworkPolicySpec(podSelector=LabelSelector(), policyTypes=["Ingress"]),
        )
        used = {name for service in plan.services.values() for name in service.networks}
        for label in sorted({label_of(name) for name in used}):
            inside = LabelSelector(matchLabels={f"{NETWORK}{label}": "in"})
            rule = NetworkPolicyIngressRule(from_=[NetworkPolicyPeer(podSelector=inside)])
            yield NetworkPolicy(
                metadata=of_sandbox(plan.place, f"network-{label}"),
                spec=NetworkPolicySpec(podSelector=inside, ingress=[rule], policyTypes=["Ingress"]),
            )
        if any(service.is_inside for service in plan.services.values()):
            yield NetworkPolicy(metadata=of_sandbox(plan.place, "inside"), spec=_inside())


def _inside() -> NetworkPolicySpec:
    everybody = NetworkPolicyPeer(podSelector=LabelSelector())
    dns = [NetworkPolicyPort(port=_DNS, protocol=protocol) for protocol in ("UDP", "TCP")]
    anywhere = NetworkPolicyPeer(namespaceSelector=LabelSelector())
    return NetworkPolicySpec(
        podSelector=LabelSelector(matchLabels={INSIDE: "true"}),
        policyTypes=["Egress"],
        egress=[
            NetworkPolicyEgressRule(to=[everybody]),
            NetworkPolicyEgressRule(to=[anywhere], ports=dns),
        ],
    )
