"""Breaks an edge of the stack for the length of a `with` block."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote


@contextmanager
def cut(stack: Any, edge: str) -> Iterator[None]:
    """Close the edge: connections end, and new ones are refused."""
    _set(stack, edge, enabled=False)
    try:
        yield
    finally:
        _set(stack, edge, enabled=True)


@contextmanager
def slow(stack: Any, edge: str, latency_ms: int) -> Iterator[None]:
    """Hold back what the upstream answers on the edge."""
    toxics = f"{_path(edge)}/toxics"
    toxic = {"name": "slow", "type": "latency", "attributes": {"latency": latency_ms}}
    stack["toxiproxy"].http.post(toxics, json=toxic).raise_for_status()
    try:
        yield
    finally:
        # With the edge open: once it is closed, Toxiproxy waits 5 s for data that nobody takes.
        stack["toxiproxy"].http.delete(f"{toxics}/slow").raise_for_status()


def _set(stack: Any, edge: str, *, enabled: bool) -> None:
    reply = stack["toxiproxy"].http.patch(_path(edge), json={"enabled": enabled})
    reply.raise_for_status()


def _path(edge: str) -> str:
    return f"/proxies/{quote(edge, safe='')}"
