"""Who owns the volumes of a pod: the user of its service, as in Docker.

Docker gives a new volume the owner of what the image has at its path; a volume of Kubernetes is
root's. Everybody may write to it, but a server that wants a folder of its own refuses it, as
PostgreSQL does. So a container of the same image, which may do only that, gives it away first.
"""

from __future__ import annotations

from lightkube.models.core_v1 import Capabilities, Container, SecurityContext, VolumeMount

from nomock.sandbox.render.plan import ServicePlan
from nomock.sandbox.render.pod.security import group_of, is_volume, numbers_of, user_of

NAME = "volume-owner"
_PLACE = "/nomock-volumes"


def owner_container(service: ServicePlan, mounts: list[VolumeMount]) -> Container | None:
    """Return the container that gives a pod's volumes to its user; None where nothing is to do.

    ``mounts``: those of the service's own container, in the order of the plan.
    """
    numbers = numbers_of(user_of(service), service.image)
    names = [
        mounted.name
        for mount, mounted in zip(service.mounts, mounts, strict=True)
        if is_volume(mount)
    ]
    if not numbers or numbers[0] == 0 or not names or not service.image.has_chown:
        return None
    places = {name: f"{_PLACE}/{name}" for name in names}
    return Container(
        name=NAME,
        image=service.image.reference,
        command=["chown", f"{numbers[0]}:{group_of(numbers)}", *places.values()],
        volumeMounts=[VolumeMount(name=name, mountPath=path) for name, path in places.items()],
        securityContext=SecurityContext(
            runAsUser=0,
            runAsGroup=0,
            allowPrivilegeEscalation=False,
            capabilities=Capabilities(add=["CHOWN"], drop=["ALL"]),
        ),
    )
