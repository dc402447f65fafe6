"""The containers that hand out the records of spies: one in each pod of a covered service.

It shares the folder of the records with the service, and nothing else, so that the service's image
needs no shell and no tar, and its limits stay its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from nomock.adapters.kubernetes.commands import Commands
from nomock.adapters.kubernetes.connection import Connection
from nomock.adapters.kubernetes.reading import COLLECTOR, SERVICE, PodName
from nomock.errors import ClusterError

FOLDER = "/nomock-records"
"""Where a collector has the folder of the records."""
_PROGRAM = Path(__file__).with_name("collect.py").read_text(encoding="utf-8")
_TIMEOUT_S = 30.0
_LOOK_S = 1.0


def command(way: str, *more: str) -> list[str]:
    """Return the command of a collector; the ways are described in ``collect``."""
    return ["python3", "-I", "-S", "-c", _PROGRAM, way, FOLDER, *more]


class Piece(NamedTuple):
    """A piece of a file of records."""

    file: str
    at: int
    """Where it begins."""
    content: bytes


@dataclass(frozen=True)
class Collectors:
    """Those of one namespace; each method raises ClusterError."""

    connection: Connection
    namespace: str

    def found(self) -> Sequence[tuple[PodName, bool]]:
        """Return them, each with whether it runs; one that has ended has left a log."""
        path = f"/api/v1/namespaces/{self.namespace}/pods"
        found = self.connection.get(path, {"labelSelector": SERVICE}) or {}
        return [
            (PodName(self.namespace, pod["metadata"]["name"], COLLECTOR), "running" in state)
            for pod in found.get("items") or ()
            if (state := _state(pod))
        ]

    def all(self, name: PodName, offsets: Mapping[str, int]) -> list[Piece]:
        """Return what is behind the offsets now."""
        done = self._commands.run(name, command("all", json.dumps(offsets)), timeout_s=_TIMEOUT_S)
        return list(_pieces(done.stdout.splitlines()))

    def follow(
        self, name: PodName, offsets: Mapping[str, int], is_over: Callable[[], bool]
    ) -> Iterator[Piece]:
        """Yield what is behind the offsets, and what comes, until it is over, or its pod is."""
        followed = command("follow", json.dumps(offsets))
        yield from _pieces(self._commands.lines(name, followed, is_over, look_s=_LOOK_S))

    def last(self, name: PodName) -> list[Piece]:
        """Return what one that has ended has printed last: all there was."""
        said = self.connection.try_text(f"{name.path}/log", {"container": name.container})
        return list(_pieces(said.splitlines()))

    def settle(self, pods: Iterable[Mapping[str, Any]]) -> None:
        """Return when whoever follows these pods has all that is written now.

        Of what cannot be asked any more nothing is waited for.
        """
        for pod in pods:
            if "running" in _state(pod):
                name = PodName(self.namespace, pod["metadata"]["name"], COLLECTOR)
                with suppress(ClusterError):
                    self._commands.run(name, command("settle"), timeout_s=_TIMEOUT_S)

    def until_followed(self, name: PodName) -> None:
        """Return when somebody follows: from then on nothing of it is lost by ``settle``."""
        self._commands.run(name, command("followed"), timeout_s=_TIMEOUT_S)

    @property
    def _commands(self) -> Commands:
        return Commands(self.connection)


def _state(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    statuses = (pod.get("status") or {}).get("initContainerStatuses") or ()
    found = (status["state"] for status in statuses if status["name"] == COLLECTOR)
    state: Mapping[str, Any] = next(found, {})
    return state if "running" in state or "terminated" in state else {}


def _pieces(lines: Iterable[str]) -> Iterator[Piece]:
    for line in lines:
        if line.startswith("["):  # what else Python prints is no piece
            file, at, text = json.loads(line)
            yield Piece(file, at, text.encode("latin-1"))
