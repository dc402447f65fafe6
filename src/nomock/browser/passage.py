"""What a browser's requests pass on their way to the stack: an HTTP proxy on loopback.

A browser is told of it as of any proxy, so that all that the browser sends passes it: redirects,
frames, workers, windows that a page opens. ``http://instances:8000`` is the service of that name,
wherever it is published now; its requests are marked as the test's, wait where others break
something, and are kept for the evidence. What is none of the stack's goes on as it came, unmarked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from threading import Thread

from nomock.browser.relaying import Handler, Upstream
from nomock.errors import NomockError
from nomock.stack import Service, Stack


@dataclass(frozen=True)
class Passage:
    """The way of a browser to the services of one stack."""

    stack: Stack

    @contextmanager
    def open(self) -> Iterator[str]:
        """Return the URL of the proxy, which is there until the block ends."""
        server = _Server(self.find)
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def find(self, host: str, port: int) -> Upstream:
        """Return who is meant by a host and a port; it may wait for tests that break something.

        Raises NomockError where a service of the stack is meant that is not reached.
        """
        service, target = self._service(host, port)
        if service is None:
            return Upstream(host, port)
        address = service.address(target)
        return Upstream(address.host, address.port, service.sending)

    def _service(self, host: str, port: int) -> tuple[Service | None, int]:
        if host in self.stack:
            return self.stack[host], port
        for name in self.stack:
            service = self.stack[name].aside()  # only looked for: that is no use of it
            for target in service.config.published_ports:
                try:
                    found = service.address(target)
                except NomockError:
                    continue
                if (found.host, found.port) == (host, port):
                    return self.stack[name], target
        return None, port


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Open connections are the browser's, which goes first.
    block_on_close = False

    def __init__(self, find: Callable[[str, int], Upstream]) -> None:
        self.find = find
        super().__init__(("127.0.0.1", 0), Handler)
