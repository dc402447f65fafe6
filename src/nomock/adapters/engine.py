"""The container engine's own HTTP API, spoken over its socket with the standard library.

python-on-whales starts a process for every question (50 to 100 ms, and 0.2 s to import); the
socket answers in one. All that is asked often goes this way: which containers a project has,
how they are, and what they logged. The API: https://docs.docker.com/reference/api/engine/
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import struct
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from nomock.errors import EngineError, EngineForbiddenError, EngineMissingError

API = "/v1.44"
PROJECT_LABEL = "com.docker.compose.project"
_ANSWER_TIMEOUT_S = 20.0


@dataclass(frozen=True)
class Container:
    """What one request for a project's containers says of each of them."""

    id: str
    service: str
    image: str
    image_id: str
    state: str
    """created, running, paused, restarting, removing, exited or dead."""
    health: str | None
    """compose's healthcheck verdict: starting, healthy, unhealthy; None without one."""
    created_s: int
    """Seconds since the epoch."""
    config_files: tuple[str, ...]
    ports: Mapping[int, int]
    """Port in the container -> port on this machine's loopback, TCP only."""


@dataclass(frozen=True)
class Image:
    """What the list of local images says of one."""

    id: str
    size_bytes: int
    created_s: int
    """Seconds since the epoch."""


@dataclass(frozen=True)
class Death:
    """How a container ended, or how often it was started again."""

    exit_code: int
    out_of_memory: bool
    restarts: int
    finished_at: str


