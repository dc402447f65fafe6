"""Changes to edges, each read back; where Toxiproxy hangs, the edge or Toxiproxy is made anew.

Toxiproxy 2.12 locks an edge while it hands a change to each connection of it, and a connection
whose reader has stalled never takes one: the edge is stuck for good then, also for a change of
`enabled`. Another edge of that name can be put in its place, unless somebody connected meanwhile:
then the whole control port is stuck, and only a new process helps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property, partial
from threading import RLock
from typing import TYPE_CHECKING

from nomock.adapters.toxiproxy.edge import Edge, Toxic
from nomock.errors import ToxiproxyError, UnknownEdgeError

if TYPE_CHECKING:  # imported when it is first asked: it brings requests
    from nomock.adapters.toxiproxy.control import Control

_RESTART_S = 10.0


class Toxiproxy:
    """Toxiproxy's control port; any thread may use it.

    ``timeout_s``: how long one question may take. ``restart`` restarts Toxiproxy's container and
    returns its new address: it is called where nothing else brings an answer.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        timeout_s: float = 2.0,
        restart: Callable[[], tuple[str, int]] | None = None,
    ) -> None:
        self._address = host, port
        self._timeout_s = timeout_s
        self._restart_container = restart
        self._lock = RLock()

    def edges(self) -> dict[str, Edge]:
        """Return all edges as they are now, by their names."""
        from nomock.adapters.toxiproxy.control import NoAnswer

        with self._lock:
            try:
                return self._read()
            except NoAnswer as error:
                self._restart({}, error)
                return self._read()

    def add(self, edge: str, toxic: Toxic) -> None:
        """Add a toxic; raise ConfigError for one that cannot be, before Toxiproxy is asked."""
        toxic = toxic.checked()
        with self._lock:
            before = self.edges()
            was = self._known(edge, before)
            if was.toxic(toxic.name):
                raise self._error(edge, f"there is a toxic {toxic.name!r} already", str(was))
            add = partial(self._control.post, "proxies", edge, "toxics", body=toxic.body())
            self._toxics(was.with_toxic(toxic), before, add)

    def update(self, edge: str, toxic: Toxic) -> None:
        """Change the attributes of a toxic, found by its name."""
        toxic = toxic.checked()
        with self._lock:
            before = self.edges()
            was = self._known(edge, before)
            if was.toxic(toxic.name) is None:
                raise self._error(edge, f"there is no toxic {toxic.name!r}", str(was))
            path = "proxies", edge, "toxics", toxic.name
            update = partial(self._control.patch, *path, body=toxic.body())
            self._toxics(was.with_toxic(toxic), before, update)

    def remove(self, edge: str, toxic: str) -> None:
        """Remove a toxic, if it is there."""
        with self._lock:
            before = self.edges()
            was = self._known(edge, before)
            if was.toxic(toxic):
                remove = partial(self._control.delete, "proxies", edge, "toxics", toxic)
                self._toxics(was.without(toxic), before, remove)

    def enable(self, edge: str) -> None:
        """Let connections in."""
        self._switch(edge, on=True)

    def disable(self, edge: str) -> None:
        """End all connections of an edge, and refuse new ones."""
        self._switch(edge, on=False)

    def _toxics(
        self, wanted: Edge, before: Mapping[str, Edge], in_place: Callable[[], object]
    ) -> None:
        """Change toxics in place, which keeps the connections, or by another edge."""
        another = partial(self._replace, wanted)
        # A closed edge has no connections to keep, and may hold data that hangs a removal.
        ways = (in_place, another) if wanted.enabled else (another,)
        self._reach(wanted, before, *ways)

    def _switch(self, edge: str, *, on: bool) -> None:
        with self._lock:
            before = self.edges()
            was = self._known(edge, before)
            # It hangs where Toxiproxy is connecting to an upstream that does not answer. To replace
            # the edge would wait for the same, with the lock of all edges held.
            switch = partial(self._control.patch, "proxies", edge, body={"enabled": on})
            self._reach(replace(was, enabled=on), before, switch)

    def _reach(self, wanted: Edge, before: Mapping[str, Edge], *ways: Callable[[], object]) -> None:
        """Make an edge what is wanted: the first way that ends, or a restart."""
        from nomock.adapters.toxiproxy.control import Absent, NoAnswer

        for way in ways:
            try:
                way()
                break
            except Absent:  # another process was faster; what there is now is read below
                break
            except NoAnswer as error:
                hung = error
        else:
            self._restart({**before, wanted.name: wanted}, hung)
        now = self._known(wanted.name, self._read())
        if not now.same_as(wanted):
            raise self._error(
                wanted.name,
                "it did not become what was asked for",
                f"asked for: {wanted}\nit is:     {now}",
            )

    def _replace(self, wanted: Edge) -> None:
        """Put another edge in an edge's place, which ends its connections; closed until done."""
        from nomock.adapters.toxiproxy.control import Absent

        name = wanted.name
        with suppress(Absent):
            self._control.delete("proxies", name)
        listen = f"{wanted.listen_host}:{wanted.listen_port}"
        proxy = {"name": name, "listen": listen, "upstream": wanted.upstream, "enabled": False}
        self._control.post("proxies", body=proxy)
        for toxic in wanted.toxics:
            self._control.post("proxies", name, "toxics", body=toxic.body())
        if wanted.enabled:
            self._control.patch("proxies", name, body={"enabled": True})

    def _restart(self, wanted: Mapping[str, Edge], hung: Exception) -> None:
        """Restart Toxiproxy and give its edges back what they had."""
        from nomock.adapters.toxiproxy.control import NoAnswer

        if self._restart_container is None:
            raise ToxiproxyError(
                "Toxiproxy is stuck",
                where=self._control.where,
                seen=str(hung),
                todo="restart it: docker compose restart toxiproxy",
            ) from hung
        self._address = self._restart_container()
        del self._control
        try:
            now = self._read_when_up()
            for edge in wanted.values():
                if edge.name not in now or not now[edge.name].same_as(edge):
                    self._replace(edge)
        except NoAnswer as error:
            raise ToxiproxyError(
                "Toxiproxy is stuck, also after a restart",
                where=self._control.where,
                seen=str(error),
                todo="nomock logs toxiproxy; end what connects to an upstream that is not there",
            ) from error

    def _read_when_up(self) -> dict[str, Edge]:
        deadline = time.monotonic() + _RESTART_S
        while True:
            try:
                return self._read()
            except ToxiproxyError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def _read(self) -> dict[str, Edge]:
        from nomock.adapters.toxiproxy.control import Absent

        try:
            return {name: Edge.of(told) for name, told in self._control.get("proxies").items()}
        except Absent as error:
            raise ToxiproxyError(
                "this is another server",
                where=self._control.where,
                seen=f"it knows no {error}",
                todo="publish Toxiproxy's control port, 8474, and nothing else under it",
            ) from error

    def _known(self, edge: str, edges: Mapping[str, Edge]) -> Edge:
        if edge not in edges:
            raise UnknownEdgeError(edge, edges, (), where=self._control.where)
        return edges[edge]

    def _error(self, edge: str, what: str, seen: str) -> ToxiproxyError:
        return ToxiproxyError(
            what, where=f"edge {edge}", seen=seen, todo="does another run change it? nomock heal"
        )

    @cached_property
    def _control(self) -> Control:
        from nomock.adapters.toxiproxy.control import Control

        return Control(*self._address, self._timeout_s)
