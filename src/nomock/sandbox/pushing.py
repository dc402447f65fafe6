"""The images of a project, where a cluster can pull them: in a registry, by their digests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any

from nomock.adapters.docker_push import push
from nomock.adapters.engine import Engine, ImageConfig
from nomock.errors import PromotionError
from nomock.project import Project, ServiceConfig
from nomock.sandbox.render import Image
from nomock.sandbox.render.naming import label_of

_AT_ONCE = 3
_SECOND_NS = 1_000_000_000
_DURATIONS = {
    "Interval": "interval",
    "Timeout": "timeout",
    "StartPeriod": "start_period",
    "StartInterval": "start_interval",
}


@dataclass(frozen=True)
class Pushing:
    """Pushes what the cluster could not pull from elsewhere."""

    engine: Engine
    registry: str
    """``localhost:32770``, ``europe-docker.pkg.dev/project/repository``: what names begin with."""
    show: Callable[[str], None]

    def images(self, project: Project) -> Mapping[str, Image]:
        """Return the image of each service as the cluster has it, pushed where it has to be.

        Raises PromotionError where an image is not built or pulled yet, or cannot be pushed.
        """
        digests: dict[str, str] = {}
        lock = Lock()
        names = {name: project.services[name] for name in project.wanted}
        found = {name: self._config(service) for name, service in names.items()}
        to_push = {
            config.id: f"{self.registry}/{project.name}/{label_of(name)}:{_tag(config.id)}"
            for name, config in found.items()
            if not config.digests or names[name].is_built
        }

        def pushed(image_id: str) -> None:
            name = to_push[image_id]
            self.engine.tag(image_id, name)
            digest = push(name, lambda line: self.show(f"{name.rpartition('/')[2]}: {line}"))
            with lock:
                digests[image_id] = f"{name.rpartition(':')[0]}@{digest}"

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(pushed, to_push))
        return {
            name: self._image(names[name], config, digests.get(config.id) or config.digests[0])
            for name, config in found.items()
        }

    def _config(self, service: ServiceConfig) -> ImageConfig:
        config = self.engine.image_config(service.image)
        if config is None:
            raise PromotionError(
                "its image is not here",
                where=f"service {service.name}",
                seen=service.image,
                todo=f"pull it: docker compose pull {service.name}",
            )
        return config

    def _image(self, service: ServiceConfig, config: ImageConfig, reference: str) -> Image:
        user = str(service.config.get("user") or config.user)
        return Image(
            reference=reference,
            ports=config.exposed,
            users=self._users(config.id, user),
            healthcheck=_in_words_of_compose(config.healthcheck),
        )

    def _users(self, image_id: str, user: str) -> Mapping[str, str]:
        """Return the number of a user by its name, as the image has it: Kubernetes takes no names.

        None where the user is a number, or the image has no such list.
        """
        name = user.partition(":")[0]
        if not name or name.isdecimal():
            return {}
        listed = self.engine.run_alone(image_id, ["cat", "/etc/passwd"], {})
        for line in listed.output.splitlines():
            fields = line.split(":")
            if fields[0] == name and len(fields) > 3:
                return {name: f"{fields[2]}:{fields[3]}"}
        return {}


def _tag(image_id: str) -> str:
    """Return a tag that says which image it is: the registry keeps no two under one name."""
    return image_id.removeprefix("sha256:")[:12]


def _in_words_of_compose(check: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an image's healthcheck as a compose file would have it.

    >>> _in_words_of_compose({"Test": ["CMD", "true"], "Interval": 5000000000, "Retries": 3})
    {'test': ['CMD', 'true'], 'interval': '5s', 'retries': 3}
    """
    if not check.get("Test") or check["Test"][0] == "NONE":
        return {}
    found: dict[str, Any] = {"test": list(check["Test"])}
    for theirs, ours in _DURATIONS.items():
        if check.get(theirs):
            found[ours] = f"{check[theirs] / _SECOND_NS:g}s"
    if check.get("Retries"):
        found["retries"] = check["Retries"]
    return found
