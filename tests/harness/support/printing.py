"""What a process prints while it runs."""

from __future__ import annotations

import subprocess


def until(process: subprocess.Popen[str], text: str) -> list[str]:
    """Read what a process prints up to the line that has a text."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if text in line:
            return lines
    raise AssertionError(f"{text!r} is not in:\n" + "\n".join(lines))
