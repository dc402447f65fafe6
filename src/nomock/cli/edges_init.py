"""``nomock edges --init``: put the edges of a project behind Toxiproxy."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from nomock.adapters.engine import Engine
from nomock.cli.show import print_json, print_table
from nomock.config import Settings
from nomock.coverage.overlay import write_overlay
from nomock.errors import ConfigError
from nomock.faults.http.program import put_program
from nomock.faults.overlay import (
    EDGES_OVERLAY,
    Call,
    Plan,
    Untaken,
    calls,
    explicit,
    overlay_text,
    plan,
)
from nomock.faults.usage.matrix import edges_of
from nomock.project import ServiceConfig, resolve
from nomock.stack import Stack


def write_edges(settings: Settings, chosen: argparse.Namespace) -> int:
    """Find who calls whom, say by which way each call goes or why none, and write the overlay."""
    path = settings.root / settings.edges_overlay
    settings = replace(settings, files=tuple(f for f in settings.files if f != path))
    project = resolve(settings)
    wanted = explicit(project, chosen.where, _exposed) if chosen.where else calls(project, _exposed)
    there, _ = edges_of(Stack.of(settings))
    found = plan(project, wanted, there=there)
    if not chosen.json:
        print_table(("edge", "ports", "known by", "goes through"), [*_rows(found)])
    if not found.taken:
        raise ConfigError(
            "no edge can go through Toxiproxy" if wanted else "no service calls another one",
            where=f"stack {project.name}",
            seen="\n".join(f"{one.call.edge}: {one.why}" for one in found.untaken),
            todo="" if wanted else "name an edge, in quotes: nomock edges --init 'web->db'",
        )
    files = [Path(os.path.relpath(file, settings.root)) for file in (*settings.files, path)]
    text = overlay_text(found, [file.as_posix() for file in files])
    written = write_overlay(path, text, EDGES_OVERLAY, force=chosen.force)
    done = put_program(settings.root) if any(call.is_http for call in found.taken) else ""
    if chosen.json:
        print_json(
            {
                "file": files[-1].as_posix(),
                "is_written": written,
                "edges": [
                    {"edge": way.edge, "ports": [*way.ports], "by": way.by, "is_http": way.is_http}
                    for way in found.taken
                ],
                "not_taken": [
                    {"edge": way.call.edge, "by": way.call.by, "why": way.why}
                    for way in found.untaken
                ],
            }
        )
        return 0
    print(f"wrote {files[-1]}" if written else f"{files[-1]} is as it should be")
    if done:
        print(done)
    edge = found.taken[0].edge
    print(f'next, in a test: with faults.latency("{edge}", latency_ms=800): …')
    return 0


def _rows(found: Plan) -> Iterator[tuple[str, str, str, str]]:
    way: Call | Untaken
    for way in found.taken:
        through = found.proxy_of[way.edge] + (", httpfaults" if way.is_http else "")
        yield way.edge, ", ".join(map(str, way.ports)), way.by, through
    for way in found.untaken:
        yield way.call.edge, "-", way.call.by, f"none: {way.why}"


def _exposed(service: ServiceConfig) -> list[int]:
    """Return the TCP ports that a service's image names; none where the image is not here."""
    image = Engine().image_config(service.image)
    ports = [port.partition("/") for port in image.exposed] if image else []
    return sorted(int(number) for number, _, kind in ports if kind in {"", "tcp"})
