"""Public hosts: a route from a Gateway of the cluster to a service, where the compose file says so.

https://gateway-api.sigs.k8s.io/api-types/httproute/
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lightkube.generic_resource import create_namespaced_resource
from lightkube.models.meta_v1 import LabelSelector
from lightkube.models.networking_v1 import (
    NetworkPolicyIngressRule,
    NetworkPolicyPort,
    NetworkPolicySpec,
)
from lightkube.resources.networking_v1 import NetworkPolicy

from nomock.errors import NotPromotableError
from nomock.project.intention import tcp_ports
from nomock.sandbox.render.kind import Kind
from nomock.sandbox.render.meta import of_service
from nomock.sandbox.render.plan import ServicePlan

GROUP = "gateway.networking.k8s.io"
ROUTE = "HTTPRoute"
_Route = create_namespaced_resource(GROUP, "v1", ROUTE, "httproutes")


def _port(service: ServicePlan) -> int:
    """Return the port that is reached: the first that is published, else the first that it has."""
    for number in (*tcp_ports(service.config), *(port.number for port in service.ports)):
        return number
    raise NotPromotableError(
        "a public host leads to a port, and none is known of this service",
        where=f"x-nomock.hosts.{service.name}",
        seen=service.host,
        todo=f"name its port in ports or expose of the service {service.name}",
    )


class Routes(Kind):
    """A route, and the door that it comes through, for each service that has a public host."""

    def of_service(self, service: ServicePlan) -> Iterator[Any]:
        """Return both."""
        if not service.host:
            return
        port = _port(service)
        gateway, _, name = service.gateway.partition("/")
        yield _Route(
            apiVersion=f"{GROUP}/v1",
            kind=ROUTE,
            metadata=of_service(service, service.label),
            spec={
                "parentRefs": [{"namespace": gateway, "name": name}],
                "hostnames": [service.host],
                "rules": [{"backendRefs": [{"name": service.label, "port": port}]}],
            },
        )
        # Whoever comes from there comes from no pod.
        door = NetworkPolicyIngressRule(ports=[NetworkPolicyPort(port=port, protocol="TCP")])
        yield NetworkPolicy(
            metadata=of_service(service, f"public-{service.label}"[:63].rstrip("-")),
            spec=NetworkPolicySpec(
                podSelector=LabelSelector(matchLabels=service.selector),
                ingress=[door],
                policyTypes=["Ingress"],
            ),
        )
