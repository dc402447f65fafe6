"""Pictures as SVG, light and dark: what a terminal shows, and bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from io import StringIO

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

Colours = tuple[int, int, int]

# Background, text, then the eight colours of a terminal and their bright ones. Each of them has a
# contrast of at least 4.5 to the background (WCAG 2.2, 1.4.3).
_LIGHT = (
    ["#ffffff", "#1f2328"],
    ["#1f2328", "#cf222e", "#116329", "#7d4e00", "#0969da", "#8250df", "#1b6b72", "#59636e"],
    ["#59636e", "#a40e26", "#1a7f37", "#633c01", "#0550ae", "#6639ba", "#15616a", "#1f2328"],
)
_DARK = (
    ["#0d1117", "#e6edf3"],
    ["#9198a1", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#e6edf3"],
    ["#9198a1", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#ffffff"],
)
_KINDS = {"light": _LIGHT, "dark": _DARK}
_FONT = 'font-family="system-ui, sans-serif" font-size="14"'
# As rich's own, without the font that it asks a server for.
_SHEET = """\
<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace;
  font-size: {char_height}px; line-height: {line_height}px;
}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def terminal(
    commands: Sequence[tuple[str, Sequence[str]]], columns: int, title: str
) -> dict[str, str]:
    """Return a window with commands and what each showed, by kind of colours."""
    console = Console(record=True, file=StringIO(), width=columns + 1, force_terminal=True)
    for number, (command, lines) in enumerate(commands):
        console.print(Text("\n" * (number > 0) + "$ " + command, style="bold"))
        for line in lines:
            console.print(Text.from_ansi(line), overflow="fold")
    console.print()  # what hangs below the last line is cut off otherwise
    pictures = {}
    for kind, ((ground, text), normal, bright) in _KINDS.items():
        colours = [_rgb(colour) for colour in normal], [_rgb(colour) for colour in bright]
        pictures[kind] = console.export_svg(
            title=title,
            theme=TerminalTheme(_rgb(ground), _rgb(text), *colours),
            code_format=_SHEET,
            clear=False,
            unique_id=f"nomock-{kind}",
        )
    return pictures


def bars(title: str, rows: Mapping[str, float], ours: str) -> dict[str, str]:
    """Return a bar a row, in seconds, with one of them marked, by kind of colours."""
    left, width, step, most = 240, 860, 34, max(rows.values())
    height = 72 + step * len(rows)
    pictures = {}
    for kind, ((ground, text), normal, _) in _KINDS.items():
        parts = [
            f'<rect width="{width}" height="{height}" rx="8" fill="{ground}"/>',
            f'<text x="20" y="34" fill="{text}">{escape(title)}</text>',
        ]
        for number, (name, seconds) in enumerate(rows.items()):
            y = 56 + number * step
            long = max(2.0, (width - left - 90) * seconds / most)
            fill, weight = (normal[2], "bold") if name == ours else ("#8c959f", "normal")
            label = f'y="{y + 15}" fill="{text}" font-weight="{weight}"'
            parts += [
                f'<text x="{left - 12}" {label} text-anchor="end">{escape(name)}</text>',
                f'<rect x="{left}" y="{y}" width="{long:.0f}" height="20" rx="3" fill="{fill}"/>',
                f'<text x="{left + long + 8:.0f}" {label}>{seconds:.1f} s</text>',
            ]
        head = f'<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg" {_FONT}>'
        pictures[kind] = "\n".join([head, *parts, "</svg>\n"])
    return pictures


def _rgb(colour: str) -> Colours:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
