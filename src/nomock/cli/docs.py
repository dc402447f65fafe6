"""``nomock docs`` and ``nomock help``: the docs of this version, for who has only the package."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from nomock.cli.show import print_table
from nomock.errors import ConfigError
from nomock.pages import pages

# A link of one page to another: its words, the page, and perhaps a heading there.
_LINK = re.compile(r"\[([^\]]+)\]\(([\w-]+)\.md(?:#[\w-]+)?\)")


def docs(chosen: argparse.Namespace) -> int:
    """Print a page, or which pages there are; raises ConfigError for one that there is not."""
    found = pages()
    if chosen.page is None:
        titles = [path.read_text(encoding="utf-8").partition("\n")[0] for path in found.values()]
        body = [(n, title.lstrip("# ")) for n, title in zip(found, titles, strict=True)]
        print_table(("page", "nomock docs PAGE"), body)
        return 0
    name = chosen.page.removeprefix("docs/").removesuffix(".md")
    if name not in found:
        raise ConfigError(
            f"there is no page {chosen.page!r}",
            where="docs",
            seen=f"the pages are: {', '.join(found)}",
            todo="name one of them",
        )
    sys.stdout.write(found[name].read_text(encoding="utf-8"))
    return 0


def explain(chosen: argparse.Namespace) -> int:
    """Print meaning and cure of the errors with a name, or with some words, of docs/messages.md.

    Raises ConfigError where none has them.
    """
    page = pages()["messages"].read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| `")]
    words = chosen.error.lower()
    found = [row for row in rows if row[0].strip("`").lower() == words] or [
        row for row in rows if words in " ".join(row).lower()
    ]
    if not found:
        raise ConfigError(
            f"no error has {chosen.error!r} in its name, its meaning or its cure",
            where="help",
            todo="nomock docs messages, for all of them",
        )
    for name, meaning, *cure in found:
        print(f"{name.strip('`')}: {_without_links(meaning)}")
        if cure:
            print(f"-> {_without_links(cure[0])}")
    return 0


def _without_links(text: str) -> str:
    """Return a text with the command that opens a page in the place of a link to it."""

    def opened(link: re.Match[str]) -> str:
        words, command = link[1], f"nomock docs {link[2]}"
        return command if words == link[2] else f"{words} ({command})"

    return _LINK.sub(opened, text)


def schema(chosen: argparse.Namespace) -> int:
    """Print the JSON Schema of what a command prints with ``--json``, or which there are.

    Raises ConfigError for a command that has none.
    """
    found = {path.stem: path for path in sorted((Path(__file__).parent / "schemas").iterdir())}
    if chosen.of is None:
        titles = [json.loads(path.read_text(encoding="utf-8"))["title"] for path in found.values()]
        print_table(("nomock schema", "of what"), [*zip(found, titles, strict=True)])
        return 0
    if chosen.of not in found:
        raise ConfigError(
            f"there is no schema {chosen.of!r}",
            where="nomock schema",
            seen=f"there are: {', '.join(found)}",
            todo="name one of them",
        )
    sys.stdout.write(found[chosen.of].read_text(encoding="utf-8"))
    return 0
