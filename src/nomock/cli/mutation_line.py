"""The arguments of ``nomock test-mutation`` and ``nomock mutants``."""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Callable
from pathlib import Path

from nomock.cli.mutants import mutants
from nomock.cli.mutation import mutation
from nomock.cli.sandbox_line import of_programs
from nomock.mutation.aside import FILE

_UNITS = {"s": 1, "m": 60, "h": 3600}


def add_mutation(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Add the commands."""
    command = add(
        "test-mutation",
        mutation,
        "put small defects into the running services, and see which of them no test notices",
    )
    command.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="a file or folder of a service; without one, all that covered services ran",
    )
    command.add_argument(
        "--since", metavar="REV", help="only functions that are not as a git revision has them"
    )
    command.add_argument(
        "--budget",
        type=_seconds,
        metavar="TIME",
        help="begin no other mutant after so long: 90s, 10m, 1h; the next run goes on from there",
    )
    command.add_argument(
        "--workers",
        type=_count,
        metavar="N",
        help="how many mutants are tried at once, each on a stack of its own; without it as many "
        "as cores, memory and the number of mutants are worth",
    )
    command.add_argument(
        "--restart",
        action="store_true",
        help="restart the service with each mutant: for tests whose clients send no baggage",
    )
    command.add_argument(
        "--pytest",
        dest="rest",
        type=shlex.split,
        default=[],
        metavar="ARGS",
        help="which tests, and other arguments for pytest, in one word: --pytest '-k \"not slow\"'",
    )
    shown = add("mutants", mutants, "the mutants that the last test-mutation tried, and how")
    shown.add_argument(
        "--aside", metavar="ID", help=f"set a mutant aside, with a reason: written to {FILE}"
    )
    shown.add_argument("--reason", metavar="TEXT", help="why no test can notice it, or need not")
    of_programs(shown)


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: 90s, 10m, 1h")
    return float(found[1]) * _UNITS[found[2]]


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of workers: 1, 2, …")
    return int(text)
