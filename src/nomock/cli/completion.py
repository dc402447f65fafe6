"""``nomock completion``, and what a shell shows when somebody presses Tab."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable

from nomock.errors import NomockError
from nomock.loading import load
from nomock.paths import standing
from nomock.stack import Stack

_ASKS = "_ARGCOMPLETE"
"""The variable by which argcomplete's function of a shell asks."""


def completion(chosen: argparse.Namespace) -> int:
    """Print what makes a shell complete the words of ``nomock``."""
    from argcomplete.shell_integration import shellcode

    print(shellcode(["nomock"], shell=chosen.shell))
    return 0


def answer(parser: argparse.ArgumentParser) -> None:
    """Where a shell asks: tell which words may come next, and end this process."""
    if _ASKS not in os.environ:
        return
    import argcomplete

    for action in _all_of(parser):
        if action.metavar in _NAMES:
            action.completer = _NAMES[action.metavar]  # type: ignore[attr-defined]
    argcomplete.autocomplete(parser)


def _all_of(parser: argparse.ArgumentParser) -> Iterable[argparse.Action]:
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in {*action.choices.values()}:
                yield from _all_of(command)


def _services(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    try:
        return sorted(_stack(parsed_args).project.services)
    except NomockError:
        return []  # the command itself says it


def _edges(parsed_args: argparse.Namespace, **_: object) -> list[str]:
    from nomock.faults.usage.matrix import edges_of

    try:
        return [*edges_of(_stack(parsed_args))[0], *_services(parsed_args)]
    except NomockError:
        return []


def _pages(**_: object) -> list[str]:
    from nomock.pages import pages

    return [*pages()]


def _stack(parsed: argparse.Namespace) -> Stack:
    options = {"files": parsed.file, "project": parsed.project}
    return Stack.of(load(standing(), options))


_NAMES = {"SERVICE": _services, "SERVICE…": _services, "EDGE": _edges, "PAGE": _pages}
"""The metavar of an argument -> what it may be."""
