"""A Kubernetes cluster, by its own HTTP API; lightkube reads the kubeconfig and logs in.

The API: https://kubernetes.io/docs/reference/kubernetes-api/
"""

from nomock.adapters.kubernetes.beside import TOOLS
from nomock.adapters.kubernetes.connection import Connection, connect, contexts
from nomock.adapters.kubernetes.objects import GLOBAL, Objects
from nomock.adapters.kubernetes.pods import Pods
from nomock.adapters.kubernetes.reading import SERVICE, PodName

__all__ = [
    "GLOBAL",
    "SERVICE",
    "TOOLS",
    "Connection",
    "Objects",
    "PodName",
    "Pods",
    "connect",
    "contexts",
]
