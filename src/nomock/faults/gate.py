"""The gate that a test's requests pass: it shares what it uses, and waits where that is broken."""

from __future__ import annotations

import http.client
from collections.abc import Mapping

from nomock.errors import NomockError
from nomock.faults.claims import Claims
from nomock.faults.reach import ARROW, CONTROL_PORT, Way, proxies, reach, ways_at
from nomock.stack import Stack


class Gate:
    """The gate of one stack, for the tests of this process."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.claims = Claims(stack.settings.state_dir, stack.name)
        self._proxies = proxies(stack.project)
        self._ways: dict[str, Way] | None = None
        self._reach: Mapping[str, frozenset[str]] = {}

    def use(self, service: str, port: int) -> None:
        """Share what requests to a service's port may run through, until ``let_go``."""
        if service in self._proxies and port == CONTROL_PORT:
            return  # who asks Toxiproxy itself wants to see a fault, not to wait for its end
        # First, since while it is away nobody can say which edges there are.
        self.claims.share(self._proxies)
        if self._ways is None:
            self._look()
        self.claims.share(self._reach[service])
        if service in self._proxies:
            self.claims.share(self._behind(port))

    def let_go(self) -> None:
        """The test is over: use nothing any more."""
        self.claims.let_go()

    def _look(self) -> None:
        """Ask for the edges; where Toxiproxy does not answer, they are asked for again."""
        ways: dict[str, Way] = {}
        try:
            for name in self._proxies:
                ways |= ways_at(self._stack[name].address(CONTROL_PORT))
            self._ways = ways
        except (OSError, ValueError, http.client.HTTPException, NomockError):
            pass  # which is for the tests to find
        self._reach = reach(self._stack.project, {name: way.host for name, way in ways.items()})

    def _behind(self, port: int) -> frozenset[str]:
        """Return what a request runs through that a test itself sends over an edge."""
        for name, way in (self._ways or {}).items():
            if way.port == port:
                target = name.partition(ARROW)[2]
                return frozenset({name, way.host}) | self._reach.get(target, frozenset())
        return frozenset()
