"""What keeps a compose project from being there twice on one engine, each with its line."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nomock.project import Project, build_folders, place
from nomock.project.intention import is_on_host, writable


@dataclass(frozen=True)
class Obstacle:
    """One thing that only one stack can have."""

    line: str
    """What it is, behind the file and the line where it stands."""
    cure: str
    """What to change."""


def obstacles(project: Project, state_dir: Path, without: Collection[str] = ()) -> list[Obstacle]:
    """Return all of them; [] where any number of stacks can be made of the project.

    ``without``: services of which there is to be one all the same.
    ``state_dir`` is nomock's own folder: what is mounted from there is meant for all.
    """
    found = []
    services = {n: s for n, s in project.services.items() if n not in without}
    for name, service in services.items():
        built_of = build_folders(service.config["build"]) if service.is_built else []
        for key, text, cure in _of_service(service.config, (state_dir, *built_of)):
            found.append(Obstacle(f"{place(project, name, key)}{name} {text}", cure))
    for name, text, cure in _of_project(project):
        found.append(Obstacle(f"{place(project, '', name)}{text}", cure))
    return found


def _of_service(
    config: Mapping[str, Any], shared: tuple[Path, ...]
) -> Iterator[tuple[str, str, str]]:
    """Yield for each obstacle what to look for in the file, what it is, and the cure."""
    if name := config.get("container_name"):
        yield (
            "container_name",
            f"has the container_name {name}, and no two containers can have one name",
            "remove container_name: compose chooses a name, and the service's own goes on to work",
        )
    for port in config.get("ports") or []:
        if published := port.get("published"):
            target = port["target"]
            yield (
                str(published),
                f"publishes {target} at the fixed port {published}",
                f'publish at a port that the engine chooses: "127.0.0.1::{target}"; tests ask for '
                "it by stack[NAME].url",
            )
    if is_on_host(config):
        yield (
            "network_mode",
            "is in the network of the engine's host, where a port can be had once",
            "give it a network of the project: remove network_mode",
        )
    for key in ("network_mode", "pid", "ipc"):
        if str(config.get(key) or "").startswith("container:"):
            yield (
                key,
                f"has the {key} of one container by its name",
                f'name the service: {key}: "service:NAME"',
            )
    for path in writable(config):
        # Source that is mounted for its developers is read; a database's folder is not shared.
        if not path.is_socket() and not any(_overlap(path, folder) for folder in shared):
            yield (
                path.name,
                f"can write to {path}, which both would do",
                "let it be a named volume, or mount it read-only: append :ro",
            )
    for network, how in (config.get("networks") or {}).items():
        if any((how or {}).get(key) for key in ("ipv4_address", "ipv6_address")):
            yield (
                network,
                f"has a fixed address in network {network}",
                "remove the fixed address: services reach each other by name",
            )


def _of_project(project: Project) -> Iterator[tuple[str, str, str]]:
    for name, network in (project.config.get("networks") or {}).items():
        if (network or {}).get("external"):
            yield (
                name,
                f"network {name} is external: the services of all would have the same names there",
                "let it be a network of the project: remove external",
            )
        elif ((network or {}).get("ipam") or {}).get("config"):
            yield (
                name,
                f"network {name} has fixed addresses, which only one network can have",
                "remove its ipam: the engine chooses free ones",
            )
    for name in sorted(project.external_volumes):
        if any(_writes_to(service.config, name) for service in project.services.values()):
            yield (
                name,
                f"volume {name} is external, and all would write to it",
                "let it be a volume of the project: remove external; or mount it read-only",
            )


def _writes_to(config: Mapping[str, Any], volume: str) -> bool:
    return any(
        mounted.get("source") == volume and not mounted.get("read_only")
        for mounted in config.get("volumes") or []
    )


def _overlap(path: Path, folder: Path) -> bool:
    return path == folder or path in folder.parents or folder in path.parents
