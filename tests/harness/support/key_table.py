"""The tables of docs/sandbox.md: what becomes of each key, made of the renderer's own table.

``python key_table.py`` puts them there anew; a test of the docs says where they are not as they
should.
"""

from __future__ import annotations

from places import ROOT

from nomock.sandbox.render.fate import Becomes, Entry, Lost, Same
from nomock.sandbox.render.keys import TABLE

PAGE = ROOT / "docs/sandbox.md"
_HEAD = "| key | what becomes of it |\n"
_OF_SERVICE = "services.*."


def table() -> str:
    """Return the lines of the table: one a key, those of services first."""
    of_services = {k.removeprefix(_OF_SERVICE): e for k, e in TABLE.items() if _OF_SERVICE in k}
    beside = {key: entry for key, entry in TABLE.items() if _OF_SERVICE not in key}
    lines = [_HEAD, "|---|---|\n"]
    lines += [f"| `{key}` | {_told(of_services[key])} |\n" for key in sorted(of_services)]
    lines += [
        f"| beside the services: `{key}` | {_told(beside[key])} |\n" for key in sorted(beside)
    ]
    return "".join(lines)


def _told(entry: Entry) -> str:
    match entry.fate:
        case Becomes(what):
            text = what
        case Same(why):
            text = f"nothing to do: {why}"
        case Lost(why, meaning):
            return f"**in the report**: {why}: {meaning}"
    return f"{text}; **in the report**: {entry.exception}" if entry.exception else text


def found(page: str) -> str:
    """Return the lines of the table that is in the page."""
    first = page.index(_HEAD)
    return page[first : page.index("\n\n", first) + 1]


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(text.replace(found(text), table()), encoding="utf-8")
