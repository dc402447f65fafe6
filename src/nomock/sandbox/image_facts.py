"""What an image says of itself and Kubernetes does not read: asked of the engine that has it.

Kubernetes takes users and groups by their numbers, sees no healthcheck of an image, and has no way
to know which ports it exposes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nomock.adapters.engine import Engine, ImageConfig
from nomock.project import ServiceConfig
from nomock.sandbox.render import Image

_SECOND_NS = 1_000_000_000
# https://pkg.go.dev/github.com/docker/docker/api/types/container#HealthConfig
_DURATIONS = {
    "Interval": "interval",
    "Timeout": "timeout",
    "StartPeriod": "start_period",
    "StartInterval": "start_interval",
}
_NO_PROGRAM = 127


def image_with_facts(
    engine: Engine, service: ServiceConfig, config: ImageConfig, reference: str
) -> Image:
    """Return the image of a service with what its pods need to be told of it.

    ``config`` is that of the image on this machine, ``reference`` its name for the cluster. Only
    where the service names a user or a group, or has volumes, the image is looked into: into its
    files, or by a container of its own without a network.
    """
    user = str(service.config.get("user") or config.user)
    name, _, group = user.partition(":")
    groups = [group, *map(str, service.config.get("group_add") or [])]
    volumes = [v for v in service.config.get("volumes") or [] if v.get("type") == "volume"]
    return Image(
        reference,
        ports=config.exposed,
        user=config.user,
        users=_listed(engine, config.id, "/etc/passwd", [name], slice(2, 4)),
        groups=_listed(engine, config.id, "/etc/group", groups, slice(2, 3)),
        stop_signal=config.stop_signal,
        has_chown=not volumes or _runs(engine, config.id, "chown"),
        healthcheck=_in_composes_words(config.healthcheck),
    )


def _listed(
    engine: Engine, image_id: str, path: str, names: list[str], numbers: slice
) -> dict[str, str]:
    """Return the numbers of names by a list of the image; of those only that are not numbers."""
    wanted = {name for name in names if name and not name.isdigit()}
    if not wanted:
        return {}
    listed = engine.file_of_image(image_id, path) or b""
    rows = [line.split(":") for line in listed.decode(errors="replace").splitlines()]
    return {row[0]: ":".join(row[numbers]) for row in rows if row[0] in wanted and len(row) > 3}


def _runs(engine: Engine, image_id: str, program: str) -> bool:
    return (
        engine.run_alone(image_id, [program, "--version"], {"User": "0"}).exit_code != _NO_PROGRAM
    )


def _in_composes_words(check: Mapping[str, Any]) -> dict[str, Any]:
    """Return an image's healthcheck as a compose file would have it.

    >>> _in_composes_words({"Test": ["CMD", "true"], "Interval": 1500000000, "Retries": 0})
    {'test': ['CMD', 'true'], 'interval': '1.5s'}
    """
    if not check.get("Test") or check["Test"] == ["NONE"]:
        return {}
    found: dict[str, Any] = {"test": list(check["Test"])}
    found |= {ours: f"{check[n] / _SECOND_NS:g}s" for n, ours in _DURATIONS.items() if check.get(n)}
    return {**found, "retries": check["Retries"]} if check.get("Retries") else found
