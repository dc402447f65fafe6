"""pytest's options of nomock, each under a name that nobody else has, and short for those free.

Another plugin or a conftest may have an option ``--stack`` of its own, and pytest refuses a second
one of a name. So the options are called ``--nomock-…``, and nothing else is registered. A short
name is taken for ours only if, once the initial conftests are loaded, it is nobody else's; a
conftest that is loaded later than that can still register it.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from contextlib import suppress
from copy import copy
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

GROUP = "nomock"
_PREFIX = "--nomock-"


def given(config: pytest.Config, name: str) -> Any:
    """Return what was given for an option, by its short name: False or None for nothing."""
    return config.getoption(_PREFIX + name)


def any_given(config: pytest.Config) -> bool:
    """Tell whether an option of ours was given."""
    found = vars(config.option).items()
    return any(n.startswith("nomock_") and value not in (None, False) for n, value in found)


def spell_out(config: pytest.Config, parser: pytest.Parser, arguments: list[str]) -> Iterator[None]:
    """Write the short names of ours in full, around the step that loads the initial conftests.

    Before it for what pytest needs to find them: a value of an option is no folder with tests.
    """
    before = _full(arguments, parser)
    if before != arguments:
        with suppress(pytest.UsageError):  # a conftest's own option may have that name
            config.known_args_namespace = parser.parse_known_args(before, copy(config.option))
    try:
        yield
    finally:
        arguments[:] = _full(arguments, parser)


def _full(arguments: Sequence[str], parser: pytest.Parser) -> list[str]:
    """Return the arguments with the short names in full, so far as they are ours now."""
    taken = _taken(parser)
    ours = {name: full for name, full in _short(parser).items() if name not in taken}
    read = list(_from_files(arguments, ours))
    options = [*takewhile(lambda argument: argument != "--", read)]
    full = [ours.get(_name(o), _name(o)) + o.removeprefix(_name(o)) for o in options]
    return full + read[len(options) :]


def _short(parser: pytest.Parser) -> dict[str, str]:
    """Return the short name of each option of ours, with the full one."""
    full = [name for found in parser.getgroup(GROUP).options for name in found.names()]
    short = {name.replace(_PREFIX, "--"): name for name in full}
    return {**short, "--since": _PREFIX + "affected-since"}


def _from_files(arguments: Sequence[str], names: Container[str]) -> Iterator[str]:
    """Yield the arguments, those of an ``@file`` in its place where it has names of ours."""
    for argument in arguments:
        if not argument.startswith("@"):
            yield argument
            continue
        try:
            # As argparse reads it: an argument a line.
            found = Path(argument[1:]).read_text(errors="replace").splitlines()
        except (OSError, ValueError):
            found = []  # pytest is about to say so
        if any(_name(line) in names or line.startswith("@") for line in found):
            yield from _from_files(found, names)
        else:
            yield argument


def _taken(parser: pytest.Parser) -> set[str]:
    """Return the names of all options that are registered."""
    # pytest 8 has the group of what belongs to no group beside the list, pytest 9 in it.
    groups: list[Any] = [parser._anonymous, *parser._groups]
    return {name for group in groups for found in group.options for name in found.names()}


def _name(argument: str) -> str:
    return argument.partition("=")[0]
