"""``nomock doctor``: what of this project will make trouble in tests."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict

from nomock.adapters.engine import Engine
from nomock.cli.show import wrapped
from nomock.config import Settings
from nomock.doctor import CHECKS, Seen, Trouble
from nomock.project import resolve


def doctor(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print each trouble with its line, the reason and the cure; 1 if one is certain."""
    seen = Seen(settings, resolve(settings), Engine())
    found = {name: list(look(seen)) for name, look in CHECKS.items()}
    if chosen.json:
        print(
            json.dumps({name: [asdict(t) for t in some] for name, some in found.items()}, indent=1)
        )
    else:
        version, api = seen.engine.version()
        engine = f"engine {version} (API {api}) at {seen.engine.address}"
        print(f"stack {seen.project.name}, {engine}, compose {seen.compose_version}")
        for name, some in found.items():
            print(f"\n{name}: {'nothing' if not some else len(some)}")
            for trouble in some:
                print("\n".join(_lines(trouble)))
    return 1 if any(trouble.is_certain for some in found.values() for trouble in some) else 0


def _lines(trouble: Trouble) -> Iterator[str]:
    mark = "!" if trouble.is_certain else "-"
    yield from wrapped(f"{trouble.where}: {trouble.what}", f"  {mark} ")
    yield from wrapped(trouble.why, "    ")
    yield from wrapped(trouble.cure, "    -> ")
