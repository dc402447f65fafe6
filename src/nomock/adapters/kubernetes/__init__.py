"""A Kubernetes cluster, by its own HTTP API; lightkube reads the kubeconfig and logs in.

The API: https://kubernetes.io/docs/reference/kubernetes-api/
"""

from nomock.adapters.kubernetes.beside import TOOLS
from nomock.adapters.kubernetes.collectors import FOLDER as RECORDS_FOLDER
from nomock.adapters.kubernetes.collectors import Collectors, Piece
from nomock.adapters.kubernetes.collectors import command as collector_command
from nomock.adapters.kubernetes.connection import Connection, connect, contexts
from nomock.adapters.kubernetes.objects import GLOBAL, Objects
from nomock.adapters.kubernetes.pods import Pods
from nomock.adapters.kubernetes.reading import COLLECTOR, OURS, RECORDS, SERVICE, PodName

__all__ = [
    "COLLECTOR",
    "GLOBAL",
    "OURS",
    "RECORDS",
    "RECORDS_FOLDER",
    "SERVICE",
    "TOOLS",
    "Collectors",
    "Connection",
    "Objects",
    "Piece",
    "PodName",
    "Pods",
    "collector_command",
    "connect",
    "contexts",
]
