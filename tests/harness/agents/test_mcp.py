"""`nomock mcp`, asked by the SDK's own client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from mcp import Client, StdioServerParameters
from proxied import BEGIN, proxied
from tiny import NOMOCK, Tiny, environment

TESTS = """
    def test_web(stack):
        assert through(stack, "shop->web").status_code == 200

    def test_red(stack):
        assert stack["web"].http.get("/nothing").status_code == 200
"""

Ask = Callable[..., Awaitable[Any]]


def asked(tiny: Tiny, questions: Callable[[Ask], Awaitable[None]]) -> None:
    """Start the server in a project, and ask it."""

    async def talk() -> None:
        server = StdioServerParameters(
            command=str(NOMOCK), args=["mcp"], cwd=tiny.path, env=dict(environment())
        )
        async with Client(server) as client:

            async def ask(tool: str, **arguments: Any) -> Any:
                answer = await client.call_tool(tool, arguments)
                text = answer.content[0].text  # type: ignore[union-attr] # all answers are text
                return text if answer.is_error else json.loads(text)

            tools = await client.list_tools()
            assert all(tool.description for tool in tools.tools)
            await questions(ask)

    asyncio.run(talk())


def test_an_agent_should_be_answered_as_a_person_when_it_asks_runs_tests_and_breaks_edges(
    tiny: Tiny,
) -> None:
    proxied(tiny, BEGIN + TESTS)

    async def questions(ask: Ask) -> None:
        before = await ask("status")
        assert (before["stack"], before["is_ready"]) == (tiny.name, False)

        ended = await ask("run_tests", arguments=["test_tiny.py"])
        assert (ended["passed"], ended["failed"], ended["skipped"]) == (1, 1, 0)
        [failure] = ended["failures"]
        assert failure["test"] == "test_tiny.py::test_red"
        assert "404 == 200" in failure["message"]
        assert failure["causes"]

        told = await ask("diagnose")
        assert [f["test"] for f in told["failures"]] == ["test_tiny.py::test_red"]

        stands = await ask(
            "break_edge",
            test="test_tiny.py::test_web",
            where="shop->web",
            kind="latency",
            arguments={"latency_ms": 50},
        )
        assert (stands["passed"], stands["failed"]) == (1, 0)
        falls = await ask(
            "break_edge", test="test_tiny.py::test_web", where="shop->web", kind="refused"
        )
        assert falls["failed"] == 1
        assert (await ask("status"))["is_ready"]

        wrong = await ask("who_tests", file="app.py", line=3)
        assert "there is no such file" in wrong or "no covered run" in wrong
        assert "no covered run" in await ask("coverage_of", file="app.py")
        nothing = await ask("run_tests", arguments=["test_nowhere.py"])
        assert nothing["exit_code"] == 4
        assert any("test_nowhere.py" in line for line in nothing["said"])

    asked(tiny, questions)