def endpoint(environ: Mapping[str, str] = os.environ) -> str:
    """Return the address of the engine that the docker client would ask.

    The order is the client's own: DOCKER_HOST, DOCKER_CONTEXT, the context chosen in
    ``~/.docker/config.json``, the default socket.
    """
    if host := environ.get("DOCKER_HOST"):
        return host
    folder = Path(environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    name = environ.get("DOCKER_CONTEXT")
    if not name:
        try:
            name = json.loads((folder / "config.json").read_text()).get("currentContext")
        except (OSError, ValueError):
            name = None
    if name and name != "default":
        meta = folder / "contexts" / "meta" / hashlib.sha256(name.encode()).hexdigest()
        try:
            found = json.loads((meta / "meta.json").read_text())
            return str(found["Endpoints"]["docker"]["Host"])
        except (OSError, ValueError, KeyError) as error:
            raise EngineMissingError(
                f"the docker context {name!r} cannot be read",
                where="engine",
                seen=str(error),
                todo="docker context ls",
            ) from error
    return "npipe:////./pipe/docker_engine" if os.name == "nt" else "unix:///var/run/docker.sock"


class _Stdio:
    """The part of a socket that http.client uses, over the pipes of ``docker system dial-stdio``.

    The client's own way to reach engines over ssh or a Windows pipe: any endpoint it knows works.
    """

    def __init__(self, timeout_s: float) -> None:
        self.timed_out = False
        self.said = ""
        """What it wrote to standard error, known once it is closed."""
        # A file and no pipe: what the client itself started, such as ssh, may outlive it.
        self._stderr = TemporaryFile()  # noqa: SIM115 (closed by close)
        self._process = subprocess.Popen(
            ["docker", "system", "dial-stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
        )
        # A pipe has no time-out of its own on every system.
        self._timer = Timer(timeout_s, self._give_up)
        self._timer.daemon = True
        self._timer.start()

    def _give_up(self) -> None:
        self.timed_out = True
        self._process.kill()

    def sendall(self, data: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def makefile(self, mode: str, buffering: int = -1) -> Any:
        return self._process.stdout

    def close(self) -> None:
        self._timer.cancel()
        assert self._process.stdin is not None
        try:
            with suppress(OSError):
                self._process.stdin.close()
            self._process.wait(timeout=1)  # it may still have to say why it failed
        except subprocess.TimeoutExpired:
            self._process.kill()  # SIGTERM does not end it while it waits for an answer
            self._process.wait()
        if not self._stderr.closed:
            self._stderr.seek(0)
            self.said = self._stderr.read().decode(errors="replace").strip()
            self._stderr.close()


class _Connection(http.client.HTTPConnection):
    """A connection to the engine, whatever its endpoint is."""

    def __init__(self, address: str, timeout_s: float) -> None:
        super().__init__("engine", timeout=timeout_s)
        self._address = address
        self._timeout_s = timeout_s
        self.stdio: _Stdio | None = None

    def connect(self) -> None:
        parts = urlsplit(self._address)
        if parts.scheme == "unix":
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.settimeout(self._timeout_s)
            sock.connect(parts.path)
            self.sock = sock
        elif parts.scheme == "tcp" and not os.environ.get("DOCKER_TLS_VERIFY"):
            address = (parts.hostname or "127.0.0.1", parts.port or 2375)
            self.sock = socket.create_connection(address, self._timeout_s)
        else:
            self.stdio = self.sock = _Stdio(self._timeout_s)


class Engine:
    """A client of one container engine; it keeps no connection open and may be shared."""

    def __init__(self, address: str | None = None, *, timeout_s: float = _ANSWER_TIMEOUT_S) -> None:
        self.address = endpoint() if address is None else address
        self._timeout_s = timeout_s

    @contextmanager
    def _request(
        self, method: str, path: str, query: Mapping[str, Any] | None = None, **extra: Any
    ) -> Iterator[http.client.HTTPResponse]:
        timeout_s = extra.get("timeout_s", self._timeout_s)
        connection = _Connection(self.address, timeout_s)
        if query:
            path += "?" + urlencode(query)
        try:
            connection.request(method, API + path)
            yield connection.getresponse()
        except PermissionError as error:
            raise EngineForbiddenError(
                "permission denied on the engine's socket",
                where=f"engine at {self.address}",
                seen=str(error),
                todo="join the group docker (sudo usermod -aG docker $USER, log in again), "
                "or run as root",
            ) from error
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            stdio = connection.stdio
            if isinstance(error, TimeoutError) or (stdio and stdio.timed_out):
                raise EngineError(
                    f"the engine did not answer within {timeout_s:g} s",
                    where=f"engine at {self.address}",
                    seen=f"{method} {path}",
                    todo="look at the engine's own log; restart it",
                ) from error
            raise EngineMissingError(
                "no container engine answers",
                where=f"engine at {self.address}",
                seen=(stdio.said if stdio else "") or str(error).strip() or type(error).__name__,
                todo="start it (Docker Desktop, or: systemctl start docker); "
                "./just starts or installs one where it can",
            ) from error
        finally:
            connection.close()

    def _call(
        self, method: str, path: str, query: Mapping[str, Any] | None = None, **extra: Any
    ) -> Any:
        with self._request(method, path, query, **extra) as response:
            return self._answer(response, response.read(), f"{method} {path}")

    def _answer(self, response: http.client.HTTPResponse, body: bytes, asked: str) -> Any:
        if response.status >= 400:
            try:
                seen = json.loads(body)["message"]
            except (ValueError, KeyError):
                seen = body.decode(errors="replace")
            raise EngineError(
                f"the engine refused {asked} ({response.status})",
                where=f"engine at {self.address}",
                seen=seen,
            )
        return json.loads(body) if body else None

    def containers(self, project: str) -> list[Container]:
        """Return the containers of a compose project, stopped ones too, in one request."""
        filters = json.dumps({"label": [f"{PROJECT_LABEL}={project}"]})
        found = self._call("GET", "/containers/json", {"all": "1", "filters": filters})
        # A `compose run` container of a service is not that service.
        one_offs = "com.docker.compose.oneoff"
        return [_container(c) for c in found if c["Labels"].get(one_offs) != "True"]

    def volumes(self, project: str) -> list[str]:
        """Return the names of the volumes of a compose project."""
        filters = json.dumps({"label": [f"{PROJECT_LABEL}={project}"]})
        found = self._call("GET", "/volumes", {"filters": filters})
        return [volume["Name"] for volume in found["Volumes"] or []]

    def death(self, container_id: str) -> Death | None:
        """Return how a container ended, and how often it was started again; None if it is gone.

        It may have gone since it was listed: compose removes one that it replaces.
        """
        with self._request("GET", f"/containers/{container_id}/json") as response:
            body = response.read()
            if response.status == 404:
                return None
            found = self._answer(response, body, f"GET /containers/{container_id}/json")
        state = found["State"]
        return Death(
            exit_code=state["ExitCode"],
            out_of_memory=bool(state.get("OOMKilled")),
            restarts=found.get("RestartCount", 0),
            finished_at=state["FinishedAt"],
        )

    def image_id(self, name: str) -> str | None:
        """Return the id of a local image, None when it is not here."""
        with self._request("GET", f"/images/{quote(name, safe='/:@')}/json") as response:
            body = response.read()
            return str(json.loads(body)["Id"]) if response.status == 200 else None

    def remove_image(self, image_id: str) -> None:
        """Remove an image that nothing uses; one that has a tag or a container stays."""
        with self._request("DELETE", f"/images/{image_id}") as response:
            body = response.read()
            if response.status not in {404, 409}:  # gone, or in use
                self._answer(response, body, f"DELETE /images/{image_id}")

    def images(self) -> dict[str, Image]:
        """Return tag -> local image, in one request."""
        found = self._call("GET", "/images/json")
        return {
            tag: Image(id=i["Id"], size_bytes=i["Size"], created_s=i["Created"])
            for i in found
            for tag in i["RepoTags"] or []
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
                return str(json.loads(body)["message"])
        except (EngineMissingError, EngineForbiddenError):
            raise
        except EngineError as error:  # no answer in time: a firewall swallows the question
            return error.what

    def start(self, container_id: str) -> None:
        """Start a container that was stopped."""
        self._call("POST", f"/containers/{container_id}/start")

    def stop(self, container_id: str, timeout_s: int | None = None) -> None:
        """Send the stop signal; SIGKILL follows after timeout_s (the container's own if None)."""
        query = {} if timeout_s is None else {"t": timeout_s}
        self._call("POST", f"/containers/{container_id}/stop", query, timeout_s=120.0)

    def kill(self, container_id: str, signal: str = "SIGKILL") -> None:
        """Send a signal to a container's first process."""
        self._call("POST", f"/containers/{container_id}/kill", {"signal": signal})

    def logs(
        self,
        container_id: str,
        *,
        since_s: float | None = None,
        until_s: float | None = None,
        tail: int | None = None,
    ) -> str:
        """Return what a container logged, each line behind its RFC 3339 time stamp.

        ``since_s`` and ``until_s`` are seconds since the epoch; ``tail`` keeps the newest lines.
        """
        query: dict[str, str] = {"stdout": "1", "stderr": "1", "timestamps": "1"}
        if since_s is not None:
            query["since"] = f"{since_s:.9f}"
        if until_s is not None:
            query["until"] = f"{until_s:.9f}"
        if tail is not None:
            query["tail"] = str(tail)
        with self._request("GET", f"/containers/{container_id}/logs", query) as response:
            body = response.read()
            multiplexed = response.headers.get_content_type() != "application/vnd.docker.raw-stream"
            if response.status >= 400:
                return ""
        return (_demultiplexed(body) if multiplexed else body).decode(errors="replace")

    def log_text(
        self, container_id: str, *, since_s: float | None = None, tail: int | None = None
    ) -> str:
        """Return what a container logged, without the time stamps."""
        text = self.logs(container_id, since_s=since_s, tail=tail)
        return "\n".join(line.partition(" ")[2] for line in text.splitlines())


def _container(found: Mapping[str, Any]) -> Container:
    labels = found["Labels"]
    return Container(
        id=found["Id"],
        service=labels.get("com.docker.compose.service", ""),
        image=found["Image"],
        image_id=found["ImageID"],
        state=found["State"],
        health=_health(found["Status"]),
        created_s=found["Created"],
        config_files=tuple(labels.get(f"{PROJECT_LABEL}.config_files", "").split(",")),
        ports={
            p["PrivatePort"]: p["PublicPort"]
            for p in found["Ports"]
            if p["Type"] == "tcp" and "PublicPort" in p
        },
    )


def _health(status: str) -> str | None:
    """Read health from the status text, where this API version has it: "Up 2 s (healthy)"."""
    for verdict, marks in {
        "healthy": "(healthy)",
        "unhealthy": "(unhealthy)",
        "starting": "(health: starting)",
    }.items():
        if marks in status:
            return verdict
    return None


def _demultiplexed(body: bytes) -> bytes:
    """Join the frames of a log stream: a stream byte, three zeros, a length, the payload."""
    parts, at = [], 0
    while at + 8 <= len(body):
        (length,) = struct.unpack(">L", body[at + 4 : at + 8])
        parts.append(body[at + 8 : at + 8 + length])
        at += 8 + length
    return b"".join(parts)
