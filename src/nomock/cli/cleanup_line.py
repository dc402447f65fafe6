"""The arguments of ``nomock cleanup``."""

from __future__ import annotations

import argparse

from nomock.cli.durations import duration


def of_cleanup(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--remove", action="store_true", help="remove it, after showing what it is")
    parser.add_argument("--yes", action="store_true", help="with --remove: do not ask")
    parser.add_argument(
        "--older-than",
        type=duration,
        metavar="AGE",
        help="with --remove: only of runs that began so long ago: 90s, 20m, 2h, 1d",
    )
    parser.add_argument(
        "--run", dest="run_id", metavar="ID", help="with --remove: only of one run, by its id"
    )
