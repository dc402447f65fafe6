"""The command line: what is done with a stack beside running tests."""

from nomock.cli.main import main

__all__ = ["main"]
