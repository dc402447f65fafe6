"""How the command line shows progress and tables."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from nomock.progress import Progress

_WIDTH = 100


@contextmanager
def progress() -> Iterator[Progress]:
    """Show progress on stderr for a block; the live line is gone after it."""
    live = sys.stderr.isatty()
    width = shutil.get_terminal_size().columns if live else None
    shown = Progress(
        lambda text: print(text, end="", file=sys.stderr, flush=True), live_width=width
    )
    try:
        yield shown
    finally:
        shown.end()


def print_json(found: object) -> None:
    """Print what a command found for programs and agents: docs/programs.md has the shapes."""
    print(json.dumps(found, indent=1))


def objects(keys: Sequence[str], body: Iterable[Sequence[str]]) -> list[dict[str, str]]:
    """Return the rows of a table as objects with these keys."""
    return [dict(zip(keys, row, strict=True)) for row in body]


def print_table(
    head: Sequence[str], body: Sequence[Sequence[str]], file: TextIO | None = None
) -> None:
    """Print rows under their head, in columns as wide as they need; on stdout if file is None."""
    rows = [head, *body]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    for row in rows:
        cells = (f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip(), file=file)


def wrapped(text: str, head: str) -> list[str]:
    """Return the lines of a text behind a head, as wide as they may be."""
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )
