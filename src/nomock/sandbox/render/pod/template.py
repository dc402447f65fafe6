"""The template of a service's pods."""

from __future__ import annotations

from collections import defaultdict

from lightkube.models.core_v1 import HostAlias, PodSpec, PodTemplateSpec
from lightkube.models.meta_v1 import ObjectMeta

from nomock.sandbox.render.naming import is_annotation, is_label
from nomock.sandbox.render.plan import ServicePlan
from nomock.sandbox.render.pod.collector import collector_container
from nomock.sandbox.render.pod.container import container_of
from nomock.sandbox.render.pod.owner import owner_container
from nomock.sandbox.render.pod.security import of_pod
from nomock.sandbox.render.pod.volumes import volumes_of
from nomock.sandbox.render.values import seconds

HOST_GATEWAY = "host-gateway"
_GRACE = "10s"  # as compose has it, where Kubernetes has 30 s


def pod_template(service: ServicePlan, restart: str) -> PodTemplateSpec:
    """Return the template of a service's pods; ``restart``: Kubernetes' restart policy."""
    config = service.config
    volumes, mounts = volumes_of(service)
    before = [owner_container(service, mounts), collector_container(service)]
    said = {**(config.get("labels") or {}), **(config.get("annotations") or {})}
    hostname = config.get("hostname")
    system, _, architecture = str(config.get("platform") or "").partition("/")
    return PodTemplateSpec(
        metadata=ObjectMeta(
            labels={**service.labels, **service.network_labels},
            annotations={k: str(v) for k, v in said.items() if is_annotation(k)} or None,
        ),
        spec=PodSpec(
            containers=[container_of(service, mounts)],
            initContainers=[container for container in before if container] or None,
            # Docker gives no service a variable for each other one, nor a key to its engine.
            enableServiceLinks=False,
            automountServiceAccountToken=service.has_account,
            serviceAccountName=service.label if service.has_account else None,
            hostname=hostname if hostname and is_label(hostname) else None,
            hostAliases=_host_aliases(config.get("extra_hosts") or []) or None,
            nodeSelector={
                "kubernetes.io/os": system,
                "kubernetes.io/arch": architecture.partition("/")[0],
            }
            if architecture
            else None,
            restartPolicy=restart,
            securityContext=of_pod(service),
            # The pod's own process 1 reaps what nobody waits for, as Docker's init does.
            shareProcessNamespace=True if config.get("init") else None,
            terminationGracePeriodSeconds=seconds(config.get("stop_grace_period"), _GRACE)
            + service.lingers_s,
            volumes=volumes or None,
        ),
    )


def _host_aliases(extra_hosts: list[str]) -> list[HostAlias]:
    by_address = defaultdict(list)
    for item in extra_hosts:
        name, _, address = item.partition("=")
        if address != HOST_GATEWAY:
            by_address[address.strip("[]")].append(name)
    return [HostAlias(ip=address, hostnames=names) for address, names in by_address.items()]
