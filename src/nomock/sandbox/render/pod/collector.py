"""The collector beside a covered service: it hands out what the spies of the service write.

It begins before the service, and ends after it: a sidecar, of Kubernetes 1.29 and newer.
https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/
"""

from __future__ import annotations

from lightkube.models.core_v1 import Capabilities, Container, SecurityContext, VolumeMount

from nomock.adapters.kubernetes import COLLECTOR, RECORDS, RECORDS_FOLDER, collector_command
from nomock.sandbox.render.mounts import Records
from nomock.sandbox.render.plan import ServicePlan
from nomock.sandbox.render.values import literal

_NOBODY = 65534


def collector_container(service: ServicePlan) -> Container | None:
    """Return the collector of a service's records; None where it has no spy."""
    if not any(isinstance(mount.source, Records) for mount in service.mounts):
        return None
    return Container(
        name=COLLECTOR,
        image=service.place.tools_image,
        command=[literal(word) for word in collector_command("keep")],
        restartPolicy="Always",
        volumeMounts=[VolumeMount(name=RECORDS, mountPath=RECORDS_FOLDER)],
        securityContext=SecurityContext(
            runAsUser=_NOBODY,
            runAsGroup=_NOBODY,
            allowPrivilegeEscalation=False,
            readOnlyRootFilesystem=True,
            capabilities=Capabilities(drop=["ALL"]),
        ),
    )
