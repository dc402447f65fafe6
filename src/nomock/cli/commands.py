"""One function a command; those of more than a few lines have a module of their own."""

from __future__ import annotations

import argparse
import json

from nomock.cli.show import objects, print_json, print_table, progress
from nomock.config import Settings


def images(settings: Settings, chosen: argparse.Namespace) -> int:
    """Settle each image of images/images.toml: here, pulled or built."""
    from nomock.images import resolve_images

    with progress() as line:
        resolved = resolve_images(settings.root, line.show)
    body = [(s.variable, s.image, s.how, s.detail) for s in resolved]
    if chosen.json:
        print_json(objects(("variable", "image", "how", "detail"), body))
    else:
        print_table(("variable", "image", "how", ""), body)
    return 0


def diagnose(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print what failed last, how the services are, and what changed since the last green run."""
    from nomock.cli.diagnose import as_json, story

    if chosen.json:
        print(json.dumps(as_json(settings), indent=1))
        return 0
    for line in story(settings):
        print(line)
    return 0


def evidence(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print where the evidence of the last run is, or all of it as Markdown."""
    from nomock.cli.evidence import evidence

    for line in evidence(settings, markdown=chosen.markdown):
        print(line)
    return 0


def replay(settings: Settings, chosen: argparse.Namespace) -> int:
    """Run a test again as it ran when it failed."""
    from nomock.cli.replay import replay

    return replay(settings, chosen.test, order=chosen.order, rest=chosen.rest)


def heal(settings: Settings, chosen: argparse.Namespace) -> int:
    """Heal the faults that killed runs left, or give them up, and say which they were."""
    from nomock.cli.heal import heal

    return heal(settings, set_aside=chosen.set_aside)


def httpfaults(settings: Settings, _: argparse.Namespace) -> int:
    """Put the program of the HTTP fault proxy beside the compose file."""
    from nomock.faults.http.program import put_program

    print(put_program(settings.root))
    return 0


def edges(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print which edges and services the tests break in which ways, holes first."""
    from nomock.cli.edges import edges

    return edges(settings, chosen)


def cleanup(settings: Settings, chosen: argparse.Namespace) -> int:
    """List what tests left, or remove it."""
    from nomock.cli.cleanup import cleanup

    return cleanup(settings, chosen)


def contracts(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print what services expect of each other and do not get."""
    from nomock.cli.contracts import contracts

    return contracts(settings, chosen)


def coverage_live(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print what the running stack has covered so far."""
    from nomock.cli.live import coverage_live

    return coverage_live(settings, chosen)


def parity(settings: Settings, chosen: argparse.Namespace) -> int:
    """Compare the records of two runs, or write that of the last one."""
    from nomock.cli.parity import parity

    return parity(settings, chosen)


def promote(settings: Settings, chosen: argparse.Namespace) -> int:
    """Write the stack as the objects of a sandbox."""
    from nomock.cli.promote import promote

    return promote(settings, chosen)
