"""The service: a port for each edge, one for control, and the end of both."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from httpfaults.connection import Connection
from httpfaults.control import Control
from httpfaults.rules import Rules
from httpfaults.side import Side

_LOOKUPS = 64


@dataclass(frozen=True)
class Edge:
    """Where an edge is listened to, and where it leads; the file is as Toxiproxy's."""

    name: str
    listen: tuple[str, int]
    upstream: tuple[str, int]


def edges_of(path: Path) -> list[Edge]:
    """Read the edges."""
    return [
        Edge(edge["name"], _address(edge["listen"]), _address(edge["upstream"]))
        for edge in json.loads(path.read_text(encoding="utf-8"))
    ]


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


async def serve(edges: list[Edge], control: tuple[str, int]) -> None:
    """Serve until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    # For names: one that takes long to be unknown must not keep others waiting.
    loop.set_default_executor(ThreadPoolExecutor(_LOOKUPS))
    rules = Rules(edge.name for edge in edges)
    for edge in edges:
        await loop.create_server(partial(_between, edge, rules), *edge.listen)
    await asyncio.start_server(Control(rules).serve, *control)
    # What lives now lives for good: the collector need not look at it again.
    gc.freeze()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await stopped.wait()


def _between(edge: Edge, rules: Rules) -> asyncio.Protocol:
    loop = asyncio.get_running_loop()

    async def dial(service: Side) -> None:
        await loop.create_connection(lambda: service, *edge.upstream)

    return Connection(edge.name, dial, rules).caller
