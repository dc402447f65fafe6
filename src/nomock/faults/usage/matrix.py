"""Which kinds of faults which tests put on which edges and services, and which none does."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from nomock.adapters.httpfaults import CONTROL_PORT as HTTP_CONTROL_PORT
from nomock.adapters.toxiproxy.endpoints import CONTROL_PORT, endpoints_at
from nomock.errors import ConfigError, NomockError
from nomock.faults.faults import kinds
from nomock.faults.topology import proxies, publishing
from nomock.faults.usage.effects import Effect
from nomock.project import Project
from nomock.stack import Stack
from nomock.stack.postgres_service import postgres_service

# The packages of the kinds, in the order of their tables.
_TITLES = {
    "edge": "edges",
    "http": "requests on edges",
    "service": "services",
    "packets": "packets of services",
    "database": "database",
}


@dataclass(frozen=True)
class Table:
    """Faults of some kinds on some edges or services, with the tests where they were effective."""

    title: str
    kinds: tuple[str, ...]
    rows: tuple[str, ...]
    """Edges or services, those with the most holes first."""
    _tests: Mapping[tuple[str, str], Sequence[str]]

    def tests(self, row: str, kind: str) -> Sequence[str]:
        """Return the tests in which this kind was effective there; none is a hole."""
        return self._tests.get((row, kind), ())

    def holes(self, row: str) -> list[str]:
        """Return the kinds that were effective there in no test."""
        return [kind for kind in self.kinds if not self.tests(row, kind)]


def tables(stack: Stack, edges: Mapping[str, str], effects: Iterable[Effect]) -> list[Table]:
    """Return what was broken, one table for each group of kinds.

    ``edges``: name -> the host that it leads to, as ``edges_of`` tells.
    """
    rows = _rows(stack, edges)
    groups: dict[str, list[str]] = defaultdict(list)
    for kind, fault in kinds().items():
        groups[fault.__module__.split(".")[2]].append(kind)
    tests: dict[tuple[str, str], list[str]] = defaultdict(list)
    for effect in effects:
        # A fault on the database is on a table or a role of it.
        for where in rows["database"] if effect.kind in groups["database"] else [effect.where]:
            if effect.test not in tests[where, effect.kind]:
                tests[where, effect.kind].append(effect.test)
    return [
        _table(title, groups[group], rows[group], tests)
        for group, title in _TITLES.items()
        if rows[group]
    ]


def _table(
    title: str,
    kinds_: Sequence[str],
    rows: Collection[str],
    tests: Mapping[tuple[str, str], Sequence[str]],
) -> Table:
    def covered(row: str) -> int:
        return sum((row, kind) in tests for kind in kinds_)

    return Table(title, tuple(kinds_), tuple(sorted(rows, key=lambda r: (covered(r), r))), tests)


def _rows(stack: Stack, edges: Mapping[str, str]) -> dict[str, list[str]]:
    """Return for each group what its faults can be on: equipment of the tests is not broken."""
    project = stack.project
    http_proxies = publishing(project, HTTP_CONTROL_PORT)
    left_out = {*project.one_shots, *proxies(project), *http_proxies}
    services = [name for name in project.services if name not in left_out]
    database: list[str] = []
    with suppress(ConfigError):  # it has none
        database = [postgres_service(project, stack.settings.postgres)]
    return {
        "edge": list(edges),
        "http": [name for name, host in edges.items() if host in http_proxies],
        "service": services,
        "packets": services,
        "database": database,
    }


def edges_of(stack: Stack) -> tuple[dict[str, str], str]:
    """Return the edges of a stack, name -> the host that each leads to; and who tells.

    Toxiproxy, if it runs; else the file that it is started with.
    """
    edges: dict[str, str] = {}
    services = proxies(stack.project)
    if not services:
        return edges, "nobody: no service is Toxiproxy"
    try:
        for name in services:
            found = endpoints_at(*stack[name].address(CONTROL_PORT))
            edges |= {edge: ends.host for edge, ends in found.items()}
    except NomockError:
        return _mounted(stack.project), "its files: it does not run"
    return edges, "Toxiproxy"


def _mounted(project: Project) -> dict[str, str]:
    edges = {}
    for name in proxies(project):
        for path in project.services[name].mounted_files:
            with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
                for proxy in json.loads(path.read_bytes()):
                    edges[proxy["name"]] = proxy["upstream"].rpartition(":")[0]
    return edges
