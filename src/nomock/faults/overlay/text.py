"""The overlay of the edges as text: YAML as a person would write it."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from nomock.coverage.overlay import OverlayKind, scalar, signed
from nomock.faults.http.program import FOLDER
from nomock.faults.overlay.ways import Plan, Way

EDGES_OVERLAY = OverlayKind(
    "nomock.edges", "edges_overlay", "nomock edges --init", "Toxiproxy to the edges"
)

_HEAD = """\
# The edges between services through Toxiproxy, so that tests can break each of them.
#
# nomock takes this file wherever it is; by hand: docker compose {files} up
# For a caller alone the name of its target leads to a Toxiproxy, which listens on the target's own
# ports: `links` say so. No setting of a service is changed.
#
# Written by `nomock edges --init`. It writes this file again only while nobody else changed it,
# which it sees by the sum of the lines below.
"""
_PROXY = """\
  {name}:
    image: ${{TOXIPROXY_IMAGE:-ghcr.io/shopify/toxiproxy:2.12.0}}
    command: [-host=0.0.0.0, -config=/edges.json]
    environment: {{LOG_LEVEL: warn}}
    configs: [{{source: {name}-edges, target: /edges.json}}]
    labels: {{nomock.edges: {sum}}}
    ports: ["127.0.0.1::8474"]
{networks}\
    stop_grace_period: 1s
    healthcheck:
      # A stall of a busy machine is no reason to call it dead.
      test: [CMD, /toxiproxy-cli, list]
      interval: 30s
      timeout: 5s
      start_period: 30s
      start_interval: 500ms
"""
_HTTP_PROXY = """\
  httpfaults:
    image: ${{PYTHON_IMAGE:-python:3.13-slim}}
    command: [python3, -I, -S, /app, /edges.json]
    volumes: ["./{folder}:/app:ro"]
    configs: [{{source: httpfaults-edges, target: /edges.json}}]
    labels: {{nomock.edges: {sum}}}
    ports: ["127.0.0.1::8475"]
{networks}\
    stop_signal: SIGKILL
"""
_CALLER = """\
  {name}:
    links: [{links}]
    depends_on: {{{waits}}}
"""


def overlay_text(plan: Plan, files: Iterable[str]) -> str:
    """Return the overlay of the calls that have a way; ``files``: the project's, and its own."""
    configs = {name: _edges(ways) for name, ways in plan.ways.items()}
    services = "".join(
        _PROXY.format(name=name, sum=_sum(config), networks=_networks(plan, name))
        for name, config in configs.items()
    )
    if behind := [way for ways in plan.ways.values() for way in ways if way.http_port]:
        configs["httpfaults"] = _behind(behind)
        services += _HTTP_PROXY.format(
            folder=FOLDER, sum=_sum(configs["httpfaults"]), networks=_networks(plan, "")
        )
    services += "".join(_callers(plan))
    shown = "".join(f"  {name}-edges:\n    content: |\n{text}" for name, text in configs.items())
    head = _HEAD.format(files=" ".join(f"-f {name}" for name in files))
    return signed(head, f"\nservices:\n{services}\nconfigs:\n{shown}")


def _callers(plan: Plan) -> Iterator[str]:
    by_caller: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for call in plan.taken:
        proxy = plan.proxy_of[call.edge]
        by_caller[call.caller] += [(proxy, name) for name in call.names]
    for caller, links in by_caller.items():
        waits = dict.fromkeys(proxy for proxy, _ in links)
        yield _CALLER.format(
            name=scalar(caller),
            links=", ".join(json.dumps(f"{proxy}:{name}") for proxy, name in links),
            waits=", ".join(f"{proxy}: {{condition: service_healthy}}" for proxy in waits),
        )


def _edges(ways: Iterable[Way]) -> str:
    return _lines(
        {
            "name": way.edge,
            "listen": f"0.0.0.0:{way.port}",
            "upstream": f"httpfaults:{way.http_port}"
            if way.http_port
            else f"{way.target}:{way.port}",
            "enabled": True,
        }
        for way in ways
    )


def _behind(ways: Iterable[Way]) -> str:
    return _lines(
        {
            "name": way.edge,
            "listen": f"0.0.0.0:{way.http_port}",
            "upstream": f"{way.target}:{way.port}",
        }
        for way in ways
    )


def _lines(edges: Iterable[Mapping[str, object]]) -> str:
    """Return edges as JSON, one a line, as far in as the text of a config is."""
    body = ",\n".join(f"        {json.dumps(edge)}" for edge in edges)
    return f"      [\n{body}\n      ]\n"


def _networks(plan: Plan, proxy: str) -> str:
    networks = plan.networks[proxy]
    if networks == ["default"]:
        return ""
    return f"    networks: [{', '.join(map(scalar, networks))}]\n"


def _sum(text: str) -> str:
    # In the service's own configuration: a change of its edges is one of the service.
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'
