"""The compose project of the local node, in a folder of the user's cache."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from nomock.config import Settings
from nomock.places import node_kubeconfig
from nomock.sandbox.node.images import NODE_IMAGE, REGISTRY_IMAGE
from nomock.stack.promoted import NODE_CONTEXT
from nomock.statefolder import writing

NAME = NODE_CONTEXT
"""Of the node, too."""
NODE, REGISTRY, ARGOCD = "node", "registry", "argocd"
API_PORT, REGISTRY_PORT = 6443, 5000
# It starts in some seconds; on a machine that builds meanwhile it takes its time.
_TIMEOUT_S = 240.0

# What kubelet, etcd and containerd keep are volumes, so that sandboxes outlive the container. The
# registry has the node's network: there it has an address that never changes. That network is the
# engine's usual one: in another one names are resolved by 127.0.0.11, which no pod reaches.
_COMPOSE_FILE = """\
# Written by nomock sandbox local, which writes it again.
name: {project}
volumes: {{state: {{}}, containerd: {{}}, kubelet: {{}}, images: {{}}}}
services:
  {node}:
    image: {node_image}
    pull_policy: never
    hostname: {name}
    privileged: true
    userns_mode: host
    network_mode: bridge
    ports: ["127.0.0.1::{api_port}", "127.0.0.1::{registry_port}"]
    tmpfs: [/run, /tmp]
    volumes:
      - state:/var/lib/node
      - containerd:/var/lib/containerd
      - kubelet:/var/lib/kubelet
    healthcheck:
      test: [CMD, node-is-healthy]
      interval: 20s
      timeout: 10s
      start_period: 240s
      start_interval: 500ms
  {registry}:
    image: {registry_image}
    pull_policy: never
    network_mode: service:{node}
    init: true # without one it does not hear that it is to end
    environment: {{REGISTRY_STORAGE_DELETE_ENABLED: "true"}}
    volumes: ["images:/var/lib/registry"]
    healthcheck:
      # Upstream's image has wget, Debian's bash.
      test: [CMD-SHELL, "{answers}"]
      interval: 20s
      start_period: 60s
      start_interval: 500ms
"""
# Its own cluster is the node whose network and certificates it has.
_ARGOCD = """\
  {argocd}:
    image: {argocd_image}
    pull_policy: never
    network_mode: service:{node}
    depends_on: {{{node}: {{condition: service_healthy}}}}
    stop_grace_period: 1s # it has nothing that is not in the node
    volumes: ["state:/var/lib/node:ro"]
    healthcheck:
      test: [CMD, test, -e, /run/argocd-is-ready]
      interval: 20s
      start_period: 120s
      start_interval: 500ms
"""


def folder() -> Path:
    """Return where the local node's files are: its compose file, its state, the kubeconfig."""
    return node_kubeconfig().parent


def project_name() -> str:
    """Return the name of its compose project: two users of one engine have a node each."""
    return f"{NAME}-{hashlib.sha256(os.fsencode(folder())).hexdigest()[:6]}"


def project(images: Sequence[str] = ()) -> Settings:
    """Return the settings of its stack, and write its compose file.

    ``images``: those of the node, of the registry and, where there is to be one, of Argo CD; none
    of them for what stands in the file.
    """
    file = folder() / "docker-compose.yml"
    if images or not file.exists():
        _write(file, *(images or (NODE_IMAGE.stand_in, REGISTRY_IMAGE.stand_in)))
    return Settings(
        root=file.parent,
        folder=file.parent,
        files=(file,),
        project=project_name(),
        timeout_s=_TIMEOUT_S,
    )


def _write(file: Path, node_image: str, registry_image: str, argocd_image: str = "") -> None:
    text = (_COMPOSE_FILE + (_ARGOCD if argocd_image else "")).format(
        project=project_name(),
        name=NAME,
        node=NODE,
        registry=REGISTRY,
        argocd=ARGOCD,
        node_image=node_image,
        registry_image=registry_image,
        argocd_image=argocd_image,
        api_port=API_PORT,
        registry_port=REGISTRY_PORT,
        answers=f"wget -q -O /dev/null http://127.0.0.1:{REGISTRY_PORT}/v2/"
        f" || bash -c 'exec 3<>/dev/tcp/127.0.0.1/{REGISTRY_PORT}'",
    )
    with writing(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")
