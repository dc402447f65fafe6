"""``nomock mcp``: an MCP server on standard input and output."""

from __future__ import annotations

import argparse

from nomock.config import Settings


def mcp(_: Settings, __: argparse.Namespace) -> int:
    """Serve until the other side ends the conversation."""
    from nomock.agents.server import server

    server().run()
    return 0
