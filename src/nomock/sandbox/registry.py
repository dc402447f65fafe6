"""Where images are pushed to, so that a cluster can pull them."""

from __future__ import annotations

from typing import Any

import yaml

from nomock.adapters.kubernetes import Connection
from nomock.config import Settings
from nomock.errors import ConfigError
from nomock.sandbox.node.local import registry
from nomock.sandbox.node.project import REGISTRY_PORT


def registry_of(settings: Settings, given: str | None) -> str:
    """Return what names of images begin with: that which was given, else the local node's own.

    Raises ConfigError for another cluster without a registry, and where there is no local node.
    """
    if given:
        return given.rstrip("/")
    if settings.context is not None:
        raise ConfigError(
            "no registry is named",
            where=f"context {settings.context}",
            seen="a cluster pulls images from a registry that you can push to",
            todo="--registry HOST/PATH, such as europe-docker.pkg.dev/PROJECT/REPOSITORY",
        )
    return registry()


def seen_in_cluster(settings: Settings, connection: Connection, registry: str) -> str:
    """Return the name of a registry for what runs in the cluster and pulls by itself, as Argo CD.

    A cluster with a registry on its own machine says so in a ConfigMap:
    https://github.com/kubernetes/enhancements/tree/master/keps/sig-cluster-lifecycle/generic/1755-communicating-a-local-registry
    """
    host, slash, path = registry.partition("/")
    if settings.context is None and host.startswith("localhost:"):
        return f"127.0.0.1:{REGISTRY_PORT}{slash}{path}"  # Argo CD is beside the node
    where = "/api/v1/namespaces/kube-public/configmaps/local-registry-hosting"
    told = (connection.get(where) or {}).get("data") or {}
    said: dict[str, Any] = yaml.safe_load(told.get("localRegistryHosting.v1") or "{}") or {}
    inside = said.get("hostFromClusterNetwork") if said.get("host") == host else None
    return f"{inside or host}{slash}{path}"
