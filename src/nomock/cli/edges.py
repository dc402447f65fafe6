"""Which edges and services the tests break in which ways: holes first."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Iterator, Mapping

from nomock.cli.edges_init import write_edges
from nomock.cli.show import print_json, print_table
from nomock.config import Settings
from nomock.errors import ConfigError, UnknownEdgeError, UnknownServiceError
from nomock.faults.topology import ARROW
from nomock.faults.usage.effects import load_effects
from nomock.faults.usage.matrix import Table, edges_of, tables
from nomock.stack import Stack

_WIDTH = 100
_HOLE = "."


def edges(settings: Settings, chosen: argparse.Namespace) -> int:
    """Print the matrix, or the tests of one edge or service, or of all cells of it."""
    if chosen.init:
        return write_edges(settings, chosen)
    if len(chosen.where) > 1:
        raise ConfigError(
            "one edge or service at a time", where="nomock edges", seen=", ".join(chosen.where)
        )
    chosen.where = chosen.where[0] if chosen.where else None
    stack = Stack.of(settings)
    known, told_by = edges_of(stack)
    found = tables(stack, known, load_effects(settings.state_dir))
    if chosen.where is not None and not any(chosen.where in table.rows for table in found):
        raise _unknown(stack, chosen.where, found)
    if chosen.json:
        shown = [table for table in found if chosen.where in (None, *table.rows)]
        print_json([_for_programs(table, chosen.where) for table in shown])
        return 0
    if chosen.tests or chosen.where is not None:
        print("\n".join(_tests(found, chosen.where)))
        return 0
    print(f"stack {stack.name}, edges as told by {told_by}")
    print("\nholes: what no test breaks that way")
    for table in found:
        print("\n".join(["", table.title, *_holes(table)]))
    print("\ntests: how many break what in which way")
    for table in found:
        print()
        _print_counts(table)
    return 0


def _for_programs(table: Table, where: str | None) -> Mapping[str, object]:
    rows = [row for row in table.rows if where in (None, row)]
    tests = {row: {kind: [*table.tests(row, kind)] for kind in table.kinds} for row in rows}
    return {"title": table.title, "tests": tests}


def _unknown(stack: Stack, name: str, found: list[Table]) -> ConfigError:
    rows, where = {row for table in found for row in table.rows}, f"stack {stack.name}"
    edges = {row for row in rows if ARROW in row}
    if ARROW in name:
        return UnknownEdgeError(name, edges, stack.project.services, where=where)
    return UnknownServiceError(name, rows - edges, where=where)


def _holes(table: Table) -> Iterator[str]:
    if all(table.holes(row) == list(table.kinds) for row in table.rows):
        yield "  everything, on each of them"
        return
    width = max(map(len, table.rows)) + 2
    for row in table.rows:
        if holes := table.holes(row):
            text = ", ".join(holes) if len(holes) < len(table.kinds) else "everything"
            head = f"  {row:<{width}}"
            yield textwrap.fill(
                text, _WIDTH, initial_indent=head, subsequent_indent=" " * len(head)
            )
    if not any(map(table.holes, table.rows)):
        yield "  none"


def _print_counts(table: Table) -> None:
    # Two words of a kind stand above each other, so that a table fits on a terminal; one that all
    # have in common is in the title.
    heads = [(kind.rpartition("_")[0], kind.rpartition("_")[2]) for kind in table.kinds]
    if len({upper for upper, _ in heads}) == 1:
        heads = [("", lower) for _, lower in heads]
    widths = [max(map(len, head)) for head in heads]

    def line(first: str, cells: list[str]) -> list[str]:
        return [first, *(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))]

    covered = sum(len(table.kinds) - len(table.holes(row)) for row in table.rows)
    title = f"{table.title}: {covered} of {len(table.rows) * len(table.kinds)}"
    rows = [line(title, [lower for _, lower in heads])]
    if any(upper for upper, _ in heads):
        rows.insert(0, line("", [upper for upper, _ in heads]))
    for row in table.rows:
        counts = [str(len(table.tests(row, kind)) or _HOLE) for kind in table.kinds]
        rows.append(line(f"  {row}", counts))
    print_table(rows[0], rows[1:])


def _tests(found: list[Table], where: str | None) -> Iterator[str]:
    """Yield the tests of each cell; of one edge or service its holes, too."""
    for table in found:
        for row in table.rows:
            if row == where or (where is None and len(table.holes(row)) < len(table.kinds)):
                yield f"{table.title}: {row}"
                for kind in table.kinds:
                    tests = table.tests(row, kind)
                    if where is not None and not tests:
                        yield f"  {kind:<16}  no test"
                    for number, test in enumerate(tests):
                        yield f"  {kind if number == 0 else '':<16}  {test}"
