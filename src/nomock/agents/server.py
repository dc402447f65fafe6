"""The MCP server: the verbs that a person has, each answer small and whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nomock.agents.calls import Answer, listed, tested, told
from nomock.coverage.affected import as_ranges
from nomock.coverage.harvest.contexts import Contexts, statements
from nomock.coverage.session import data_dir
from nomock.errors import ConfigError, CoverageError, NomockError
from nomock.loading import load
from nomock.paths import standing

if TYPE_CHECKING:  # of an extra, which all other commands do without
    from mcp.server.mcpserver import MCPServer

_INSTRUCTIONS = """\
nomock runs the tests of this project on its real docker-compose stack, breaks the network between \
services on purpose, and knows which lines of which service each test ran. Start with `status`; \
after a red test ask `diagnose`; after an edit run what `affected` names."""
BREAKING = "nomock.plugin.breaking"
"""The plugin that puts a fault around each test of a run."""
FAULT = "NOMOCK_BREAKING"
"""The variable from which it has the fault, as JSON: its kind, where, and its arguments."""


def status() -> Answer:
    """How each service of the stack is, and whether it is what the files say."""
    found: Answer = told("status", "--json")
    return found


def run_tests(arguments: list[str] | None = None) -> Answer:
    """Run tests on the stack, which is started where it is not there.

    arguments: those of pytest, as ["tests/test_orders.py", "-k", "refused"]; all tests without any.
    """
    return tested(arguments or [])


def diagnose() -> Answer:
    """Why the last run failed: of each test the likeliest causes first, the services, the edits."""
    found: Answer = told("diagnose", "--json")
    return found


def who_tests(file: str, line: int) -> Answer:
    """The tests that ran a line of a service's source in the last covered run."""
    found: Answer = told("who-tests", f"{file}:{line}", "--json")
    return found


def affected(since: str | None = None) -> Answer:
    """The tests that what changed needs, those that fail likeliest first; none is run.

    since: a revision of git to compare with; the last covered run without one.
    """
    tests, said = listed(["--nomock-affected", *([f"--nomock-since={since}"] if since else [])])
    return {"tests": tests, "told": said}


def coverage_of(file: str) -> Answer:
    """Which statements of a service's source ran in the last covered run, and which did not."""
    contexts = Contexts.of(data_dir(load(standing())))
    path = Path.cwd().joinpath(file).resolve()
    if path not in contexts.files:
        raise CoverageError(
            "the last covered run has nothing of this file",
            where=str(path),
            todo="name one that a covered service ran",
        )
    ran = contexts.by_line(path).keys()
    whole = statements(path)
    return {
        "file": str(path),
        "ran": as_ranges(sorted(whole & ran)),
        "not_run": as_ranges(sorted(whole - ran)),
    }


def break_edge(test: str, where: str, kind: str, arguments: dict[str, Any] | None = None) -> Answer:
    """Run one test while something is broken, and see whether it stands it.

    test: its id. where: an edge "web->db", or a service for kinds such as kill. kind: latency,
    refused, blackhole, reset, bandwidth, kill, pause, …: `nomock docs faults` has all. arguments:
    those of the kind, as {"latency_ms": 800}. A fault that met no traffic makes the test an error.
    """
    fault = {"kind": kind, "where": where, "arguments": arguments or {}}
    return tested(["-p", BREAKING, test], {FAULT: json.dumps(fault)})


TOOLS: tuple[Callable[..., Answer], ...] = (
    status,
    run_tests,
    diagnose,
    who_tests,
    affected,
    coverage_of,
    break_edge,
)


def server() -> MCPServer:
    """Return the server with its tools; raise ConfigError where the SDK is not installed."""
    try:
        from mcp.server.mcpserver import MCPServer
    except ImportError as error:
        raise ConfigError(
            "a package is missing", where="nomock mcp", todo="pip install 'nomock[mcp]'"
        ) from error
    made = MCPServer("nomock", instructions=_INSTRUCTIONS, log_level="ERROR")
    for tool in TOOLS:
        made.tool()(_with_errors(tool))
    return made


def _with_errors(tool: Callable[..., Answer]) -> Callable[..., Answer]:
    """Return a tool whose errors are told to who asks; the SDK keeps those of others to itself."""
    from mcp.server.mcpserver.exceptions import ToolError

    @wraps(tool)
    def asked(**arguments: Any) -> Answer:
        try:
            return tool(**arguments)
        except NomockError as error:
            raise ToolError(str(error)) from error

    return asked
