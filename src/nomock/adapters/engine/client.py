"""The questions that are asked of the engine, one method each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from threading import Event
from typing import Any
from urllib.parse import quote

from nomock.adapters.engine.answers import said
from nomock.adapters.engine.changes import Changes
from nomock.adapters.engine.configuration import (
    Image,
    ImageConfig,
    container_config_of,
    image_config_of,
)
from nomock.adapters.engine.container import container_of
from nomock.adapters.engine.conversation import Conversations
from nomock.adapters.engine.following import Following
from nomock.adapters.engine.frames import demultiplexed
from nomock.adapters.engine.labels import PROJECT_LABEL, is_of_service, of_project
from nomock.adapters.engine.resources import UNLIMITED_BYTES
from nomock.adapters.engine.state import exit_state_of
from nomock.errors import EngineError, EngineForbiddenError, EngineMissingError
from nomock.target import Container, ContainerConfig, ExitState

_KILLED = 137  # 128 and SIGKILL
# A second in all, which only a container with a limit of its memory takes.
_LOOKS_FOR_MEMORY = 20
_PAUSE_S = 0.05


class Engine(Conversations, Changes, Following):
    """A client of one container engine; it keeps no connection open and may be shared."""

    def containers(self, project: str, *, timeout_s: float | None = None) -> list[Container]:
        """Return the containers of a compose project, stopped ones too, in one request.

        Of a service with replicas the first comes first. ``timeout_s``: where the answer is not
        worth as long a wait as others.
        """
        asked = "/containers/json"
        extra = {} if timeout_s is None else {"timeout_s": timeout_s}
        found = self._all(asked, {"all": "1", **of_project(project)}, **extra)
        with self._reading(f"GET {asked}", found):
            own = [c for c in found if is_of_service(c.get("Labels") or {})]
            containers = [container_of(c, self.locator) for c in own]
        # The engine lists the newest first; of one number that one stays first.
        return sorted(containers, key=lambda container: container.number)

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

    def image_id(self, name: str) -> str | None:
        """Return the id of a local image, None when it is not here."""
        config = self.image_config(name)
        return config.id if config else None

    def image_config(self, name: str) -> ImageConfig | None:
        """Return what a local image says of its containers, None when it is not here."""
        path = f"/images/{quote(name, safe='/:@')}/json"
        found = self._found(path)
        if found is None:
            return None
        with self._reading(f"GET {path}", found):
            return image_config_of(found)

    def tag(self, image: str, name: str) -> None:
        """Give a local image one more name: ``host:port/name:tag``."""
        repository, _, tag = name.rpartition(":")
        path = f"/images/{quote(image, safe='/:@')}/tag"
        self._call("POST", path, {"repo": repository, "tag": tag})

    def remove_image(self, image_id: str) -> None:
        """Remove an image that nothing uses; one that has a tag or a container stays."""
        with self._request("DELETE", f"/images/{image_id}") as response:
            body = response.read()
            if response.status not in {404, 409}:  # gone, or in use
                self._answer(response, body, f"DELETE /images/{image_id}")

    def images(self) -> dict[str, Image]:
        """Return tag -> local image, in one request."""
        found = self._all("/images/json")
        with self._reading("GET /images/json", found):
            return {
                tag: Image(id=i["Id"], size_bytes=i.get("Size", 0), created_s=i.get("Created", 0))
                for i in found
                for tag in i.get("RepoTags") or []
            }

    def registry_silence(self, image: str, timeout_s: float) -> str | None:
        """Return why the engine cannot reach an image's registry; None if the registry answers.

        An answer may be a refusal: the docker client may have a login that the engine has not.
        """
        path = f"/distribution/{quote(image, safe='/:@')}/json"
        try:
            with self._request("GET", path, timeout_s=timeout_s) as response:
                body = response.read()
                if response.status < 500:
                    return None
                return said(body)
        except (EngineMissingError, EngineForbiddenError):
            raise
        except EngineError as error:  # no answer in time: a firewall swallows the question
            return error.what

    def pull(self, image: str, timeout_s: float) -> None:
        """Pull an image, without any login; raise EngineError with the registry's words."""
        query = {"fromImage": image, "tag": ""}
        if "@" not in image and ":" not in image.rpartition("/")[2]:
            query["tag"] = "latest"  # the engine would pull all that there are
        asked = "POST /images/create"
        with self._request("POST", "/images/create", query, timeout_s=timeout_s) as response:
            body = response.read()
            if response.status >= 400:
                self._answer(response, body, asked)
        # It has begun with 200 before it knew how that would end.
        with self._reading(asked, body.decode(errors="replace")):
            words = [
                line["error"] for line in map(json.loads, body.splitlines()) if "error" in line
            ]
        if words:
            raise EngineError(
                f"the engine could not pull {image}",
                where=f"engine at {self.address}",
                seen=str(words[-1]),
            )

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
