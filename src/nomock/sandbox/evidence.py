"""The evidence of a promotion that failed: how its pods are, what happened, what they logged last.

It is written before anything of the sandbox is taken away, since nobody could ask for it then.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nomock.adapters.kubernetes import Connection
from nomock.config import Settings
from nomock.errors import NomockError
from nomock.evidence.folder import write_whole
from nomock.evidence.redact import Redactor
from nomock.project import Project
from nomock.sandbox.render import place_of
from nomock.statefolder import make_state_dir

FILE = "promotion.json"
_LOG_LINES = "200"
_KEPT = ("metadata", "spec", "status")


@dataclass(frozen=True)
class PromotionEvidence:
    """Takes the evidence of one promotion."""

    settings: Settings
    project: Project
    connection: Connection
    id: str

    def write(self, error: NomockError) -> Path:
        """Write what there is, in the place of what an earlier promotion left; return where.

        What the cluster does not tell is left out. Raises StateFolderError.
        """
        redactor = Redactor(self.settings.redact)
        for service in self.project.services.values():
            redactor.learn_environment(service.environment)
        space = f"/api/v1/namespaces/{place_of(self.id).namespace}"
        pods = self._items(f"{space}/pods")
        found = {
            "sandbox": self.id,
            "context": self.connection.context,
            "error": redactor.text(str(error)),
            "pods": [_without_owner(pod) for pod in pods],
            "events": [
                {
                    "at": event.get("lastTimestamp") or event.get("eventTime"),
                    "object": "/".join(map(str, _of(event))),
                    "reason": event.get("reason"),
                    "message": redactor.text(str(event.get("message") or "")),
                }
                for event in self._items(f"{space}/events")
            ],
            "logs": {
                f"{pod}/{container}": redactor.text(log)
                for pod, container, log in self._logs(space, pods)
            },
        }
        path = self.settings.state_dir / "evidence" / FILE
        make_state_dir(self.settings.state_dir)
        write_whole(path, redactor.known(json.dumps(found, indent=1)))
        return path

    def _items(self, path: str) -> list[Mapping[str, Any]]:
        try:
            return list((self.connection.get(path) or {}).get("items") or ())
        except NomockError:
            return []

    def _logs(self, space: str, pods: list[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
        """Return pod, container and the last lines of each that logged, also before it was begun
        again.
        """
        found = []
        for pod in pods:
            name, spec = pod["metadata"]["name"], pod["spec"]
            for container in (*(spec.get("initContainers") or ()), *spec["containers"]):
                log = ""
                for previous in ("true", "false"):
                    query = {
                        "container": container["name"],
                        "tailLines": _LOG_LINES,
                        "previous": previous,
                    }
                    try:
                        log += self.connection.try_text(f"{space}/pods/{name}/log", query)
                    except NomockError:
                        break
                if log.strip():
                    found.append((name, container["name"], log))
        return found


def _without_owner(pod: Mapping[str, Any]) -> dict[str, Any]:
    """Return a pod without what only those who changed it need."""
    kept: dict[str, Any] = {key: pod[key] for key in _KEPT if key in pod}
    kept["metadata"] = {k: v for k, v in pod["metadata"].items() if k != "managedFields"}
    return kept


def _of(event: Mapping[str, Any]) -> tuple[Any, Any]:
    about = event.get("involvedObject") or {}
    return about.get("kind"), about.get("name")
