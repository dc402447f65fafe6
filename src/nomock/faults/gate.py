"""The gate that a test's requests pass: it shares what it uses, and waits where that is broken."""

from __future__ import annotations

import http.client

from nomock.errors import NomockError
from nomock.faults.claims import Claims
from nomock.faults.reach import CONTROL_PORT, edges_at, proxies, reach
from nomock.stack import Stack


class Gate:
    """The gate of one stack, for the tests of this process."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self.claims = Claims(stack.settings.state_dir, stack.name)
        self._proxies = proxies(stack.project)
        self._reach: dict[str, frozenset[str]] | None = None

    def use(self, service: str) -> None:
        """Share what requests to a service may run through, until ``let_go``."""
        if service in self._proxies:
            return  # who asks Toxiproxy itself wants to see a fault, not to wait for its end
        if self._reach is None:
            # First, since while it is away nobody can say which edges there are.
            self.claims.share(self._proxies)
        self.claims.share(self._reached()[service])

    def let_go(self) -> None:
        """The test is over: use nothing any more."""
        self.claims.let_go()

    def _reached(self) -> dict[str, frozenset[str]]:
        if self._reach is not None:
            return self._reach
        edges: dict[str, str] = {}
        try:
            for name in self._proxies:
                edges |= edges_at(self._stack[name].port(CONTROL_PORT))
        except (OSError, ValueError, http.client.HTTPException, NomockError):
            # It does not answer, which is for the tests to find; the edges are asked for again.
            return reach(self._stack.project, {})
        self._reach = reach(self._stack.project, edges)
        return self._reach
