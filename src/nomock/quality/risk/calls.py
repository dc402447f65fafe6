"""How many services rely on a service: by the edges of Toxiproxy, by settings, by traces."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from nomock.adapters.httpfaults import CONTROL_PORT
from nomock.config import Settings
from nomock.evidence.folder import EvidenceFolder
from nomock.faults.overlay import calls
from nomock.faults.topology import ARROW, proxies, publishing
from nomock.faults.usage.matrix import edges_of
from nomock.project import Project
from nomock.stack import Stack

Edge = tuple[str, str]


def edges_between(stack: Stack) -> set[Edge]:
    """Return which service calls which, so far as settings, Toxiproxy or traces tell."""
    known, _ = edges_of(stack)
    told = {tuple(edge.split(ARROW, 1)) for edge in known if ARROW in edge}
    said = {(call.caller, call.target) for call in calls(stack.project, lambda service: ())}
    found = {(a, b) for a, b in told | said} | _traced(stack.settings)
    of_tests = equipment(stack.project)  # it passes on what others call
    return {(a, b) for a, b in found if a != b and not {a, b} & of_tests}


def _traced(settings: Settings) -> set[Edge]:
    """Return the calls in the traces of the evidence that is kept."""
    folder, found = EvidenceFolder(settings.state_dir), set()
    for run in folder.runs():
        for record in folder.read(run)[0]:
            services = {span["span_id"]: span["service"] for span in record.get("trace", ())}
            for span in record.get("trace", ()):
                caller = services.get(span["parent_id"], "")
                if caller and caller != span["service"]:
                    found.add((caller, span["service"]))
    return found


def callers(edges: Iterable[Edge]) -> dict[str, set[str]]:
    """Return service -> the services that call it, directly or by way of others."""
    direct: dict[str, set[str]] = defaultdict(set)
    for caller, target in edges:
        direct[target].add(caller)
    return {target: _before(target, direct) for target in direct}


def _before(target: str, direct: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    todo = [target]
    while todo:
        for caller in direct.get(todo.pop(), set()) - seen:
            seen.add(caller)
            todo.append(caller)
    return seen - {target}


def equipment(project: Project) -> set[str]:
    """Return the services that are there for tests alone."""
    return {*proxies(project), *publishing(project, CONTROL_PORT)}
