"""Where each edge begins and where it leads, asked of Toxiproxy with the standard library.

This is asked in each run, also in those without a fault, and the client of the faults takes longer
to import than a warm run may.
"""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass

from nomock.errors import ToxiproxyError
from nomock.target import Address

CONTROL_PORT = 8474
"""Toxiproxy's own default."""
_ANSWER_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class EdgeEndpoints:
    """Where an edge begins in Toxiproxy's container, and the host that it leads to."""

    port: int
    host: str


def endpoints_at(host: str, port: int) -> dict[str, EdgeEndpoints]:
    """Return the edges of the Toxiproxy at an address by their names; raise ToxiproxyError."""
    connection = http.client.HTTPConnection(host, port, timeout=_ANSWER_TIMEOUT_S)
    try:
        connection.request("GET", "/proxies")
        found = json.loads(connection.getresponse().read())
        return {name: _endpoints(edge["listen"], edge["upstream"]) for name, edge in found.items()}
    except (OSError, http.client.HTTPException, ValueError, KeyError, AttributeError) as error:
        raise ToxiproxyError(
            "it does not say which edges there are",
            where=f"Toxiproxy at {Address(host, port)}",
            seen=str(error) or type(error).__name__,
            todo="nomock logs, for what it said last",
        ) from error
    finally:
        connection.close()


def _endpoints(listen: str, upstream: str) -> EdgeEndpoints:
    return EdgeEndpoints(int(listen.rpartition(":")[2]), upstream.rpartition(":")[0])
