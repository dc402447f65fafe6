"""A tiny stack with edges: two servers behind Toxiproxy, which tests reach through the edges."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import Any

from tiny import LISTENS, Service, Tiny, server, settled_image

TOXIPROXY_IMAGE = settled_image("TOXIPROXY_IMAGE", "nomock/toxiproxy:2.12.0")
EDGES = {"shop->web": (18000, "web:8000"), "shop->bank": (18001, "bank:8000")}

# What a test file of such a stack begins with. `through` asks like a service would, over an edge.
BEGIN = """
    import os
    from pathlib import Path
    from threading import Event

    import httpx
    import pytest

    PORTS = {"shop->web": 18000, "shop->bank": 18001}

    def through(stack, edge, timeout=10):
        # A new connection each time, as a service without a pool would have.
        port = stack["toxiproxy"].port(PORTS[edge])
        # Plain HTTP: what certificates it would trust costs more to read than the request.
        url = f"http://127.0.0.1:{port}/"
        return httpx.get(url, timeout=timeout, trust_env=False, verify=False)
"""


def toxiproxy(**more: Any) -> Service:
    """Toxiproxy with the edges, each published on this machine, too."""
    return {
        "image": TOXIPROXY_IMAGE,
        "command": ["-host=0.0.0.0", "-config=/etc/edges.json"],
        "volumes": ["./edges.json:/etc/edges.json:ro"],
        "ports": ["127.0.0.1::8474", *(f"127.0.0.1::{port}" for port, _ in EDGES.values())],
        "stop_grace_period": "1s",
        "healthcheck": {
            "test": ["CMD", "/toxiproxy-cli", "list"],
            "interval": "5s",
            "start_period": "30s",
            "start_interval": "200ms",
        },
        **more,
    }


def proxied(tiny: Tiny, tests: str, **more: Service) -> None:
    """Write the stack, and a test file of it."""
    edges = [
        {"name": name, "listen": f"0.0.0.0:{port}", "upstream": upstream, "enabled": True}
        for name, (port, upstream) in EDGES.items()
    ]
    tiny.write("edges.json", json.dumps(edges))
    tiny.with_tools()
    web = server(healthcheck=LISTENS)
    tiny.compose(**{"toxiproxy": toxiproxy(), "web": web, "bank": web, **more})
    tiny.tests(dedent(BEGIN) + dedent(tests))


def left_on(tiny: Tiny) -> list[str]:
    """Return the edges of the running stack that are not as they should be."""
    import httpx

    port = tiny.stack()["toxiproxy"].port(8474)
    found = httpx.get(f"http://127.0.0.1:{port}/proxies", trust_env=False).json()
    return [name for name, e in found.items() if e["toxics"] or not e["enabled"]]
