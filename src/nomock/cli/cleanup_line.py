"""The arguments of ``nomock cleanup``."""

from __future__ import annotations

import argparse
import re

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def of_cleanup(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--remove", action="store_true", help="remove it, after showing what it is")
    parser.add_argument("--yes", action="store_true", help="with --remove: do not ask")
    parser.add_argument(
        "--older-than",
        type=_age,
        metavar="AGE",
        help="with --remove: only of runs that began so long ago: 90s, 20m, 2h, 1d",
    )
    parser.add_argument(
        "--run", dest="run_id", metavar="ID", help="with --remove: only of one run, by its id"
    )


def _age(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no age: 90s, 20m, 2h, 1d")
    return float(found[1]) * _UNITS[found[2]]
