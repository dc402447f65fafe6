"""One service of a running stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from heapq import merge
from typing import TYPE_CHECKING, Any

from nomock.errors import (
    ClusterForbiddenError,
    ClusterMissingError,
    ComposeError,
    ConfigError,
    EngineForbiddenError,
    EngineMissingError,
    NotReadyError,
    TargetError,
)
from nomock.polling import wait_until
from nomock.project import ServiceConfig
from nomock.stack.addresses import address_of, http_port_of, published_of
from nomock.target import Address, Container, Target

if TYPE_CHECKING:  # httpx takes longer to import than a whole warm session may
    from nomock.adapters.http import AsyncClient, Client

OnSend = Callable[[str, str, str, bytes], Callable[[int, bytes], None] | None]
"""Called with a service, a request's method, path and body; what that returns hears the answer."""

_LIST_BEHIND_S = 2.0
# Where its target cannot be asked at all, nothing is wrong with a command.
_SILENT = (
    EngineMissingError,
    EngineForbiddenError,
    ClusterMissingError,
    ClusterForbiddenError,
)
_LAST_LINES = 20


class Service:
    """A service: where it answers, what it logged, and what can be done to it.

    Its ports are asked of the engine each time (a millisecond), since they change when the
    container is started again.
    """

    def __init__(
        self,
        config: ServiceConfig,
        target: Target,
        wait_ready: Callable[[str], None],
        on_use: Callable[[str, int], None] = lambda service, port: None,
        on_send: OnSend = lambda service, method, path, body: None,
    ) -> None:
        self.name = config.name
        self.config = config
        self._target = target
        self._wait_ready = wait_ready
        self._on_use = on_use
        self._on_send = on_send
        self._client: Client | None = None
        self._client_url = ""
        self._port: int | None = None
        self._known_id = ""

    def __repr__(self) -> str:
        return f"<Service {self.name} of {self.config.project}>"

    def aside(self) -> Service:
        """Return the same service for what asks it beside the tests: that is no use by one."""
        return Service(self.config, self._target, self._wait_ready)

    @property
    def url(self) -> str:
        """``http://HOST:PORT`` of the first port that the compose file publishes.

        Where it publishes none, of the one that it exposes. Raises as ``address`` does.
        """
        return f"http://{self.address(self._http_port())}"

    def address(self, target: int, protocol: str = "tcp") -> Address:
        """Return (host, port) under which a port in the container is reached from here.

        Where the compose file does not publish it, that is the container's own address, if this
        machine is in one of its networks: beside an engine on Linux. Raises UnpublishedError where
        it is not, UnreachableError where a published port is not reached, NotReadyError where the
        container does not run.
        """
        self._on_use(self.name, target)
        container = self._container()
        return address_of(self.config, container, target, protocol)

    def port(self, target: int, protocol: str = "tcp") -> int:
        """Return the published port of a port in the container; ``address`` says on which host.

        Raises UnpublishedError where the compose file does not publish it; else as ``address``.
        """
        self._on_use(self.name, target)
        return published_of(self.config, self._container(), target, protocol).port

    @property
    def http(self) -> Client:
        """An HTTP client of ``url`` whose requests carry the running test's id as baggage."""
        from nomock.adapters.http import client

        url = self.url
        if self._client is None or self._client_url != url:
            self.close()
            self._client, self._client_url = client(url, **self._hooks), url
        return self._client

    @property
    def async_http(self) -> AsyncClient:
        """A new asyncio client of the same kind: ``async with stack["auth"].async_http as http``.

        A new one each time, because such a client belongs to one event loop.
        """
        return self.async_client()

    def client(self, **options: Any) -> Client:
        """Return a new client like ``http``, with ``options`` of httpx.Client, and its own cookies.

        ``with stack["auth"].client(auth=("ann", "secret"), follow_redirects=True) as ann:``. Where
        what you test makes its client itself, give it this one: what it asks is in the evidence.
        """
        from nomock.adapters.http import client

        return client(self.url, **self._hooks, **options)

    def async_client(self, **options: Any) -> AsyncClient:
        """Return a new client like ``async_http``, with httpx.AsyncClient's ``options``."""
        from nomock.adapters.http import async_client

        return async_client(self.url, **self._hooks, **options)

    def sending(self, method: str, path: str, body: bytes) -> Callable[[int, bytes], None] | None:
        """Say that a client which is none of these is about to send a request.

        What is returned, if anything, is to be called with the status and the body of the answer.
        """
        return self._on_send(self.name, method, path, body)

    @property
    def container_id(self) -> str:
        """The id of its container; raises NotReadyError where it has none."""
        return self._container().id

    def logs(self, since: datetime | float | None = None, *, tail: int | None = None) -> str:
        """Return what it logged, of replicas all together in order of time.

        ``since`` is a datetime or seconds since the epoch; ``tail`` keeps the newest lines.
        """
        since_s = since.timestamp() if isinstance(since, datetime) else since
        logs = [self._target.logs(c.id, since_s=since_s, tail=tail) for c in self._own()]
        lines = list(merge(*(log.splitlines() for log in logs)))  # each begins with its time
        return "\n".join(line.partition(" ")[2] for line in lines[-tail if tail else 0 :])

    def environment(self) -> Mapping[str, str]:
        """Return the variables that its container was started with, its image's too."""
        started = self._target.container_config(self.container_id)
        return {} if started is None else started.environment

    def exec(self, *command: str) -> str:
        """Run a command in the container and return its standard output, to the last newline.

        Raises ComposeError with what it wrote to standard error if it does not end with 0. Bytes
        that are no UTF-8 become U+FFFD.
        """
        try:
            done = self._target.execute(self._container().id, command)
        except _SILENT:
            raise
        except TargetError as error:  # its container does not run, or has no such program
            raise self._failed(command, "could not be started", error.seen) from error
        if done.exit_code != 0:
            said = (done.stderr or done.stdout).strip().splitlines()[-_LAST_LINES:]
            raise self._failed(command, f"ended with {done.exit_code}", "\n".join(said))
        return done.stdout

    def restart(self) -> None:
        """Stop it gracefully, all its replicas, start it again, and return when it is ready."""
        self.stop()
        self.start()

    def start(self) -> None:
        """Start it after a stop or a kill, and return when it is ready."""
        for container in self._own():
            self._target.start(container.id)
        self._wait_ready(self.name)

    def stop(self, timeout_s: int | None = None) -> None:
        """Send the stop signal and return when it has ended; SIGKILL follows after timeout_s."""
        for container in self._own():
            self._target.stop(container.id, timeout_s)
        self._wait_ended()

    def kill(self, signal: str = "SIGKILL") -> None:
        """Send a signal, to all its replicas; return at once, or after SIGKILL when it has ended.

        Those that do not run get none; raises TargetError where none of them runs.
        """
        found = self._own()
        running = [c for c in found if c.state in {"running", "paused", "restarting"}]
        for container in running or found:
            self._target.kill(container.id, signal)
        if signal == "SIGKILL":
            self._wait_ended()

    def close(self) -> None:
        """Close the HTTP client, if there is one."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _failed(self, command: Sequence[str], how: str, seen: str) -> ComposeError:
        return ComposeError(
            f"{' '.join(command)!r} {how}",
            where=f"service {self.name}",
            seen=seen,
            todo=f"nomock logs {self.name}",
        )

    @property
    def _hooks(self) -> dict[str, Any]:
        """What its clients call before each request."""
        return {"on_request": self._used, "on_send": partial(self._on_send, self.name)}

    def _used(self) -> None:
        self._on_use(self.name, self._http_port())

    def _http_port(self) -> int:
        if self._port is None:  # asked once: this is called before each request
            line = self._target.locator.line("PORT")
            self._port = http_port_of(self.config, self._containers(), line)
        return self._port

    def _wait_ended(self) -> None:
        # The engine's list of containers is a few milliseconds behind what it has just done.
        # In a cluster there is none for a moment, until another one takes its place.
        wait_until(
            lambda: not any(c.state == "running" for c in self._containers()),
            within_s=_LIST_BEHIND_S,
        )

    def _containers(self) -> list[Container]:
        return [c for c in self._target.containers(self.config.project) if c.service == self.name]

    def _container(self) -> Container:
        """Return its container; of replicas always the first, so that no two are mixed up.

        One that was found before is asked for by itself, which is quicker than a list of all.
        """
        known = self._known_id and self._target.container(self.config.project, self._known_id)
        container = known or self._own()[0]
        self._known_id = container.id
        return container

    def _own(self) -> list[Container]:
        """Return its containers, by number; raise where it has none."""
        found = self._containers()
        if not found and self.config.replicas == 0:
            raise ConfigError(
                "it is scaled to 0, so that nothing runs",
                where=f"service {self.name}",
                todo="give it a container in the compose file: scale, or deploy: {replicas: 1}",
            )
        if not found:
            raise NotReadyError(
                "it has no container", where=f"service {self.name}", todo="nomock up"
            )
        return found
