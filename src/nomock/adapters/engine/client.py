"""The questions that are asked of the engine, one method each."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Event
from typing import Any

from nomock.adapters.engine.beside import Beside
from nomock.adapters.engine.changes import Changes
from nomock.adapters.engine.configuration import container_config_of
from nomock.adapters.engine.container import container_of
from nomock.adapters.engine.following import Following
from nomock.adapters.engine.frames import demultiplexed
from nomock.adapters.engine.labels import PROJECT_LABEL, is_of_service, of_project
from nomock.adapters.engine.resources import UNLIMITED_BYTES
from nomock.adapters.engine.state import exit_state_of
from nomock.errors import EngineError
from nomock.target import Container, ContainerConfig, ExitState

_KILLED = 137  # 128 and SIGKILL
# A second in all, which only a container with a limit of its memory takes.
_LOOKS_FOR_MEMORY = 20
_PAUSE_S = 0.05


class Engine(Beside, Changes, Following):
    """A client of one container engine; it keeps no connection open and may be shared."""

    def containers(self, project: str, *, timeout_s: float | None = None) -> list[Container]:
        """Return the containers of a compose project, stopped ones too, in one request.

        Of a service with replicas the first comes first. ``timeout_s``: where the answer is not
        worth as long a wait as others.
        """
        extra = {} if timeout_s is None else {"timeout_s": timeout_s}
        # The engine lists the newest first; of one number that one stays first.
        return sorted(self._listed(of_project(project), **extra), key=lambda one: one.number)

    def container(self, project: str, container_id: str) -> Container | None:
        """Return one container of a compose project; None if it is gone.

        It takes the engine a seventh of the time of all containers of a stack of ten.
        """
        return next(iter(self._listed(of_project(project, container_id))), None)

    def _listed(self, chosen: Mapping[str, str], **extra: float) -> list[Container]:
        asked = "/containers/json"
        found = self._all(asked, {"all": "1", **chosen}, **extra)
        with self._reading(f"GET {asked}", found):
            own = [c for c in found if is_of_service(c.get("Labels") or {})]
            return [container_of(c, self.locator) for c in own]

    def owner(self, container_id: str) -> str:
        """Return whose a container is, in words: the compose project's, and of which folder."""
        found = self._inspect(container_id) or {"Config": {}}
        labels = found["Config"].get("Labels") or {}
        if PROJECT_LABEL not in labels:
            return "no compose project"
        folder = labels.get(f"{PROJECT_LABEL}.working_dir", "an unknown folder")
        return f"the compose project {labels[PROJECT_LABEL]} in {folder}"

    def identity(self) -> str:
        """Return what tells this engine from others, whatever its address is; "" if nothing."""
        return str(self._call("GET", "/info").get("ID") or "")

    def version(self) -> tuple[str, str]:
        """Return the engine's version, and the newest one of its API that it speaks."""
        found = self._call("GET", "/version")
        with self._reading("GET /version", found):
            return str(found["Version"]), str(found["ApiVersion"])

    def volumes(self, project: str) -> list[str]:
        """Return the names of the volumes of a compose project."""
        found = self._call("GET", "/volumes", of_project(project))
        with self._reading("GET /volumes", found):
            return [volume["Name"] for volume in found.get("Volumes") or []]

    def exit_state(self, container_id: str) -> ExitState | None:
        """Return how a container ended, and how often it was started again; None if it is gone.

        It may have gone since it was listed: compose removes one that it replaces.
        """
        found = self._inspect(container_id)
        for _ in range(_LOOKS_FOR_MEMORY):
            if found is None or not _may_have_lacked_memory(found):
                break
            Event().wait(_PAUSE_S)
            found = self._inspect(container_id)
        if found is None:
            return None
        with self._reading(f"GET /containers/{container_id}/json", found):
            return exit_state_of(found, perhaps_out_of_memory=_may_have_lacked_memory(found))

    def container_config(self, container_id: str) -> ContainerConfig | None:
        """Return what a container was started with; None if it is gone."""
        found = self._inspect(container_id)
        if found is None:
            return None
        with self._reading(f"GET /containers/{container_id}/json", found):
            return container_config_of(found)

    def has_file(self, container_id: str, path: str) -> bool:
        """Tell whether a container has something at a path; one that ended can be asked, too."""
        with self._request("HEAD", f"/containers/{container_id}/archive", {"path": path}) as found:
            found.read()
            if found.status not in {200, 404}:
                raise EngineError(
                    f"the engine refused to look into a container ({found.status})",
                    where=f"engine at {self.address}",
                    seen=f"{container_id[:12]}: {path}",
                )
            return found.status == 200

    def start(self, container_id: str) -> None:
        """Start a container that was stopped."""
        self._acted(container_id, "start")
        self._call("POST", f"/containers/{container_id}/start")

    def stop(self, container_id: str, timeout_s: int | None = None) -> None:
        """Send the stop signal; SIGKILL follows after timeout_s (the container's own if None)."""
        self._acted(container_id, "stop")
        query = {} if timeout_s is None else {"t": timeout_s}
        self._call("POST", f"/containers/{container_id}/stop", query, timeout_s=120.0)

    def kill(self, container_id: str, signal: str = "SIGKILL") -> None:
        """Send a signal to a container's first process."""
        self._acted(container_id, signal)
        path = f"/containers/{container_id}/kill"
        self._call("POST", path, {"signal": signal}, done="is not running")

    def end(self, container_id: str, signal: str = "SIGKILL") -> None:
        """Send a signal, with which the engine switches the restart policy off, until a start."""
        self.kill(container_id, signal)

    def logs(
        self,
        container_id: str,
        *,
        since_s: float | None = None,
        tail: int | None = None,
        most_bytes: int | None = None,
    ) -> str:
        """Return what a container logged, each line behind its RFC 3339 time stamp.

        ``since_s`` is in seconds since the epoch; ``tail`` keeps the newest lines. Of more than
        ``most_bytes`` the first are read.
        """
        query: dict[str, str] = {"stdout": "1", "stderr": "1", "timestamps": "1"}
        if since_s is not None:
            query["since"] = f"{since_s:.9f}"
        if tail is not None:
            query["tail"] = str(tail)
        with self._request("GET", f"/containers/{container_id}/logs", query) as response:
            body = response.read(most_bytes)
            multiplexed = response.headers.get_content_type() != "application/vnd.docker.raw-stream"
            if response.status >= 400:
                return ""
        return (demultiplexed(body) if multiplexed else body).decode(errors="replace")

    def log_text(
        self, container_id: str, *, since_s: float | None = None, tail: int | None = None
    ) -> str:
        """Return what a container logged, without the time stamps."""
        text = self.logs(container_id, since_s=since_s, tail=tail)
        return "\n".join(line.partition(" ")[2] for line in text.splitlines())


def _may_have_lacked_memory(found: Mapping[str, Any]) -> bool:
    """Tell whether it may still come out that the kernel killed a container for memory.

    The engine hears of that by another event than of the end, sometimes a moment later.
    """
    state = found["State"]
    killed = state["ExitCode"] == _KILLED and not state.get("OOMKilled")
    return killed and 0 < found["HostConfig"].get("Memory", 0) < UNLIMITED_BYTES
