"""How the engine is reached: a socket, TCP, or whatever else the docker client can reach."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import selectors
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from typing import Any
from urllib.parse import urlsplit

from nomock.errors import EngineMissingError
from nomock.places import home


def endpoint(environ: Mapping[str, str] = os.environ) -> str:
    """Return the address of the engine that the docker client would ask.

    The order is the client's own: DOCKER_HOST, DOCKER_CONTEXT, the context chosen in
    ``~/.docker/config.json``, the default socket.
    """
    if host := environ.get("DOCKER_HOST"):
        return host if "://" in host else f"tcp://{host}"  # as the client reads it
    name = _context(environ)
    if name is not None:
        try:
            found = json.loads((_stored("meta", name, environ) / "meta.json").read_text())
            return str(found["Endpoints"]["docker"]["Host"])
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise EngineMissingError(
                f"the docker context {name!r} cannot be read",
                where="engine",
                seen=str(error),
                todo="docker context ls",
            ) from error
    return "npipe:////./pipe/docker_engine" if os.name == "nt" else "unix:///var/run/docker.sock"


def is_encrypted(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the docker client would speak TLS with an engine behind TCP."""
    if environ.get("DOCKER_TLS_VERIFY") or environ.get("DOCKER_TLS"):
        return True
    name = None if environ.get("DOCKER_HOST") else _context(environ)
    return name is not None and (_stored("tls", name, environ) / "docker").is_dir()


def _context(environ: Mapping[str, str]) -> str | None:
    """Return the name of the chosen docker context, None for the default one."""
    name = environ.get("DOCKER_CONTEXT")
    if not name:
        try:
            name = json.loads((_folder(environ) / "config.json").read_text())["currentContext"]
        except (OSError, ValueError, LookupError, TypeError):
            name = None
    return name if name and name != "default" else None


def _stored(what: str, context: str, environ: Mapping[str, str]) -> Path:
    """Return the folder in which the docker client keeps a part of a context."""
    return _folder(environ) / "contexts" / what / hashlib.sha256(context.encode()).hexdigest()


def _folder(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("DOCKER_CONFIG") or (home(environ) or Path("/")) / ".docker")


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
        self._timer: Timer | None = None
        self.settimeout(timeout_s)

    def settimeout(self, timeout_s: float | None) -> None:
        """Give up after this time from now; never with None."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None
        if timeout_s is not None:
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
        self.settimeout(None)
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


class Connection(http.client.HTTPConnection):
    """A connection to the engine, whatever its endpoint is."""

    def __init__(self, address: str, timeout_s: float) -> None:
        super().__init__("engine", timeout=timeout_s)
        self._address = address
        self._timeout_s = timeout_s
        self.stdio: _Stdio | None = None

    def answers_within(self, seconds: float) -> bool:
        """Wait until the answer to a request begins; tell whether it did, as far as that is known.

        Nothing is known of what the docker client passes on.
        """
        if not isinstance(self.sock, socket.socket):
            return True
        with selectors.DefaultSelector() as selector:
            selector.register(self.sock, selectors.EVENT_READ)
            return bool(selector.select(seconds))

    def connect(self) -> None:
        """Open it; http.client calls this before the first request."""
        parts = urlsplit(self._address)
        if parts.scheme == "unix":
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sock.settimeout(self._timeout_s)
            sock.connect(parts.path)
            self.sock = sock
        elif parts.scheme == "tcp" and not is_encrypted():
            address = (parts.hostname or "127.0.0.1", parts.port or 2375)
            self.sock = socket.create_connection(address, self._timeout_s)
        else:
            self.stdio = self.sock = _Stdio(self._timeout_s)
