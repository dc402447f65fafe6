"""What a compose file says of its sandbox itself: the key ``x-nomock`` at its top.

    x-nomock:
      claims: {postgres-data: 1Gi}       # named volumes that outlive their pods
      mounts: {web: {/app: none}}        # what becomes of a mounted folder: files, empty or none
      roles: {worker: [{apiGroups: [""], resources: [pods], verbs: [get]}]}
      namespaces: {worker: [{apiGroups: [apps], resources: [deployments], verbs: [create]}]}
      environment: {worker: {MODE: sandbox}}   # variables that it has in a sandbox alone
      gateway: infra/sandboxes           # a Gateway of the cluster, and its namespace
      hosts: {auth: "sandbox-{id}.example.com"}  # what is reached through it, by which host

It stands at the top because compose leaves out what is beside a service or a volume.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nomock.errors import NotPromotableError, did_you_mean

KEY = "x-nomock"
MOUNTS = ("files", "empty", "none")
_OF_SERVICES = ("mounts", "roles", "namespaces", "environment", "hosts")
_WORDS = ("claims", *_OF_SERVICES)
_GATEWAY = "gateway"


@dataclass(frozen=True)
class Options:
    """What ``x-nomock`` says."""

    claims: Mapping[str, str] = field(default_factory=dict)
    """The size of each named volume that is to be a claim."""
    mounts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What becomes of a mount, by service and the path in its container."""
    roles: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """The rules of a role for each service that speaks to Kubernetes itself."""
    namespaces: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """For each service that makes namespaces: the rules of its role in those."""
    environment: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The variables that a service has in a sandbox, beside those of the compose file."""
    hosts: Mapping[str, str] = field(default_factory=dict)
    """The public host of a service, in which ``{id}`` is the sandbox's."""
    gateway: str = ""
    """The Gateway that leads there, behind its namespace: ``infra/sandboxes``."""


def options_of(config: Mapping[str, Any]) -> Options:
    """Read what a resolved configuration says of its sandbox.

    Raises NotPromotableError for a word, a service or a volume that there is not.
    """
    said = config.get(KEY) or {}
    for word in said:
        _known(word, (*_WORDS, _GATEWAY), KEY)
    gateway = str(said.get(_GATEWAY) or "")
    found = Options(**{word: said.get(word) or {} for word in _WORDS}, gateway=gateway)
    if found.hosts and not all(gateway.partition("/")):
        raise NotPromotableError(
            "public hosts need a Gateway that leads to them",
            where=f"{KEY}.{_GATEWAY}",
            seen=repr(gateway),
            todo="its namespace and its name: infra/sandboxes",
        )
    for volume in found.claims:
        _known(volume, config.get("volumes") or {}, f"{KEY}.claims")
    services = config.get("services") or {}
    for word in _OF_SERVICES:
        for service in getattr(found, word):
            _known(service, services, f"{KEY}.{word}")
    for service, mounts in found.mounts.items():
        for target, how in mounts.items():
            _known(how, MOUNTS, f"{KEY}.mounts.{service}.{target}")
    return found


def _known(word: str, known: Sequence[str] | Mapping[str, Any], where: str) -> None:
    if word not in known:
        raise NotPromotableError(
            f"there is no {word!r} here",
            where=where,
            seen=f"there are: {', '.join(map(str, known)) or 'none'}",
            todo=did_you_mean(str(word), map(str, known)),
        )
