"""The page of all that is known of the tests: one HTML file that needs no network and no script."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

_HERE = Path(__file__).parent

_HTML = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Quality of the tests of {project}</title>
<style>
{css}</style>
</head>
<body>
<header>
<h1>Would these tests find a bug?</h1>
<p class="facts">{project}, {when}</p>
</header>
<nav aria-label="metrics">
{tiles}
</nav>
<main>
{sections}
</main>
</body>
</html>
"""


@dataclass(frozen=True)
class Table:
    """Rows under their head; the columns of ``texts`` have words, the others numbers."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: frozenset[int] = frozenset({0})


@dataclass(frozen=True)
class Section:
    """What is known of one metric."""

    name: str
    asks: str
    """The question that it answers."""
    value: str = ""
    """The answer in a word or a number; "" where it was not measured."""
    meaning: str = ""
    """What the value is a number of, and when it was measured."""
    table: Table | None = None
    notes: Sequence[str] = ()
    command: str = ""
    """By what it is measured, where it was not."""

    @property
    def anchor(self) -> str:
        """Where it stands on the page."""
        return self.name.lower().replace(" ", "-")


def page_of(project: str, when: str, sections: Iterable[Section]) -> str:
    """Return the page."""
    sections = [*sections]
    return _HTML.format(
        project=escape(project),
        when=escape(when),
        css=(_HERE / "page.css").read_text(encoding="utf-8"),
        tiles="\n".join(map(_tile, sections)),
        sections="\n".join(map(_section, sections)),
    )


def _tile(section: Section) -> str:
    value = escape(section.value) or "<span class=faint>not measured</span>"
    return (
        f'<a href="#{section.anchor}"><strong>{escape(section.name)}</strong>'
        f"<b>{value}</b><span>{escape(section.asks)}</span></a>"
    )


def _section(section: Section) -> str:
    parts = [f'<section id="{section.anchor}">', f"<h2>{escape(section.name)}</h2>"]
    parts.append(f'<p class="facts">{escape(section.asks)}</p>')
    if section.value:
        parts.append(f"<p><b>{escape(section.value)}</b> {escape(section.meaning)}</p>")
    if section.table and section.table.rows:
        parts.append(_table(section.table))
    parts += [f"<p>{escape(note)}</p>" for note in section.notes]
    if section.command:
        parts.append(f"<p>Not measured yet. How: <code>{escape(section.command)}</code></p>")
    return "\n".join([*parts, "</section>"])


def _table(table: Table) -> str:
    def row(tag: str, cells: Sequence[str]) -> str:
        told = (
            f"<{tag}{'' if number in table.texts else ' class=n'}>{escape(cell)}</{tag}>"
            for number, cell in enumerate(cells)
        )
        return f"<tr>{''.join(told)}</tr>"

    body = "\n".join(row("td", cells) for cells in table.rows)
    # Focused, it is scrolled by the arrow keys where it is wider than the screen.
    return (
        f'<div class="wide" tabindex="0"><table><thead>{row("th", table.head)}</thead>\n'
        f"<tbody>{body}</tbody></table></div>"
    )
