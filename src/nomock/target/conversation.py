"""A program that is talked to, line by line, for as long as it lives."""

from __future__ import annotations

from typing import Protocol


class Conversation(Protocol):
    """Lines to a program's standard input, and lines of its answers.

    That input ends with this process, however it ends.
    """

    container_id: str
    """The program's own container."""

    def ask(self, line: str, timeout_s: float) -> str:
        """Write a line to the program's standard input and return the next one of its output.

        Raises TargetError when the program ended, did not answer in time, or was not heard to the
        end the last time.
        """
        ...

    def close(self) -> None:
        """End the program's standard input."""
