"""What the container of a service may do, and as whom it runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lightkube.models.core_v1 import (
    Capabilities,
    PodSecurityContext,
    SeccompProfile,
    SecurityContext,
    Sysctl,
)

from nomock.sandbox.render.images import Image
from nomock.sandbox.render.mounts import Claim, Empty, Files, Mount, SecretFile
from nomock.sandbox.render.plan import ServicePlan

NO_NEW_PRIVILEGES = {"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"}
UNCONFINED = {"seccomp:unconfined", "seccomp=unconfined"}
SAFE_SYSCTLS = {
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
}
"""https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/#safe-and-unsafe-sysctls"""
# As Docker has it: who is not root may listen on port 80, too.
_SYSCTLS = {"net.ipv4.ip_unprivileged_port_start": "0"}


def numbers_of(user: str, image: Image) -> tuple[int, int | None] | None:
    """Return user and group as numbers; None where a name has none that nomock was told."""
    name, _, group = user.partition(":")
    uid, _, gid = (name if name.isdigit() else image.users.get(name, "")).partition(":")
    if group:
        gid = group if group.isdigit() else image.groups.get(group, "")
    if not uid.isdigit() or (group and not gid):
        return None
    return int(uid), int(gid) if gid else None


def groups_of(config: Mapping[str, Any], image: Image) -> list[int]:
    """Return the numbers of the groups that a user is in besides, as far as they are known."""
    names = [str(name) for name in config.get("group_add") or []]
    numbers = (name if name.isdigit() else image.groups.get(name, "") for name in names)
    return [int(number) for number in numbers if number]


def group_of(numbers: tuple[int, int | None] | None) -> int | None:
    """Return the group of a user, its own number where nobody says which; None where both fail."""
    uid, gid = numbers or (None, None)
    return uid if gid is None else gid


def sysctls_of(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the kernel parameters that a pod may set."""
    said = {name: str(value) for name, value in (config.get("sysctls") or {}).items()}
    return {**_SYSCTLS, **{name: said[name] for name in said if name in SAFE_SYSCTLS}}


def of_pod(service: ServicePlan) -> PodSecurityContext:
    """Return what goes for the whole pod."""
    config = service.config
    uid, gid = numbers_of(str(config.get("user") or ""), service.image) or (None, None)
    group = group_of(numbers_of(user_of(service), service.image))
    needs_group = any(_is_roots(mount, service.image) for mount in service.mounts)
    options = set(config.get("security_opt") or [])
    profile = "Unconfined" if options & UNCONFINED else "RuntimeDefault"
    return PodSecurityContext(
        runAsUser=uid,
        runAsGroup=gid,
        fsGroup=group if needs_group else None,
        supplementalGroups=groups_of(config, service.image) or None,
        seccompProfile=SeccompProfile(type=profile),
        sysctls=[Sysctl(name=name, value=value) for name, value in sysctls_of(config).items()],
    )


def user_of(service: ServicePlan) -> str:
    """Return who runs in a service's container, in the words of the file or of its image."""
    return str(service.config.get("user") or service.image.user)


def is_volume(mount: Mount) -> bool:
    """Tell whether a mount is one of Docker's volumes, to be written to: it is the user's."""
    is_one = isinstance(mount.source, Claim) or (
        isinstance(mount.source, Empty) and mount.source.is_volume
    )
    return is_one and not mount.read_only


def _is_roots(mount: Mount, image: Image) -> bool:
    """Tell whether only a group lets the user in: files with a mode of their own are root's."""
    if isinstance(mount.source, Files | SecretFile):
        return mount.source.mode is not None
    return is_volume(mount) and not image.has_chown


def of_container(service: ServicePlan) -> SecurityContext | None:
    """Return what goes for the container; None where the compose file says nothing of it."""
    config = service.config
    add, drop = (_capabilities(config.get(key)) for key in ("cap_add", "cap_drop"))
    is_read_only = bool(config.get("read_only"))
    no_new = bool(set(config.get("security_opt") or []) & NO_NEW_PRIVILEGES)
    if not (add or drop or no_new or is_read_only):
        return None
    return SecurityContext(
        allowPrivilegeEscalation=False if no_new else None,
        capabilities=Capabilities(add=add, drop=drop) if add or drop else None,
        readOnlyRootFilesystem=is_read_only or None,
    )


def _capabilities(names: list[str] | None) -> list[str] | None:
    return [re.sub(r"^CAP_", "", name.upper()) for name in names or []] or None
