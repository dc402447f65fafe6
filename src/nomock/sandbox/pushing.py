"""The images of a project, where a cluster can pull them: in a registry, by their digests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

from nomock.adapters.docker_push import push
from nomock.adapters.engine import Engine, ImageConfig
from nomock.errors import PromotionError
from nomock.filelock import FileLock
from nomock.places import push_locks
from nomock.project import Project, ServiceConfig
from nomock.project.bases import image_name
from nomock.sandbox.image_facts import image_with_facts
from nomock.sandbox.render import Image
from nomock.sandbox.render.naming import label_of

_AT_ONCE = 3


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
        names = {name: project.services[name] for name in project.wanted}
        found = {name: self._config(service) for name, service in names.items()}
        to_push = {
            config.id: f"{self.registry}/{project.name}/{label_of(name)}:{_tag(config.id)}"
            for name, config in found.items()
            if names[name].is_built or _digest_upstream(names[name], config) is None
        }

        def pushed(image_id: str) -> str:
            return self._pushed(image_id, to_push[image_id])

        def image(name: str) -> Image:
            config = found[name]
            reference = digests.get(config.id) or _digest_upstream(names[name], config)
            return image_with_facts(self.engine, names[name], config, str(reference))

        layers = {config.id: config.layers for config in found.values()}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            digests = {
                image_id: digest
                for round_ in rounds({image_id: layers[image_id] for image_id in to_push})
                for image_id, digest in zip(round_, pool.map(pushed, round_), strict=True)
            }
            return dict(zip(found, pool.map(image, found), strict=True))

    def tools(self, project: Project, image: str) -> str:
        """Return the image of what stands beside services for tests, as the cluster has it.

        Raises EngineError where it is neither here nor to be had.
        """
        self.engine.obtain(image)
        config = self.engine.image_config(image)
        assert config is not None, "it was obtained"
        name = f"{self.registry}/{project.name}/tools:{_tag(config.id)}"
        return self._pushed(config.id, name)

    def _pushed(self, image_id: str, name: str) -> str:
        # Another promotion of the same project would take the name away under this one's push.
        with closing(
            FileLock(push_locks() / hashlib.sha256(name.encode()).hexdigest()[:2])
        ) as lock:
            lock.acquire(exclusive=True, waiting=lambda _: self.show(f"{name}: another one pushes"))
            self.engine.tag(image_id, name)
            try:
                digest = push(name, lambda line: self.show(f"{name.rpartition('/')[2]}: {line}"))
            finally:
                self.engine.remove_image(name)  # the name alone: it was for the push
        return f"{name.rpartition(':')[0]}@{digest}"

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


def rounds(images: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return in which order images are pushed: of those that share their base one goes first.

    Pushed at once, each compresses that base again. ``images``: id -> layers, from the base up.

    >>> rounds({"a": ["debian", "x"], "b": ["debian", "y"], "c": ["alpine"]})
    [['a', 'c'], ['b']]
    """
    bases = [next(iter(layers), image_id) for image_id, layers in images.items()]
    ids = list(images)
    first = [ids[bases.index(base)] for base in dict.fromkeys(bases)]
    return [first, [image_id for image_id in ids if image_id not in first]]


def _digest_upstream(service: ServiceConfig, config: ImageConfig) -> str | None:
    """Return the name by which anybody can pull an image; None where it is only on this machine.

    It may have names of other registries, too, to which somebody pushed it: of those nobody knows
    whether they are still there.
    """
    own = image_name(service.image).rpartition(":")[0]
    for digest in config.digests:
        if image_name(digest).rpartition(":")[0] == own:
            return digest
    return None


def _tag(image_id: str) -> str:
    """Return a tag that says which image it is: the registry keeps no two under one name."""
    return image_id.removeprefix("sha256:")[:12]
