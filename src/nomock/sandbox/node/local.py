"""Start the local node, or take it down."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TypeVar

from nomock.adapters.engine import Engine
from nomock.errors import ConfigError, EngineError
from nomock.places import node_kubeconfig
from nomock.sandbox.node.images import VERSION, provide_images
from nomock.sandbox.node.kubeconfig import write_kubeconfig
from nomock.sandbox.node.machine import check_engine, check_room
from nomock.sandbox.node.project import (
    API_PORT,
    ARGOCD,
    NAME,
    NODE,
    REGISTRY_PORT,
    project,
    project_name,
)
from nomock.stack import Stack
from nomock.target import Container

T = TypeVar("T")
Say = Callable[[str], None]
Phase = Callable[[str, str, float], None]


@dataclass(frozen=True)
class LocalNode:
    """A node that is ready."""

    kubeconfig: Path
    context: str
    registry: str
    """``localhost:32770``: an image that is pushed there is pulled by that name in the node.

    The cluster tells it, too: the ConfigMap local-registry-hosting in kube-public.
    """


def start(
    root: Path, progress: Say, *, waiting: Say, phase: Phase, argocd: bool = False
) -> LocalNode:
    """Have a local node that is ready: one for all checkouts; the second call changes nothing.

    ``root``: the checkout whose scripts build its images. ``argocd``: Argo CD beside it, which it
    keeps once it has it. ``phase`` gets each phase that is over: its name, what came of it, and how
    long it took, in seconds.
    Raises NomockError; what was started stays, and the next call goes on from there.
    """

    def timed(name: str, work: Callable[[], T], outcome: Callable[[T], str]) -> T:
        began_s = monotonic()
        result = work()
        phase(name, outcome(result), monotonic() - began_s)
        return result

    engine = Engine()
    check_engine(engine)
    there = {container.service: container.state for container in _containers(engine)}
    if there.get(NODE) != "running":
        check_room(engine)
    argocd = argocd or ARGOCD in there
    images = timed(
        "images",
        lambda: provide_images(root, engine, progress, argocd=argocd),
        lambda images: ", ".join(dict.fromkeys(image.how for image in images)),
    )
    with closing(Stack.of(project([image.image for image in images]))) as stack:
        timed(
            "node",
            lambda: stack.prepare(progress, waiting=waiting, who="nomock sandbox local"),
            lambda _: f"Kubernetes {VERSION} is ready" + (", Argo CD" if argocd else ""),
        )
        return timed("access", lambda: _access(stack), lambda node: f"context {node.context}")


def stop(progress: Say, *, waiting: Say) -> bool:
    """Take the local node down, with its volumes: all its sandboxes. Tell whether there was one."""
    engine = Engine()
    was_there = bool(_containers(engine) or engine.volumes(project_name()))
    with closing(Stack.of(project())) as stack:
        stack.down(volumes=True, progress=progress, waiting=waiting)
    node_kubeconfig().unlink(missing_ok=True)
    return was_there


def registry() -> str:
    """Return what the names of images begin with that the local node pulls from its registry.

    Raises ConfigError where no local node runs.
    """
    for container in _containers(Engine()):
        if container.service == NODE and container.state == "running":
            return _registry(container)
    raise ConfigError(
        "there is no local node", where="sandbox", todo="start it: nomock sandbox local"
    )


def _registry(node: Container) -> str:
    return f"localhost:{node.published(REGISTRY_PORT).port}"


def _containers(engine: Engine) -> list[Container]:
    return engine.containers(project_name())


def _access(stack: Stack) -> LocalNode:
    """Let this user in, and name the registry: ports are others each time that it is started."""
    node = next(c for c in stack.containers() if c.service == NODE)
    write_kubeconfig(node_kubeconfig(), stack.engine, node.id, node.published(API_PORT))
    registry = _registry(node)
    given = stack.engine.run_inside(node.id, ["name-registry", registry])
    if given.exit_code:
        raise EngineError(
            "the local node cannot be told of its registry",
            where=f"container {node.id[:12]}",
            seen=given.output,
            todo="take it down and start it anew: nomock sandbox local --down",
        )
    return LocalNode(node_kubeconfig(), NAME, registry)
