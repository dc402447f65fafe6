"""``nomock COMMAND``: errors end with 1 and their text on stderr."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from nomock.cli.command_line import command_line
from nomock.cli.completion import answer, completion
from nomock.cli.docs import docs, explain, schema
from nomock.config import Settings
from nomock.errors import NomockError
from nomock.loading import load
from nomock.paths import standing

# They are there whatever the settings are.
_NEED_NO_SETTINGS = (docs, explain, schema, completion)
_ENDED_BY_SIGPIPE = 141  # as a shell says it: 128 and the signal


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()  # here, where a reader that has gone is still an error
    except BrokenPipeError:
        # `nomock status | head -1`. https://docs.python.org/3/library/signal.html#note-on-sigpipe
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
        return _ENDED_BY_SIGPIPE


def _of_sandbox(chosen: argparse.Namespace) -> dict[str, str | None]:
    """Return the settings that the commands about sandboxes have as options."""
    if not hasattr(chosen, "context"):
        return {}
    return {"target": "sandbox", "context": chosen.context, "sandbox": chosen.id}


def _run(arguments: Sequence[str] | None) -> int:
    parser = command_line()
    answer(parser)
    chosen = parser.parse_args(arguments)
    options = {"files": chosen.file, "project": chosen.project, **_of_sandbox(chosen)}
    command: Callable[[Settings, argparse.Namespace], int] = chosen.run
    try:
        if chosen.run in _NEED_NO_SETTINGS:
            reading: Callable[[argparse.Namespace], int] = chosen.run
            return reading(chosen)
        return command(load(standing(), options), chosen)
    except NomockError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; the next run goes on from here", file=sys.stderr)
        return 130
