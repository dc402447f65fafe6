"""The table of servers in docs/coverage-spy.md, made of the set-ups that are tested.

``python server_table.py`` puts it there anew; a test of the docs says where it is not as it should.
"""

from __future__ import annotations

import re
from collections import defaultdict

from places import ROOT
from serving import SET_UPS

PAGE = ROOT / "docs/coverage-spy.md"
_HEAD = "| server | set-ups, each with `kill -9` | of these with 32 requests in flight |\n"


def table() -> str:
    """Return the lines of the table: one a server."""
    servers, at_once = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for set_up in SET_UPS.values():
        server, _, way = set_up.name.partition(" ")
        words = re.sub(r"^(with|and) ", "", way) or "one process"
        words = re.sub(r"^(by )?(--.*)|^by (.*)", r"`\2\3`", words)
        servers[server].append(words)
        if set_up.steps:
            at_once[server].append(words)
    lines = [_HEAD, "|---|---|---|\n"]
    for server, ways in servers.items():
        lines.append(f"| {server} | {', '.join(ways)} | {_of(ways, at_once[server])} |\n")
    return "".join(lines)


def _of(ways: list[str], at_once: list[str]) -> str:
    if at_once == ways:
        return "all" if len(ways) > 1 else "yes"
    return ", ".join(at_once) or "-"


def found(page: str) -> str:
    """Return the lines of the table that is in the page."""
    first = page.index(_HEAD)
    return page[first : page.index("\n\n", first) + 1]


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(text.replace(found(text), table()), encoding="utf-8")
