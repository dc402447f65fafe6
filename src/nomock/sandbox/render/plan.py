"""The plan of a sandbox: all that is known of each service, before an object is made of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nomock.adapters.kubernetes import SERVICE
from nomock.evidence.redact import holds_secret
from nomock.project import Project
from nomock.sandbox.render.images import Image, ImageOf
from nomock.sandbox.render.mounts import Claim, Empty, Files, Ground, Mount, mounts_of
from nomock.sandbox.render.naming import (
    INSIDE,
    NETWORK,
    SANDBOX,
    is_label,
    label_of,
    label_value,
    labels_of,
    waves,
)
from nomock.sandbox.render.options import options_of
from nomock.sandbox.render.place import Place
from nomock.sandbox.render.ports import Port, mentions, ports_of
from nomock.sandbox.render.waves import waves as waves_of

_MANAGED = {"app.kubernetes.io/managed-by": "nomock"}
# Until all nodes know that a pod is going and send nothing there: kube-proxy looks each second.
LINGERS_S = 3


@dataclass(frozen=True)
class ServicePlan:
    """One service of the compose file."""

    name: str
    label: str
    """Its name as a DNS label: that of its objects."""
    config: Mapping[str, Any]
    """Its part of the resolved configuration."""
    image: Image
    wave: int
    is_job: bool
    """Whether it runs to its end: a Job, and no Deployment."""
    plain: Mapping[str, str]
    """The variables of its environment that are no secrets."""
    secret: Mapping[str, str]
    """Those that are."""
    mounts: Sequence[Mount]
    ports: Sequence[Port]
    aliases: Sequence[str]
    """The other names under which Docker's DNS knows it, and it alone."""
    rules: Sequence[Mapping[str, Any]]
    """The rules of its role in the sandbox."""
    rules_of_made: Sequence[Mapping[str, Any]]
    """The rules of its role in the namespaces that it makes; empty: it makes none."""
    place: Place
    is_inside: bool
    """Whether all its networks are internal: nothing outside is reached from there."""
    host: str
    """The public host by which it is reached; "": none."""
    gateway: str
    """The Gateway that leads there, behind its namespace."""

    @property
    def keeps_data(self) -> bool:
        """Whether it has data of its own, on which there may be one pod at a time."""
        return any(
            isinstance(mount.source, Claim)
            or (isinstance(mount.source, Empty) and bool(mount.source.name))
            for mount in self.mounts
        )

    @property
    def lingers_s(self) -> int:
        """For how long a pod of it goes on serving when it is to end: others still come to it."""
        return 0 if self.is_job or self.keeps_data or not self.ports else LINGERS_S

    @property
    def has_account(self) -> bool:
        """Whether it speaks to Kubernetes, as an account of its own."""
        return bool(self.rules or self.rules_of_made)

    @property
    def networks(self) -> list[str]:
        """The networks that it is in, by their names in the compose file."""
        return list(self.config.get("networks") or {})

    @property
    def network_labels(self) -> dict[str, str]:
        """The labels of its pods by which they reach others, and are reached."""
        found = {f"{NETWORK}{label_of(name)}": "in" for name in self.networks}
        return {**found, INSIDE: "true"} if self.is_inside else found

    @property
    def config_of_deploy(self) -> Mapping[str, Any]:
        """Its part of the configuration that is about how it is deployed."""
        return self.config.get("deploy") or {}

    @property
    def endpoint_mode(self) -> str | None:
        """How its name is found: ``dnsrr`` is without an address of its own."""
        return self.config_of_deploy.get("endpoint_mode")

    @property
    def labels(self) -> dict[str, str]:
        """The labels of all that belongs to it."""
        return {
            **labels(self.place),
            SERVICE: label_value(self.name),
            "app.kubernetes.io/name": self.label,
        }

    @property
    def selector(self) -> dict[str, str]:
        """The labels by which its pods are found."""
        return {SERVICE: label_value(self.name)}

    @property
    def annotations(self) -> dict[str, str]:
        """The annotations that say when its objects are applied."""
        return waves(self.wave)


@dataclass(frozen=True)
class Plan:
    """A sandbox, and all services in it."""

    place: Place
    ground: Ground
    services: Mapping[str, ServicePlan]


def labels(place: Place) -> dict[str, str]:
    """Return the labels of all that belongs to a sandbox."""
    return {SANDBOX: place.id, **_MANAGED}


def plan(
    project: Project, place: Place, image_of: ImageOf, state_dir: Path, variables: Mapping[str, str]
) -> Plan:
    """Return the plan for a project; the arguments are those of ``render``."""
    options = options_of(project.config)
    ground = Ground(project.config, project.root, state_dir, options, variables)
    # A service that is scaled to 0 has no container in compose, either.
    configs = {name: project.services[name].config for name in project.wanted}
    names, order = labels_of(configs), waves_of(configs)
    mounts = {name: list(mounts_of(name, ground)) for name in configs}
    known_ports = mentions(configs, {name: _text(mounts[name]) for name in configs})
    known_by = {name: aliases_of(name, configs) for name in configs}
    taken = Counter([*names.values(), *(alias for found in known_by.values() for alias in found)])
    services = {}
    for name, config in configs.items():
        image, others = image_of(name), known_by[name]
        own = ground.options.environment.get(name, {})
        given = {**project.services[name].environment, **own}
        environment = {n: str(v) for n, v in given.items() if v is not None}
        secret = {n: v for n, v in environment.items() if holds_secret(n, v)}
        mentioned = {p for n in (name, *others) for p in known_ports.get(n, ())}
        services[name] = ServicePlan(
            name=name,
            label=names[name],
            config=config,
            image=image,
            wave=order[name],
            is_job=name in project.one_shots,
            plain={n: v for n, v in environment.items() if n not in secret},
            secret=secret,
            mounts=mounts[name],
            ports=ports_of(config, image, mentioned),
            aliases=[alias for alias in others if is_label(alias) and taken[alias] == 1],
            rules=ground.options.roles.get(name, ()),
            rules_of_made=ground.options.namespaces.get(name, ()),
            host=str(options.hosts.get(name, "")).replace("{id}", place.id),
            gateway=options.gateway,
            place=place,
            is_inside=_is_inside(config, project.config.get("networks") or {}),
        )
    return Plan(place, ground, services)


def aliases_of(name: str, configs: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the other names under which Docker's DNS knows a service."""
    config = configs[name]
    networks = (config.get("networks") or {}).values()
    found = [alias for how in networks for alias in (how or {}).get("aliases") or []]
    found += filter(None, [config.get("container_name")])
    for other in configs.values():
        pairs = (str(link).partition(":") for link in other.get("links") or [])
        found += [alias for linked, _, alias in pairs if linked == name and alias]
    return list(dict.fromkeys(alias for alias in found if alias != name))


def _is_inside(config: Mapping[str, Any], networks: Mapping[str, Any]) -> bool:
    own = list(config.get("networks") or {})
    return bool(own) and all((networks.get(name) or {}).get("internal") for name in own)


def _text(mounts: Sequence[Mount]) -> bytes:
    return b"\n".join(
        file.content
        for mount in mounts
        if isinstance(mount.source, Files)
        for files in mount.source.maps
        for file in files.contents.values()
    )
