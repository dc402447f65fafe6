"""The images of the local node: here, or built by the scripts of a checkout of nomock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from nomock.adapters.engine import Engine
from nomock.errors import ConfigError
from nomock.images import ResolvedImage, resolve_image
from nomock.images.manifest import ImageSpec

VERSION = "1.36.3"
NODE_IMAGE = ImageSpec(
    variable="NOMOCK_NODE_IMAGE",
    upstream="",
    # The last number is the image's own: another one where images/kubernetes/node has changed.
    stand_in=f"nomock/kubernetes:{VERSION}-2",
    builder="kubernetes.sh",
)
REGISTRY_IMAGE = ImageSpec(
    variable="NOMOCK_REGISTRY_IMAGE",
    upstream="registry:2",
    stand_in="nomock/registry:2",
    builder="registry.sh",
)
ARGOCD_IMAGE = ImageSpec(
    variable="NOMOCK_ARGOCD_IMAGE",
    upstream="",  # upstream's needs what is not on this node: its API server, a Redis elsewhere
    stand_in="nomock/argocd:3.2.0",
    builder="argocd.sh",
)


def provide_images(
    root: Path, engine: Engine, progress: Callable[[str], None], *, argocd: bool
) -> list[ResolvedImage]:
    """Return the images of the node, of its registry and, if asked for, of Argo CD.

    What is not here is built.

    Raises ConfigError where ``root`` is no checkout that does so.
    """
    specs = [NODE_IMAGE, REGISTRY_IMAGE, *([ARGOCD_IMAGE] if argocd else [])]
    here = engine.images()
    for spec in specs:
        builder = root / "images" / spec.builder
        if spec.upstream or spec.stand_in in here or builder.exists():
            continue
        raise ConfigError(
            f"there is no image {spec.stand_in}, and nothing here builds it",
            where="local node",
            seen=f"no {builder}",
            todo="call nomock sandbox local once in a checkout of nomock, whose image all projects "
            "of this engine use then; or name a cluster that you have: --context",
        )
    return [resolve_image(root, spec, progress) for spec in specs]
