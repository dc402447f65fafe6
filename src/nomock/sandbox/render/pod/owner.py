"""Who owns the volumes of a pod: the user of its service, as in Docker.

Docker gives a new volume the owner of what the image has at its path; a volume of Kubernetes is
root's. Everybody may write to it, but a server that wants a folder of its own refuses it, as
PostgreSQL does. So a container of the same image, which may do only that, gives it away first.
"""

from __future__ import annotations

from lightkube.models.core_v1 import Capabilities, Container, SecurityContext, VolumeMount

from nomock.sandbox.render.mounts import Claim, Empty, Mount
from nomock.sandbox.render.plan import ServicePlan
from nomock.sandbox.render.pod.security import numbers_of

NAME = "volume-owner"
_PLACE = "/nomock-volumes"


def owner_container(service: ServicePlan, mounts: list[VolumeMount]) -> Container | None:
    """Return the container that gives a pod's volumes to its user; None where that is root.

    ``mounts``: those of the service's own container, in the order of the plan. None, too, where
    the user's number is not known.
    """
    user = str(service.config.get("user") or service.image.user)
    uid, gid = numbers_of(user, service.image) or (0, None)
    names = [
        mounted.name
        for mount, mounted in zip(service.mounts, mounts, strict=True)
        if _is_volume(mount) and not mount.read_only
    ]
    if uid == 0 or not names:
        return None
    places = {name: f"{_PLACE}/{name}" for name in names}
    return Container(
        name=NAME,
        image=service.image.reference,
        command=["chown", f"{uid}:{uid if gid is None else gid}", *places.values()],
        volumeMounts=[VolumeMount(name=name, mountPath=path) for name, path in places.items()],
        securityContext=SecurityContext(
            runAsUser=0,
            runAsGroup=0,
            allowPrivilegeEscalation=False,
            capabilities=Capabilities(add=["CHOWN"], drop=["ALL"]),
        ),
    )


def _is_volume(mount: Mount) -> bool:
    return isinstance(mount.source, Claim) or (
        isinstance(mount.source, Empty) and mount.source.is_volume
    )
