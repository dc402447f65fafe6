"""The gate that a test's requests pass: it shares what it uses, and waits where that is broken."""

from __future__ import annotations

from collections.abc import Mapping

from nomock.adapters.toxiproxy.endpoints import CONTROL_PORT, EdgeEndpoints, endpoints_at
from nomock.errors import NomockError
from nomock.faults.locking.claims import Claims
from nomock.faults.topology import ARROW, proxies, topology_of
from nomock.stack import Stack


class Gate:
    """The gate of one stack, for the tests of this process."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.claims = Claims(stack.settings.state_dir, stack.name, around=self._around)
        self._proxies = proxies(stack.project)
        self._edges: dict[str, dict[str, EdgeEndpoints]] | None = None  # of each Toxiproxy
        self._topology: Mapping[str, frozenset[str]] = {}

    def use(self, service: str, port: int) -> None:
        """Share what requests to a service's port may run through, until ``release``."""
        if service in self._proxies and port == CONTROL_PORT:
            return  # who asks Toxiproxy itself wants to see a fault, not to wait for its end
        # First, since while it is away nobody can say which edges there are.
        self.claims.acquire_shared(self._proxies)
        if self._edges is None:
            self._look()
        self.claims.acquire_shared(self._topology[service])
        if service in self._proxies:
            self.claims.acquire_shared(self._behind(service, port))

    def release(self) -> None:
        """The test is over: use nothing any more."""
        self.claims.release()

    def _around(self, parts: frozenset[str]) -> frozenset[str]:
        """Return what requests may run through that meet one of some parts."""
        if self._edges is None:
            self._look()
        if not parts.isdisjoint(self._proxies):  # which every request runs through
            met = list(self._topology.values())
        else:
            met = [reached for reached in self._topology.values() if not reached.isdisjoint(parts)]
        return frozenset(self._proxies).union(*met)

    def _look(self) -> None:
        """Ask for the edges; where Toxiproxy does not answer, they are asked for again."""
        edges: dict[str, dict[str, EdgeEndpoints]] = {}
        try:
            for proxy in self._proxies:
                edges[proxy] = endpoints_at(*self._stack[proxy].address(CONTROL_PORT))
            self._edges = edges
        except NomockError:
            pass  # which is for the tests to find
        hosts = {name: ends.host for of in edges.values() for name, ends in of.items()}
        self._topology = topology_of(self._stack.project, hosts)

    def _behind(self, proxy: str, port: int) -> frozenset[str]:
        """Return what a request runs through that a test itself sends over an edge."""
        for name, ends in (self._edges or {}).get(proxy, {}).items():
            if ends.port == port:
                target = name.partition(ARROW)[2]
                return frozenset({name, ends.host}) | self._topology.get(target, frozenset())
        return frozenset()
