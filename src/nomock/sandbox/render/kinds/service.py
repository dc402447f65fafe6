"""Services: the names by which services reach each other, those of Docker's DNS."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lightkube.models.core_v1 import ServicePort, ServiceSpec
from lightkube.resources.core_v1 import Service

from nomock.sandbox.render.kind import Kind
from nomock.sandbox.render.meta import of_service
from nomock.sandbox.render.naming import is_label
from nomock.sandbox.render.plan import ServicePlan
from nomock.sandbox.render.ports import Port

_USUAL = re.compile(r"(tcp|udp|sctp)-\d+")


class Services(Kind):
    """One for the service's own name, and one for each other name that Docker knows it by."""

    def of_service(self, service: ServicePlan) -> Iterator[Service]:
        """Return them; a job has none."""
        if service.is_job:
            return
        for name in (service.label, *service.aliases):
            yield Service(metadata=of_service(service, name), spec=_spec(service))


def _spec(service: ServicePlan) -> ServiceSpec:
    # Without an address of its own its name is that of its pods, and each port of theirs is open.
    is_headless = not service.ports or service.endpoint_mode == "dnsrr"
    return ServiceSpec(
        clusterIP="None" if is_headless else None,
        selector=service.selector,
        ports=_ports(service.ports) or None,
    )


def _ports(ports: Sequence[Port]) -> list[ServicePort]:
    """Return ports, each with a name of its own: that of the file, or one made of its number."""
    names: dict[str, Port] = {}
    for port in ports:
        usual = f"{port.protocol.lower()}-{port.number}"
        is_own = is_label(port.name) and port.name not in names and not _USUAL.fullmatch(port.name)
        names[port.name if is_own else usual] = port
    return [
        ServicePort(
            name=name,
            port=port.number,
            protocol=port.protocol,
            targetPort=port.number,
            appProtocol=port.app_protocol or None,
        )
        for name, port in names.items()
    ]
