"""Render a compose file that is written down as compose resolves it, without compose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import api_rules

from nomock.adapters.compose_call import Call
from nomock.config import Settings
from nomock.project import project_of
from nomock.sandbox.render import Image, Rendered, place_of, render
from nomock.sandbox.validate import validate

ID = "t1"
NAMESPACE = "nomock-t1"


class Objects:
    """What was rendered: objects by kind and name, as they are in YAML."""

    def __init__(self, rendered: Rendered) -> None:
        self.rendered = rendered
        self.all = [found.to_dict() for found in rendered.objects]
        validate(self.all)
        refused = api_rules.offences(self.all)
        assert not refused, refused

    def __getitem__(self, name: str) -> dict[str, Any]:
        """Return an object by its kind and name: ``Service web``."""
        (found,) = [o for o in self.all if f"{o['kind']} {o['metadata']['name']}" == name]
        return found

    @property
    def names(self) -> list[str]:
        return [f"{o['kind']} {o['metadata']['name']}" for o in self.all]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [found for found in self.all if found["kind"] == kind]

    def pod(self, name: str = "web") -> dict[str, Any]:
        """Return the spec of the pods of a service."""
        found = self[f"Deployment {name}"]["spec"]["template"]["spec"]
        assert isinstance(found, dict)
        return found

    def container(self, name: str = "web") -> dict[str, Any]:
        (found,) = self.pod(name)["containers"]
        assert isinstance(found, dict)
        return found

    @property
    def lost(self) -> list[tuple[str, str]]:
        """Service and key of each line of the report."""
        return [(line.service, line.key) for line in self.rendered.report.lines]

    def meaning(self, key: str) -> str:
        """Return why a key is in the report, and what that means."""
        (line,) = [line for line in self.rendered.report.lines if line.key == key]
        return f"{line.why}: {line.meaning}"


def config_of(services: Mapping[str, Any], **top: Any) -> dict[str, Any]:
    """Return a resolved configuration; a service without an image gets one."""
    return {
        "name": "shop",
        "services": {name: {"image": "shop:1", **service} for name, service in services.items()},
        **top,
    }


def rendered(
    root: Path,
    services: Mapping[str, Any],
    *,
    image_of: Callable[[str], Image] | None = None,
    variables: Mapping[str, str] | None = None,
    **top: Any,
) -> Objects:
    """Render services as they stand in a resolved compose file; ``top`` is what is beside them."""
    settings = Settings(root=root, folder=root)
    project = project_of(config_of(services, **top), settings, Call(root))
    return Objects(
        render(
            project,
            place_of(ID),
            state_dir=settings.state_dir,
            image_of=image_of,
            variables=variables,
        )
    )


def web(root: Path, **service: Any) -> Objects:
    """Render one service, ``web``, with some keys."""
    return rendered(root, {"web": service})


def volume_at(found: Objects, target: str, service: str = "web") -> tuple[dict[str, Any], Any]:
    """Return the volume that is mounted at a path, and its mount; without their common name."""
    (mount,) = [m for m in found.container(service)["volumeMounts"] if m["mountPath"] == target]
    (volume,) = [v for v in found.pod(service)["volumes"] if v["name"] == mount["name"]]
    drop = {"name", "mountPath"}
    return (
        {key: volume[key] for key in volume if key != "name"},
        {key: mount[key] for key in mount if key not in drop},
    )
